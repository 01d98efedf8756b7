"""A sweep in a directory: its manifest, its parts, and what they tell afterwards."""
