"""Makes the recurrent .onnx files beside it: drawn weights, an input, what onnxruntime computes of it.

Run by hand where onnx and onnxruntime are installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
MADE: dict[str, tuple[str, int, dict[str, Any]]] = {
    "onnx_lstm": ("LSTM", 4, {"direction": "bidirectional"}),
    "onnx_gru": ("GRU", 3, {"direction": "bidirectional"}),
    "onnx_gru_after": ("GRU", 3, {"linear_before_reset": 1}),
    "onnx_rnn": ("RNN", 1, {"direction": "bidirectional"}),
}


def main() -> None:
    rng = np.random.default_rng(0)
    for name, (op, gates, more) in MADE.items():
        ways = 2 if "direction" in more else 1
        shapes = {"W": (ways, 4 * gates, 6), "R": (ways, 4 * gates, 4), "B": (ways, 8 * gates)}
        stored = {key: rng.standard_normal(shape).astype("f") for key, shape in shapes.items()}
        nodes = [
            helper.make_node(op, ["x", *stored], ["Y"], hidden_size=4, **more),
            helper.make_node("Transpose", ["Y"], ["t"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", ["t", "shape"], ["y"]),
        ]
        sizes = {"x": [7, 1, 6], "y": [7, 1, 4 * ways]}
        x, y = (helper.make_tensor_value_info(key, TensorProto.FLOAT, n) for key, n in sizes.items())
        stored["shape"] = np.array(sizes["y"])
        tensors = [numpy_helper.from_array(value, key) for key, value in stored.items()]
        graph = helper.make_graph(nodes, name, [x], [y], tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, HERE / f"{name}.onnx")
        sound = rng.standard_normal(sizes["x"]).astype("f")
        (found,) = ort.InferenceSession(HERE / f"{name}.onnx").run(None, {"x": sound})
        np.savez_compressed(HERE / f"{name}.npz", x=sound, y=found)


main()
