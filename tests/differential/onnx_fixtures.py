"""Writes the small ONNX files of tests/data/onnx: graphs with shapes of weights, without their values.

python tests/differential/onnx_fixtures.py [FOLDER]      (where onnx is installed)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper
from onnx import helper as h

FOLDER = Path(__file__).parents[1] / "data" / "onnx"
F, INTEGER = TensorProto.FLOAT, TensorProto.INT64
DOMAIN = "com.example"


def weight(name: str, *dims: int, dtype: int = F) -> TensorProto:
    """A tensor with a shape, and no values."""
    return TensorProto(name=name, dims=dims, data_type=dtype)


def numbers(name: str, *values: Any, dtype: Any = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), name)


def one(name: str, value: Any, dtype: Any = np.int64) -> TensorProto:
    return numpy_helper.from_array(np.array(value, dtype), name)


def flow(name: str, *dims: Any, dtype: int = F) -> Any:
    return h.make_tensor_value_info(name, dtype, dims)


def node(op: str, inputs: str, outputs: str, name: str = "", **attributes: Any) -> Any:
    """Names apart by spaces; '-' is an input left out."""
    read = ["" if word == "-" else word for word in inputs.split()]
    return h.make_node(op, read, outputs.split(), name or outputs.split()[0], **attributes)


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: str,
    weights: Sequence[Any] = (),
    opset: int = 17,
    producer: str = "hand",
    functions: Sequence[Any] = (),
    **more: Any,
) -> ModelProto:
    results = [h.make_empty_tensor_value_info(name) for name in outputs.split()]
    graph = h.make_graph(nodes, "g", inputs, results, weights)
    opsets = [h.make_opsetid("", opset)] + [h.make_opsetid(DOMAIN, 1)] * bool(functions)
    return h.make_model(graph, opset_imports=opsets, producer_name=producer, functions=functions, **more)


def classifier() -> ModelProto:
    """Names as torch's older exporter writes them; the batch is free."""
    nodes = [
        node("Conv", "x conv1.weight", "a", "/conv1/Conv", pads=[1] * 4, strides=[2, 2]),
        node("BatchNormalization", "a s b m v", "n", "/layer1/layer1.0/bn1/BatchNormalization"),
        node("Relu", "n", "r", "/layer1/layer1.0/relu/Relu"),
        node("MaxPool", "r", "p", "/pool/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "p", "g", "/gap/GlobalAveragePool"),
        node("Flatten", "g", "f", "/Flatten"),
        node("Gemm", "f fc.weight fc.bias", "y", "/fc/Gemm", transB=1),
    ]
    weights = [weight("conv1.weight", 8, 3, 3, 3), *(weight(name, 8) for name in "sbmv")]
    weights += [weight("fc.weight", 10, 8), weight("fc.bias", 10), weight("spare.weight", 4, 4)]
    return model(nodes, [flow("x", "batch", 3, 32, 32)], "y", weights, producer="pytorch")


def attention() -> ModelProto:
    """Heads split by a shape that the graph computes from its input's."""
    nodes = [
        node("Shape", "x", "size"),
        node("Gather", "size zero", "n"),
        node("Gather", "size first", "l"),
    ]
    nodes += [node("Unsqueeze", "n axis", "n1"), node("Unsqueeze", "l axis", "l1")]
    nodes += [node("Concat", "n1 l1 heads deep", "split", axis=0)]
    for name in "qkv":
        nodes += [
            node("MatMul", f"x w{name}", f"{name}0"),
            node("Reshape", f"{name}0 split", f"{name}1"),
        ]
        order = [0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]
        nodes += [node("Transpose", f"{name}1", f"{name}2", perm=order)]
    nodes += [node("MatMul", "q2 k2", "s0"), node("Div", "s0 root", "s1"), node("Softmax", "s1", "s2")]
    nodes += [node("MatMul", "s2 v2", "m0"), node("Transpose", "m0", "m1", perm=[0, 2, 1, 3])]
    nodes += [node("Reshape", "m1 back", "m2"), node("MatMul", "m2 wo", "m3"), node("Add", "m3 bo", "y")]
    weights = [weight(f"w{name}", 64, 64) for name in "qkvo"] + [weight("bo", 64)]
    weights += [
        one("zero", 0),
        one("first", 1),
        numbers("axis", 0),
        numbers("heads", 4),
        numbers("deep", 16),
    ]
    weights += [one("root", 4.0, np.float32), numbers("back", 0, 0, 64)]
    return model(nodes, [flow("x", "batch", "length", 64)], "y", weights)


def recurrent() -> ModelProto:
    """Both directions; the first state comes from the input."""
    nodes = [
        node("Conv", "sound w1 b1", "c", strides=[2], pads=[1, 1]),
        node("Transpose", "c", "t", perm=[2, 0, 1]),
        node("ReduceMean", "t", "h0", axes=[0], keepdims=1),
        node("Concat", "h0 h0", "h", axis=0),
        node("LSTM", "t w r b - h h", "y last cell", hidden_size=16, direction="bidirectional"),
    ]
    weights = [weight("w1", 16, 5, 3), weight("b1", 16)]
    weights += [weight("w", 2, 64, 16), weight("r", 2, 64, 16), weight("b", 2, 128)]
    return model(nodes, [flow("sound", 1, 5, 40)], "y last", weights)


def quantized() -> ModelProto:
    """The three ways: QLinear operators, integers with scales apart, quantize and dequantize around."""
    nodes = [
        node("QuantizeLinear", "x sx zx", "q0"),
        node("QLinearConv", "q0 sx zx w1 s1 z1 s2 z2 b1", "q1", pads=[1] * 4),
        node("DequantizeLinear", "q1 s2 z2", "f1"),
        node("DequantizeLinear", "w2 s1 z1", "w2f", axis=0),
        node("DequantizeLinear", "b2 s1", "b2f", axis=0),
        node("Conv", "f1 w2f b2f", "f2"),
        node("GlobalAveragePool", "f2", "f3"),
        node("Flatten", "f3", "f4"),
        node("DynamicQuantizeLinear", "f4", "d ds dz"),
        node("MatMulInteger", "d w3 dz", "m"),
        node("Cast", "m", "mf", to=F),
        node("Mul", "mf ds", "y"),
    ]
    byte, word = TensorProto.INT8, TensorProto.INT32
    weights = [weight("w1", 4, 3, 3, 3, dtype=byte), weight("b1", 4, dtype=word)]
    weights += [
        weight("w2", 4, 4, 3, 3, dtype=byte),
        weight("b2", 4, dtype=word),
        weight("w3", 4, 7, dtype=byte),
    ]
    weights += [one("sx", 0.1, np.float32), one("zx", 0, np.uint8), one("s2", 0.1, np.float32)]
    weights += [one("z2", 0, np.uint8), weight("s1", 4), weight("z1", 4, dtype=byte)]
    return model(nodes, [flow("x", 1, 3, 10, 10)], "y", weights)


def function() -> ModelProto:
    """A block that the model defines, called twice: with another stride, and once without its bias."""
    body = [node("Conv", "a w b", "c"), node("Relu", "c", "d")]
    reference = h.make_attribute("strides", [1])
    del reference.ints[:]
    reference.ref_attr_name = "step"
    body[0].attribute.append(reference)
    block = h.make_function(
        DOMAIN, "Block", ["a", "w", "b"], ["d"], body, [h.make_opsetid("", 17)], attributes=["step"]
    )
    nodes = [
        h.make_node("Block", ["x", "w1", "b1"], ["m"], "one", domain=DOMAIN, step=[2]),
        h.make_node("Block", ["m", "w2"], ["y"], "two", domain=DOMAIN, step=[1]),
    ]
    weights = [weight("w1", 6, 2, 3), weight("b1", 6), weight("w2", 6, 6, 3)]
    return model(nodes, [flow("x", 1, 2, 21)], "y", weights, functions=[block])


def branches() -> ModelProto:
    """Two networks in one file, as speech models have them: the input `rate` says which one runs."""

    def branch(width: int) -> Any:
        made = [node("MatMul", f"x w{width}", f"y{width}")]
        return h.make_graph(
            made, f"b{width}", [], [flow(f"y{width}", 1, width)], [weight(f"w{width}", 12, width)]
        )

    nodes = [
        node("Equal", "rate fast", "is_fast"),
        node("If", "is_fast", "y", then_branch=branch(5), else_branch=branch(3)),
    ]
    return model(nodes, [flow("x", 1, 12), flow("rate", dtype=INTEGER)], "y", [one("fast", 16000)])


def listed() -> ModelProto:
    """Weights that stand among the inputs too, as the first versions wrote them."""
    nodes = [node("Conv", "x w b", "c"), node("PRelu", "c slope", "y")]
    weights = [weight("w", 4, 3, 2, 2), weight("b", 4), weight("slope", 4, 1, 1)]
    inputs = [flow("x", 1, 3, 8, 8), *(flow(w.name, *w.dims) for w in weights)]
    return model(nodes, inputs, "y", weights, opset=7, ir_version=3)


def filled() -> ModelProto:
    """Weights that are nodes: constants, and tensors filled with one number."""
    fill = h.make_tensor("fill", F, [1], [0.5])
    nodes = [
        node("Constant", "", "w", value=h.make_tensor("", F, [2, 3, 1, 1], [0.1 * i for i in range(6)])),
        node("ConstantOfShape", "shape", "v", value=fill),
        node("ConstantOfShape", "two", "scale", value=fill),
        node("Conv", "x w", "c"),
        node("Conv", "c v", "d"),
        node("Unsqueeze", "scale behind", "scale1"),
        node("Mul", "d scale1", "y"),
    ]
    weights = [numbers("shape", 2, 2, 1, 1), numbers("two", 2), numbers("behind", 1, 2)]
    return model(nodes, [flow("x", 1, 3, 4, 4)], "y", weights)


def merged() -> ModelProto:
    """Equal vectors written once by torch's exporter, and a table that it computed beforehand."""
    nodes = [
        node("Identity", "l1.bias", "l2.bias", "Identity_0"),
        node("Gemm", "x l1.weight l1.bias", "a", "/l1/Gemm", transB=1),
        node("Gemm", "a l2.weight l2.bias", "b", "/l2/Gemm", transB=1),
        node("Add", "b onnx::Add_9", "c", "/Add"),
        node("Add", "c class_token", "y", "/Add_1"),
    ]
    weights = [weight("l1.weight", 6, 6), weight("l2.weight", 6, 6), weight("l1.bias", 6)]
    weights += [weight("onnx::Add_9", 4, 6), weight("class_token", 1, 6)]
    return model(nodes, [flow("x", 4, 6)], "y", weights, producer="pytorch")


def tied() -> ModelProto:
    """A head that is the embedding's table, turned; with a mask that is no parameter."""
    nodes = [
        node("Gather", "table tokens", "e"),
        node("Add", "e positions", "e1"),
        node("LayerNormalization", "e1 g b", "n"),
        node("Transpose", "table", "turned", perm=[1, 0]),
        node("MatMul", "n turned", "s"),
        node("Where", "mask s low", "y"),
    ]
    weights = [weight("table", 50, 8), weight("positions", 7, 8), weight("g", 8), weight("b", 8)]
    weights += [weight("mask", 7, 50, dtype=TensorProto.BOOL), one("low", -1e9, np.float32)]
    return model(nodes, [flow("tokens", 1, 7, dtype=INTEGER)], "y", weights)


def loop() -> ModelProto:
    inside = [flow("i", dtype=INTEGER), flow("go", dtype=TensorProto.BOOL), flow("a", 2)]
    outside = [flow("again", dtype=TensorProto.BOOL), flow("b", 2)]
    made = [node("Identity", "go", "again"), node("Add", "a a", "b")]
    body = h.make_graph(made, "body", inside, outside)
    nodes = [node("Loop", "times - x", "y", "unroll/Loop", body=body)]
    return model(nodes, [flow("x", 2), flow("times", dtype=INTEGER)], "y")


def strangers() -> ModelProto:
    """Two operators that nobody knows; of the first one's result the file records the shape."""
    nodes = [
        h.make_node("Warp", ["x"], ["a"], "warp", domain=DOMAIN),
        h.make_node("Weft", ["a"], ["y"], "weft", domain=DOMAIN),
    ]
    made = model(nodes, [flow("x", 2, 3)], "y")
    made.graph.value_info.append(flow("a", 2, 3))
    return made


def recorded() -> ModelProto:
    """An operator that nobody knows among others; the file records the shape of its result."""
    nodes = [
        h.make_node("Warp", ["x"], ["a"], "warp", domain=DOMAIN),
        node("MatMul", "a w", "y"),
    ]
    made = model(nodes, [flow("x", 2, 3)], "y", [weight("w", 5, 4)])
    made.graph.value_info.append(flow("a", 2, 5))
    return made


def exported() -> ModelProto:
    """A module as torch's newer exporter writes it, without stack traces and values."""
    import tempfile

    import onnx
    import torch

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 6, 3, bias=False)
            self.bn = torch.nn.BatchNorm2d(6)
            self.norm = torch.nn.LayerNorm(6)
            self.fc = torch.nn.Linear(6, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.norm(torch.relu(self.bn(self.conv(x))).flatten(2).transpose(1, 2)))

    whole = torch.nn.Sequential(Block(), torch.nn.GELU()).eval()
    with torch.no_grad():
        for tensor in (*whole.parameters(), whole[0].bn.running_mean, whole[0].bn.running_var):
            tensor.uniform_(0.1, 1)
    with tempfile.TemporaryDirectory() as folder:
        torch.onnx.export(
            whole, (torch.randn(1, 3, 8, 8),), f"{folder}/m.onnx", dynamo=True, verbose=False
        )
        made = onnx.load(f"{folder}/m.onnx")
    for tensor in made.graph.initializer:
        if tensor.data_type == F:
            tensor.ClearField("raw_data")
    for step in made.graph.node:
        kept = [p for p in step.metadata_props if p.key.endswith(("scopes", "hierarchy", "rule_name"))]
        del step.metadata_props[:]
        step.metadata_props.extend(kept)
    del made.graph.value_info[:], made.functions[:], made.metadata_props[:]
    return made


def volume() -> ModelProto:
    """Three axes, and a way back: transposed, resized, cut and joined."""
    nodes = [
        node("Conv", "x w1", "a", kernel_shape=[3] * 3, strides=[2] * 3, pads=[1] * 6, group=2),
        node("AveragePool", "a", "p", kernel_shape=[2] * 3, strides=[2] * 3, ceil_mode=1),
        node("ConvTranspose", "p w2 b2", "u", strides=[2] * 3),
        node("Split", "u", "u1 u2", axis=1),
        node("Resize", "u1 - factors", "z", mode="linear"),
        node("Slice", "z start end axis", "z1"),
        node("Pad", "z1 pads", "z2"),
        node("ReduceMax", "z2", "y", keepdims=0, axes=[2, 3, 4]),
        node("Sigmoid", "u2", "y2"),
    ]
    weights = [weight("w1", 4, 1, 3, 3, 3), weight("w2", 4, 6, 2, 2, 2), weight("b2", 6)]
    weights += [numbers("factors", 1, 1, 2, 2, 2, dtype=np.float32), numbers("pads", *[0] * 9, 1)]
    weights += [numbers("start", 1), numbers("end", 2**63 - 1), numbers("axis", -1)]
    return model(nodes, [flow("x", 1, 2, 9, 9, 9)], "y y2", weights)


def outside() -> ModelProto:
    """A weight that claims to lie in another folder."""
    hidden = weight("w", 4, 3, 1, 1)
    hidden.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../secret.bin"), ("offset", "0"), ("length", "48")):
        hidden.external_data.add(key=key, value=value)
    return model([node("Conv", "x w", "y")], [flow("x", 1, 3, 4, 4)], "y", [hidden])


FIXTURES = [
    classifier,
    attention,
    recurrent,
    quantized,
    function,
    branches,
    listed,
    filled,
    merged,
    tied,
]
FIXTURES += [loop, strangers, recorded, exported, volume, outside]

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(exist_ok=True)
    for make in FIXTURES:
        path = folder / f"{make.__name__}.onnx"
        path.write_bytes(make().SerializeToString())
        print(f"{path.name}: {path.stat().st_size:,} bytes")
