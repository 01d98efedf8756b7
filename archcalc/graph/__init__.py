"""Build the graph of a spec: blocks are expanded, shapes propagated, and nodes keep their places."""
