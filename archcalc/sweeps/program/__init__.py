"""Record a spec on symbols, simplify it, and write it as instructions for the machine."""
