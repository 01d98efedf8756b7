"""What NumPy really does, counted by the runtime, is what the operators declare."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.execution.counted.arrays import Counter, counted
from archcalc.execution.reference import REFERENCE, run
from archcalc.operators import TABLE, operator_class
from archcalc.operators.model import Operator, Shape, Tokens

RNG = np.random.default_rng(0)


def op(name: str, *required: Any, **optional: Any) -> Operator:
    return operator_class(name)(*required, **optional)


MAP, VECTOR, SEQUENCE = Shape(7, 9, 6), Shape(1, 1, 12), Tokens(5, 1, 12)
CASES: list[tuple[Operator, tuple[Shape, ...]]] = [
    (op("conv", 4, k=3), (MAP,)),
    (op("conv", 4, k=(1, 5), s=(2, 1), p=(0, 2), nobias=True), (MAP,)),
    (op("conv", 4, k=3, d=2, half=True), (MAP,)),
    (op("conv", 4, k=4, s=3, same=True), (MAP,)),
    (op("conv", 6, k=3, g=3, half=True), (MAP,)),
    (op("conv", 12, k=3, g=6, half=True, nobias=True), (MAP,)),
    (op("conv", 2, k=3, table=[[0, 1], [1, 2, 5]]), (MAP,)),
    (op("deconv", 4, k=3, s=2), (MAP,)),
    (op("deconv", 4, k=2, s=3, nobias=True), (MAP,)),
    (op("deconv", 6, k=4, s=2, p=1, g=3), (MAP,)),
    (op("linear", 5), (VECTOR,)),
    (op("linear", 5, nobias=True), (VECTOR,)),
    (op("rbf", 5), (VECTOR,)),
    (op("maxpool", 2), (MAP,)),
    (op("maxpool", 3, s=2, ceil=True), (MAP,)),
    (op("maxpool", 3, s=1, half=True), (MAP,)),
    (op("avgpool", 3, s=2, p=1), (MAP,)),
    (op("sumpool", (2, 3)), (MAP,)),
    (op("adaptivepool", (3, 2)), (MAP,)),
    (op("adaptivepool", 12), (MAP,)),
    (op("adaptivepool", 4, max=True), (MAP,)),
    (op("gap"), (MAP,)),
    (op("bn"), (MAP,)),
    (op("bn", noscale=True), (MAP,)),
    (op("bn", eps=0.001), (MAP,)),
    (op("ln"), (MAP,)),
    (op("ln", eps=1e-6), (SEQUENCE,)),
    (op("ln"), (VECTOR,)),
    (op("ln"), (Shape(2, 3, 1),)),
    (op("groupnorm", 3), (MAP,)),
    (op("groupnorm", 1, eps=0.5), (MAP,)),
    (op("groupnorm", 6), (VECTOR,)),
    (op("lrn", 5), (MAP,)),
    (op("scale"), (MAP,)),
    (op("scale", nobias=True), (MAP,)),
    (op("add"), (MAP, MAP, MAP)),
    (op("add", crop=True), (MAP, Shape(9, 11, 6))),
    (op("mul"), (MAP, Shape(1, 1, 6))),
    (op("mul"), (Shape(1, 1, 6), MAP)),
    (op("concat"), (MAP, Shape(7, 9, 2))),
    (op("flatten"), (MAP,)),
    (op("tokens"), (MAP,)),
    (op("classtoken"), (SEQUENCE,)),
    (op("classtoken"), (Tokens(1, 1, 3),)),
    (op("posembed"), (SEQUENCE,)),
    (op("posembed"), (Tokens(1, 1, 3),)),
    (op("token", 0), (SEQUENCE,)),
    (op("token", 4), (SEQUENCE,)),
    (op("transpose"), (SEQUENCE,)),
    (op("transpose"), (Tokens(1, 1, 3),)),
    (op("attention", 3), (SEQUENCE,)),
    (op("attention", 1), (SEQUENCE,)),
    (op("attention", 12), (SEQUENCE,)),
    (op("attention", 1), (Tokens(1, 1, 2),)),
    (op("windowattention", 2, 3), (Shape(6, 9, 6),)),
    (op("windowattention", 3, 4), (MAP,)),
    (op("windowattention", 2, 4, shift=1), (MAP,)),
    (op("windowattention", 2, 3, shift=2), (MAP,)),
    (op("windowattention", 6, 7, shift=3), (Shape(7, 10, 6),)),
    (op("windowattention", 1, 1), (MAP,)),
    (op("upsample", (2, 3)), (MAP,)),
    (op("todepth", 2), (Shape(4, 6, 3),)),
    (op("todepth", (3, 2)), (MAP,)),
    (op("todepth", 8), (MAP,)),
    (op("padchannels", 8), (MAP,)),
    (op("slice", 2, **{"from": 3}), (MAP,)),
    (op("shuffle", 3), (MAP,)),
    *((op(name), (MAP,)) for name, family in TABLE.items() if family == "activation"),
]


def weights_of(operator: Operator, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    """Positive, and averages over what they sum, so that nothing overflows in a deep network."""
    shapes = {w.role: tuple(map(int, w.shape)) for w in operator.weights(*inputs)}
    return {
        role: (RNG.random(shape, dtype=np.float32) + np.float32(0.5)) / np.float32(prod(shape[:-1]))
        for role, shape in shapes.items()
    }


@pytest.mark.parametrize(("operator", "inputs"), CASES, ids=lambda value: str(value))
def test_execution_counts_what_is_declared(operator: Operator, inputs: tuple[Shape, ...]) -> None:
    counter = Counter()
    arrays = [counted(RNG.standard_normal((1, *map(int, x)), dtype=np.float32), counter) for x in inputs]
    y = run(operator, arrays, weights_of(operator, inputs))
    assert y.shape == (1, *operator.output_shape(*inputs))
    assert y.dtype == np.float32
    declared: dict[str, int] = {}
    for work in operator.work(*inputs):
        declared[work.kind] = declared.get(work.kind, 0) + int(work.total)
    declared["multiplies"] = declared.get("multiplies", 0) + declared.get("products", 0)
    executed = {kind: n for kind, n in counter.counts.items() if n}
    assert executed == {kind: n for kind, n in declared.items() if n}


def test_every_operator_has_a_definition_that_is_executed() -> None:
    assert {operator.name for operator, _ in CASES} == REFERENCE.keys() == TABLE.keys()


def execute(name: str, **settings: Any) -> tuple[Any, Counter]:
    """A whole network on counted arrays."""
    graph = archcalc.load(name, **settings).graph
    counter = Counter()
    values: list[Any] = []
    for node in graph.nodes:
        if not node.inputs:
            shape = (1, *map(int, node.shape))
            values.append(counted(RNG.random(shape, dtype=np.float32), counter))
            continue
        weights = weights_of(node.operator, graph.input_shapes(node))
        values.append(run(node.operator, [values[i] for i in node.inputs], weights))
        assert values[-1].shape[1:] == tuple(node.shape)
    return values[graph.output], counter


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lenet5", {}),
        ("lenet5_1998", {}),
        ("inception", {"bottleneck": 16}),
        ("resnet18", {"input": "64x64x3"}),
        ("resnet50", {"input": "32x32x3"}),
        ("resnet34_pad", {"input": "32x32x3"}),
        ("alexnet", {"input": "67x67x3"}),
        ("vgg11_bn", {"input": "32x32x3"}),
        ("vit_b_32", {"input": "64x96x3", "layers": 2, "width": 96}),
        ("swin_t", {"input": "40x72x3", "c": 24}),
        ("mixer_b_32", {"input": "64x64x3", "layers": 2}),
        ("convnext_tiny", {"input": "32x32x3"}),
    ],
)
def test_whole_networks(name: str, settings: dict[str, Any]) -> None:
    """Executed multiplies, additions, comparisons, …: the census to the last unit."""
    census = archcalc.load(name, **settings).analyze().total.census._asdict()
    _, counter = execute(name, **settings)
    executed = {kind: counter.counts.get(kind, 0) for kind in census}
    assert executed == census


def test_the_inception_branch_by_execution() -> None:
    """120,422,400 against 12,443,648 products, by doing them."""
    before = execute("inception")[1].counts["products"]
    after = execute("inception", bottleneck=16)[1].counts["products"]
    assert before - after == 120_422_400 - 12_443_648
