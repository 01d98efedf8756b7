"""Graph → arrays: the forward pass, and what it really counts. The only folder that imports numpy."""
