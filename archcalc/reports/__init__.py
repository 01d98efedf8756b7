"""Turn networks into reports: what a command shows, before it is text."""
