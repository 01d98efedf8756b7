"""The benchmarked networks as ONNX models, for other programs to run the same with the same weights.

Maps are batch × channels × height × width there, and kernels filters × channels × height × width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from archcalc.execution.model import Weights
from archcalc.graph.model import Graph


class _Model:
    """Nodes and tensors so far; a value is named by the number of its node in the graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def tensor(self, values: Any) -> str:
        name = f"w{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))


def _padding(operator: Any) -> list[int]:
    if operator.same or operator.ceil:
        raise NotImplementedError("padding of `same` and `ceil`")
    half = [((k - 1) // 2,) * 2 for k in operator.k]
    return [n for side in zip(*(half if operator.half else operator.p), strict=True) for n in side]


def _conv(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
    kernel = model.tensor(weights["weight"].transpose(3, 2, 0, 1))
    bias = [] if operator.nobias else [model.tensor(weights["bias"])]
    geometry = {"strides": operator.s, "dilations": operator.d, "pads": _padding(operator)}
    model.node("Conv", [*inputs, kernel, *bias], output, group=operator.g, **geometry)


def _linear(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
    model.node("Flatten", inputs, f"{output}f")
    bias = [] if operator.nobias else [model.tensor(weights["bias"])]
    model.node("Gemm", [f"{output}f", model.tensor(weights["weight"]), *bias], output)


def _bn(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
    scale = weights.get("scale", np.ones_like(weights["shift"]))
    values = [scale, *(weights[role] for role in ("shift", "mean", "variance"))]
    model.node(
        "BatchNormalization",
        inputs + list(map(model.tensor, values)),
        output,
        epsilon=float(operator.eps),
    )


def _maxpool(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
    geometry = {"kernel_shape": operator.k, "strides": operator.s, "pads": _padding(operator)}
    model.node("MaxPool", inputs, output, **geometry)


def _flatten(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
    """Channels last, as the weights behind it want them."""
    model.node("Transpose", inputs, f"{output}t", perm=[0, 2, 3, 1])
    model.node("Flatten", [f"{output}t"], output)


def _plain(kind: str) -> Callable[..., None]:
    def add(model: _Model, operator: Any, inputs: list[str], output: str, weights: Weights) -> None:
        model.node(kind, inputs, output)

    return add


EXPORTS: dict[str, Callable[..., None]] = {
    "conv": _conv,
    "linear": _linear,
    "bn": _bn,
    "maxpool": _maxpool,
    "flatten": _flatten,
    "relu": _plain("Relu"),
    "add": _plain("Add"),
    "gap": _plain("GlobalAveragePool"),
    "dropout": _plain("Identity"),
}


def export(graph: Graph, weights: Mapping[str, Weights], path: str) -> None:
    """Write the graph's main output as an ONNX model of batch 1.

    Raises:
        KeyError: an operator that no benchmark has needed so far.
    """
    model = _Model()
    for index, node in enumerate(graph.nodes[1:], 1):
        inputs = [str(i) for i in node.inputs]
        EXPORTS[node.operator.name](model, node.operator, inputs, str(index), weights.get(node.path, {}))
    height, width, channels = map(int, graph.input)
    image = helper.make_tensor_value_info("0", TensorProto.FLOAT, [1, channels, height, width])
    result = helper.make_tensor_value_info(str(graph.output), TensorProto.FLOAT, None)
    body = helper.make_graph(model.nodes, "network", [image], [result], model.tensors)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(body, opset_imports=opset, ir_version=8), path)
