"""torch.export's `.pt2`: a zip whose JSON holds the graph of a module, read without torch.

Written from torch's own schema (torch/_export/serde/schema.py, major 8): fields that are not known are
passed over, another major version is refused. Pickles that lie in the zip are never opened.
"""
