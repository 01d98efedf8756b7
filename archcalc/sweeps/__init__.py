"""Evaluate design spaces: a spec over ranges of its variables, each point exactly as `analyze` does."""
