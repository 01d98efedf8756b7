"""Read Keras models: the config of a `.keras` zip, `model.to_json()`, tfjs' `model.json`.

They hold layers and their settings, no operations and no shapes: both are computed here. Weights are
not read. Images lie channels last in Keras; the trace has them channels first, as torch and ONNX do.
"""
