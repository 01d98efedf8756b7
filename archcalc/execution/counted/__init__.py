"""Execute with every multiply, addition and comparison counted."""
