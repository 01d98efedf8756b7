"""ONNX files read as a trace: protobuf and shapes by our own means, weights left where they lie."""
