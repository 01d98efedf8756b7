"""Points evaluated on all cores, and what is kept of them while they stream by."""
