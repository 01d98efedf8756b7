"""Execution whose every multiply, addition and comparison is counted."""
