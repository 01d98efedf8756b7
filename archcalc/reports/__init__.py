"""Network → Report: what a command shows, before it is text."""
