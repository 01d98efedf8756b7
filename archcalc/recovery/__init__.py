"""Turn a flat graph into a spec that a person can edit: with blocks, arguments and repeats."""
