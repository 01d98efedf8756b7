"""What norms and slopes learn at 64 channels, their values in NumPy written out, and all verified."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.operator_cases import op, weights_of

import archcalc
from archcalc.execution import reference
from archcalc.execution.inputs import seeded_input
from archcalc.execution.verify import prove
from archcalc.execution.weights import make
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(11)
INPUTS = ["28x64", "7x9x64", "3x4x5x64"]
LEARNED = [  # a norm, its parameters, its running statistics
    ("groupnorm 8", 64 + 64, 0),
    ("instancenorm", 64 + 64, 0),
    ("instancenorm noscale", 64, 0),
    ("instancenorm noscale noshift", 0, 0),
    ("rmsnorm", 64, 0),
    ("rmsnorm noscale", 0, 0),
    ("bn", 64 + 64, 64 + 64),
    ("bn noscale", 64, 64 + 64),
    ("bn noscale noshift", 0, 64 + 64),
    ("ln noshift", 64, 0),
    ("prelu", 64, 0),
    ("prelu shared", 1, 0),
]


@pytest.mark.parametrize("size", INPUTS)
@pytest.mark.parametrize(("norm", "parameters", "statistics"), LEARNED)
def test_what_is_learned(norm: str, parameters: int, statistics: int, size: str) -> None:
    total = archcalc.load(f"{size} | {norm}").analyze().total
    assert (total.parameters, total.statistics) == (parameters, statistics)


def normalized(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


@pytest.mark.parametrize("x", [Shape(28, 6), Shape(7, 9, 6), Shape(3, 4, 5, 6)], ids=str)
def test_values(x: Shape) -> None:
    """Instance norm takes each channel's positions together, RMS norm each position's channels."""
    array = RNG.standard_normal((2, *x)).astype(np.float32)
    axes = tuple(range(1, array.ndim - 1))
    for norm in (op("instancenorm", eps=0.25), op("instancenorm", eps=0.25, noscale=True, noshift=True)):
        weights = weights_of(norm, (x,))
        wanted = normalized(array, axes, 0.25) * weights.get("scale", 1) + weights.get("shift", 0)
        np.testing.assert_allclose(reference.run(norm, [array], weights), wanted, atol=1e-5)
    norm = op("rmsnorm", eps=0.25)
    weights = weights_of(norm, (x,))
    wanted = array / np.sqrt((array**2).mean(-1, keepdims=True) + 0.25) * weights["scale"]
    np.testing.assert_allclose(reference.run(norm, [array], weights), wanted, atol=1e-5)


WORDS = (
    "conv 6 k3 half | instancenorm | prelu | rmsnorm | elu alpha={0.5} | glu | softplus",
    "bn noscale noshift",
    "conv 8 | clip low={-1} high={2} | swiglu | groupnorm 2 noshift | mish | prelu shared | droppath",
    "selu | hardtanh | leaky slope={0.01} | instancenorm noscale noshift | logsoftmax",
)


@pytest.mark.parametrize("size", ["9x6", "5x7x6", "3x4x5x6"])
def test_every_check_holds(size: str) -> None:
    """Definition, loops, kernels and the arena agree on parameters, census, values and bytes."""
    graph = archcalc.load(f"{size} | {' | '.join(WORDS)}").graph
    proof = prove(graph, make(graph), seeded_input(graph.input, 1, 0)[0])
    assert (proof.failures, proof.left_out, proof.skipped) == ((), (), "")
