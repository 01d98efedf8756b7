"""Read the text of a spec: its syntax, the places of its parts, its variables; no operators."""
