"""Networks of archcalc for others: an ONNX file, a torch module. Both have channels first."""
