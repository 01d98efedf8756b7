"""Published numbers beside the computed ones."""
