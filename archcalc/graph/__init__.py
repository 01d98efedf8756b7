"""Spec → Graph: blocks expanded, shapes propagated, every node with its place in the text."""
