"""The live page: a spec and its settings, answered at every key stroke, on this machine alone."""
