"""Define the values of a network's variables, and the points that a sweep evaluates."""
