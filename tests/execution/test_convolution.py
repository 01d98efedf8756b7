"""Convolutions in registers, and what is done on the way with their results, against the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc import compiled
from archcalc.execution import reference
from archcalc.execution.fast.convolution import POSITIONS, cut
from archcalc.execution.fast.finish import Finish
from archcalc.execution.fast.operators import KERNELS, prepare, scratch
from archcalc.execution.fast.product import ROWS, VECTORS, lanes
from archcalc.execution.forward import Forward
from archcalc.execution.weights import make
from archcalc.operators import operator_class

RNG = np.random.default_rng(0)
COLUMNS = VECTORS * lanes(4)


def op(name: str, *required: Any, **optional: Any) -> Any:
    return operator_class(name)(*required, **optional)


def by_kernel(operator: Any, inputs: list[Any], weights: dict[str, Any], dtype: Any) -> Any:
    """The kernel in memory that is full of NaN: what it does not write, or reads unwritten, shows."""
    expected = reference.run(operator, inputs, weights)
    y, x = np.full(expected.shape, np.nan, dtype), inputs[0].shape
    room = np.full(scratch(operator, x, y.shape), np.nan, dtype)
    prepared = prepare(operator, weights, y.shape[3], dtype)
    KERNELS[operator.name](operator, inputs, prepared, y, room)
    return y, expected


def weights_of(operator: Any, channels: int, dtype: Any) -> dict[str, Any]:
    shape = (*operator.k, channels // operator.g, operator.filters)
    sizes = {"weight": shape} if operator.nobias else {"weight": shape, "bias": shape[3:]}
    return {role: RNG.standard_normal(size).astype(dtype) for role, size in sizes.items()}


# every number of vectors, with and without a rest; fewer positions than ROWS, and more than a band has
FILTERS = [1, COLUMNS // 4, COLUMNS // 2 + 1, COLUMNS - 1, COLUMNS, 2 * COLUMNS + 3]
CASES = [
    *((op("conv", filters, k=3, half=True), (7, 9, 5)) for filters in FILTERS),
    *((op("conv", filters, k=3, g=filters, half=True), (7, 9, filters)) for filters in FILTERS[1:]),
    (op("conv", 6), (1, 1, 3)),
    (op("conv", 6, k=3, p=1), (1, 1, 300)),
    (op("conv", 6), (40, POSITIONS // 10, 2)),
    (op("conv", 6, k=(1, 7), s=(2, 3), p=(0, 3), nobias=True), (9, 40, 4)),
    (op("conv", 6, k=3, s=2), (9, 9, 4)),
    (op("conv", 6, k=3, d=(2, 3), half=True), (11, 13, 4)),
    (op("conv", 6, k=4, s=3, same=True), (11, 10, 4)),
    (op("conv", 6, k=5, p=4), (2, 3, 4)),
    (op("conv", 6, k=1, s=2), (9, 8, 200)),
    (op("conv", 6, k=1, p=1), (3, 3, 4)),
    (op("conv", 12, k=3, g=3, s=2, half=True), (9, 9, 6)),
    (op("conv", 12, k=3, g=6, half=True), (9, 9, 6)),
    (op("conv", 6, k=2, g=6), (5, 5, 6)),
    (op("conv", 70, k=5, s=2, d=2, g=70, same=True), (17, 18, 70)),
    (op("conv", 6, k=3, p=1), (5, 700, 3)),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("operator", "shape"), CASES, ids=str)
def test_values(operator: Any, shape: tuple[int, ...], dtype: Any) -> None:
    x = RNG.standard_normal((2, *shape)).astype(dtype)
    y, expected = by_kernel(operator, [x], weights_of(operator, shape[2], dtype), dtype)
    tolerance = 1e-5 if dtype is np.float32 else 1e-13  # of sums of 7,500 products at most
    assert y.dtype == dtype
    assert np.abs(y - expected).max() <= tolerance * np.abs(expected).max()


def test_cases_reach_every_way() -> None:
    """More than one band, bands without a copy, and blocks of one long run and of several short ones."""
    plans = [
        cut(operator, (2, *shape), (2, *operator_shape(operator, shape))) for operator, shape in CASES
    ]
    assert any(plan.rows < plan.y[2] for plan in plans)
    assert {plan.padded == (0, 0, 0) for plan in plans} == {True, False}
    assert {plan.each for plan in plans} == {True, False}
    assert any(plan.rows * plan.y[3] < ROWS for plan in plans)


def operator_shape(operator: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    from archcalc.operators.shape import Shape

    return tuple(map(int, operator.output_shape(Shape(*shape))))


@pytest.mark.parametrize("cut_off", ["kernel", "inputs", "filters"])
def test_weights_of_another_layer_are_refused(cut_off: str) -> None:
    """The compiled loops would read whatever lies behind the array."""
    operator, other = op("conv", COLUMNS + 1, k=3), op("conv", COLUMNS, k=3)
    x = RNG.standard_normal((1, 7, 7, 4)).astype(np.float32)
    y = np.zeros((1, 5, 5, COLUMNS + 1), np.float32)
    weights = weights_of(operator, 4, np.float32)
    weight = weights["weight"]
    parts = {"kernel": weight[:2], "inputs": weight[:, :, :3], "filters": weight[..., :COLUMNS]}
    prepared = prepare(other, {**weights, "weight": parts[cut_off]}, COLUMNS + 1, np.float32)
    room = np.zeros(scratch(operator, x.shape, y.shape), np.float32)
    with pytest.raises(ValueError, match="another convolution"):
        KERNELS["conv"](operator, [x], prepared, y, room)


# What follows a layer


def finish(factor: float, term: float, low: float = -np.inf, high: float = np.inf) -> Finish:
    return Finish(np.full(3, factor, np.float32), np.full(3, term, np.float32), low, high)


def value(what: Finish, x: float) -> float:
    return float(min(max(x * what.factor[0] + what.term[0], what.low), what.high))


@pytest.mark.parametrize("x", [-5.0, -0.5, 0.0, 2.0, 9.0])
def test_two_in_one(x: float) -> None:
    """A bias, a batch norm, relu and relu6, in any order that has the form."""
    bias, norm, relu, relu6 = finish(1, 2), finish(3, -4), finish(1, 0, 0), finish(1, 0, 0, 6)
    for first, second in [(bias, norm), (norm, bias), (norm, relu6), (relu, relu6), (relu6, relu)]:
        both = first.then(second)
        assert both is not None
        assert value(both, x) == value(second, value(first, x))
    assert relu.then(norm) is None
    assert relu6.then(bias) is None


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("vgg11_bn", {"input": "32x32x3"}),
        ("resnet50", {"input": "32x32x3"}),
        ("mobilenet_v2", {"input": "32x32x3"}),
        ("densenet121", {"input": "32x32x3"}),
        ("googlenet", {"input": "64x64x3"}),
    ],
)
def test_chains_give_what_their_layers_give(name: str, settings: dict[str, Any]) -> None:
    """In float64, where roundings are far below any mistake; with fewer steps, or nothing was won."""
    graph = archcalc.load(name, **settings).graph
    forward = Forward(graph, make(graph, "he", 0, "float64"), 1, np.float64)
    for prepared in forward.weights:
        if "finish" in prepared:  # biases of 0 and factors of 1 would hide a mistake
            prepared["finish"].term[:] = RNG.standard_normal(prepared["finish"].term.shape)
            prepared["finish"].factor[:] *= RNG.uniform(0.5, 1.5, prepared["finish"].factor.shape)
    forward.chains = forward._chains()
    image = RNG.standard_normal((1, *map(int, graph.input)))
    alone = {k: v.copy() for k, v in forward.run(image, lambda index, value: None).items()}
    together = forward.run(image)
    assert alone.keys() == together.keys()
    for output, values in together.items():
        assert np.abs(values - alone[output]).max() <= 1e-9 * np.abs(alone[output]).max()
    assert len(forward.chains) < len(graph.nodes) - 1


@pytest.mark.parametrize("name", ["relu", "relu6", "maxpool", "conv", "gap", "add"])
def test_nan_stays(name: str) -> None:
    operator = op(name, *{"maxpool": (2,), "conv": (3,)}.get(name, ()))
    x = RNG.standard_normal((1, 4, 4, 3)).astype(np.float32)
    x[0, 1, 2, 1] = np.nan
    weights = weights_of(operator, 3, np.float32) if name == "conv" else {}
    y, expected = by_kernel(operator, [x, x] if name == "add" else [x], weights, np.float32)
    assert np.isnan(expected).any()
    assert np.array_equal(np.isnan(y), np.isnan(expected))


def test_weights_are_held_once() -> None:
    graph = archcalc.load("lenet5").graph
    weights = make(graph, "he", 0, "float32")
    kept = Forward(graph, weights)
    assert weights
    released = Forward(graph, weights, release=True)
    assert not weights
    image = RNG.standard_normal((1, 32, 32, 1))
    assert np.array_equal(kept.run(image)["output"], released.run(image)["output"])


# Sharing out


def test_shares_are_summed_and_cover_the_length() -> None:
    def kernel(first: int, begin: int, end: int) -> tuple[int, int]:
        return first + sum(range(begin, end)), end - begin

    for length, grain in [(0, 1), (1, 1), (7, 3), (1000, 1), (1000, 400), (10, 0)]:
        assert compiled.spread(kernel, length, 0, grain=grain) == (length * (length - 1) // 2, length)


def test_an_error_in_a_share_is_raised_and_ends_the_others() -> None:
    done = []

    def kernel(begin: int, end: int) -> tuple[int]:
        if begin == 0:
            raise KeyboardInterrupt
        done.append(begin)
        return (0,)

    with pytest.raises(KeyboardInterrupt):
        compiled.spread(kernel, 10**6)
    assert len(done) < compiled.THREADS * compiled.PIECES
