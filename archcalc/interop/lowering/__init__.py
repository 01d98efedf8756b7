"""Turn the trace of a model file into archcalc's own graph (channels last), and check its counts."""
