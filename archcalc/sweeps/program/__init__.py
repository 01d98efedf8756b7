"""A spec recorded on symbols, simplified, and written as instructions for the machine."""
