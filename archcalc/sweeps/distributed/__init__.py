"""Run a sweep on many machines."""
