"""Write a network as an ONNX file: its nodes, the shape of every value, and its weights."""
