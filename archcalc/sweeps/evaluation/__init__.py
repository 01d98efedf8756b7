"""Evaluate points on all cores, and keep what is wanted as they stream by."""
