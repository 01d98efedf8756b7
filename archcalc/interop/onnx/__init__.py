"""Read ONNX files as a trace: protobuf and shapes by our own code; weights stay in the file."""
