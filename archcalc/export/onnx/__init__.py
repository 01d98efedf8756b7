"""Write a network as an ONNX file: its operators, the shape of every value, weights."""
