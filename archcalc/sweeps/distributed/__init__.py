"""A sweep on many machines."""
