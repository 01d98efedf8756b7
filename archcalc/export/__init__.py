"""Export networks to other formats: an ONNX file or a torch module. Both have channels first."""
