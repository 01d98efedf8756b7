"""Any ONNX file, run by onnxruntime: are its shapes and the products archcalc's?

    PYTHONPATH=. python tests/differential/onnx_runs.py FILE[@NAME=1x3x8x8,DIM=4] ...

Every value in between is made an output, the file is run once on random numbers, and products are
counted from the arrays' own shapes. Branches (`If`) are not looked into: their values are compared
outside only.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from archcalc.errors import ArchError
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally

TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(float16)": np.float16}
Shapes = dict[str, tuple[int, ...]]


def run(path: Path, inputs: Shapes, numbers: dict[str, int]) -> Shapes:
    """The shape of every value that a run makes."""
    model = onnx.load(path)
    made = [name for node in model.graph.node for name in node.output if name]
    kept = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made if name not in kept)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    chance = np.random.default_rng(0)
    fed = {}
    for value in session.get_inputs():
        dtype = TYPES[value.type]
        array = chance.standard_normal(inputs[value.name])
        fed[value.name] = np.asarray(numbers.get(value.name, np.abs(array)), dtype).reshape(
            inputs[value.name]
        )
    names = [output.name for output in session.get_outputs()]
    found = {n: np.shape(array) for n, array in zip(names, session.run(names, fed), strict=True)}
    stored = {t.name: tuple(t.dims) for t in model.graph.initializer}
    return {**stored, **inputs, **found}


def products(graph: Any, shapes: Shapes) -> int:
    """By the arrays' shapes and each operator's definition."""
    total = 0
    for node in graph.node:
        read_ = [shapes.get(name, ()) for name in node.input]
        flags = {a.name: a.i for a in node.attribute}
        if node.op_type in ("Conv", "FusedConv", "ConvInteger"):
            total += math.prod(shapes[node.output[0]]) * math.prod(read_[1][1:])
        elif node.op_type in ("QLinearConv", "QLinearMatMul"):
            conv = node.op_type == "QLinearConv"
            each = math.prod(read_[3][1:]) if conv else read_[0][-1]
            total += math.prod(shapes[node.output[0]]) * each
        elif node.op_type == "QGemm":
            total += math.prod(shapes[node.output[0]]) * read_[0][-1]
        elif node.op_type == "ConvTranspose":
            total += math.prod(read_[0]) * math.prod(read_[1][1:])
        elif node.op_type in ("MatMul", "MatMulInteger", "Gemm", "FusedMatMul"):
            turned = (0 if flags.get("transBatchA") else -2) if flags.get("transA") else -1
            total += math.prod(shapes[node.output[0]]) * read_[0][turned]
        elif node.op_type in ("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM"):
            total += math.prod(read_[0][:2]) * (math.prod(read_[1]) + math.prod(read_[2]))
    return total


def main(words: list[str]) -> int:
    wrong = 0
    for word in words:
        file, _, given = word.partition("@")
        pairs = dict(pair.split("=") for pair in given.split(",") if pair)
        sizes = {k: tuple(map(int, v.split("x"))) for k, v in pairs.items() if "x" in v}
        dims = {k: int(v) for k, v in pairs.items() if "x" not in v}
        path = Path(file)
        try:
            trace = read(file, sizes, dims)
        except ArchError as error:
            print(f"{path.name}: refused: {error}")
            continue
        counted = tally(trace, prune(trace))
        shapes = run(path, {name: trace.tensors[name].shape for name in trace.inputs}, dims)
        differ = [n for n, s in shapes.items() if n in trace.tensors and trace.tensors[n].shape != s]
        graph = onnx.load(path).graph
        own = counted.counts.products
        branches = any(node.op_type == "If" for node in graph.node)
        truth = own if branches else products(graph, shapes)
        same = sum(n in trace.tensors for n in shapes)
        wrong += bool(differ) or own != truth
        print(
            f"{path.name}: {same} shapes, {len(differ)} differ; products {own:,} "
            f"({'in a branch' if branches else f'run: {truth:,}'}), parameters {counted.parameters:,} "
            f"of {counted.parameters_of_the_file:,}; unknown {len(counted.unknown)}"
        )
        for name in differ[:3]:
            print(f"    {name}: {trace.tensors[name].shape} instead of {shapes[name]}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
