"""ONNX files read as a trace: protobuf decoded here, shapes inferred here, weights left where they lie."""
