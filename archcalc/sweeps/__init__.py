"""Design spaces: a spec over ranges of its variables, every point exactly as `analyze` counts it."""
