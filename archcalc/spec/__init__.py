"""Text → Spec: syntax, positions, variables. Knows no operators."""
