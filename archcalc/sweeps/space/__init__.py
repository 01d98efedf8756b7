"""Which values the variables of a network take, and which points of them a sweep looks at."""
