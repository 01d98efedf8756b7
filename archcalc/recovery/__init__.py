"""Turn a flat graph back into a spec that a person would want to edit: blocks, arguments, repeats."""
