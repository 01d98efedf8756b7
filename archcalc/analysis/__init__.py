"""Graph → exact integers, as rows beside the graph."""
