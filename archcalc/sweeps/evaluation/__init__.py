"""Evaluate points on all cores, and keep the wanted ones."""
