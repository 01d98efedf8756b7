"""Read torch.export's `.pt2` without torch: a zip whose JSON holds the graph of a module.

Written from torch's own schema (torch/_export/serde/schema.py, major 8): unknown fields are skipped,
another major version is refused. Pickles in the zip are never opened.
"""
