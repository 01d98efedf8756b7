"""Record a spec on symbols, simplify the program, and compile it to instructions of the machine."""
