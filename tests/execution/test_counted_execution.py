"""What NumPy really does, counted by the runtime, is what the operators declare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.operator_cases import CASES, arrays_of, weights_of

import archcalc
from archcalc.execution.counted.arrays import Counter, counted
from archcalc.execution.reference import REFERENCE, run
from archcalc.operators import TABLE
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("operator", "inputs"), CASES, ids=lambda value: str(value))
def test_execution_counts_what_is_declared(operator: Operator, inputs: tuple[Shape, ...]) -> None:
    counter = Counter()
    arrays = [counted(array, counter) for array in arrays_of(operator, inputs)]
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
