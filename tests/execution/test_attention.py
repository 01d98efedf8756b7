"""Attention and what belongs to it against their formulas, one number at a time."""

from __future__ import annotations

from itertools import product
from math import exp, sqrt
from typing import Any

import numpy as np
import pytest

from archcalc.execution.counted import loops
from archcalc.execution.reference import run
from archcalc.operators import operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(0)
Place = tuple[int, int]


def op(name: str, *required: Any, **optional: Any) -> Operator:
    return operator_class(name)(*required, **optional)


def random(*shape: int) -> Any:
    return RNG.standard_normal(shape, dtype=np.float32)


def weights_of(operator: Operator, x: Shape) -> dict[str, Any]:
    return {w.name: random(*map(int, w.shape)) for w in operator.weights(x)}


def attended(
    x: dict[Place, Any], weights: dict[str, Any], heads: int, sees: Any, bias: Any
) -> dict[Place, Any]:
    """Each place's sum of the values of the places that it sees, weighted by their scores."""
    project = [
        {place: value @ w + b for place, value in x.items()}
        for w, b in (
            (weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in ("query", "key", "value")
        )
    ]
    size, results = len(weights["query.bias"]) // heads, {}
    for q in x:
        parts = []
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            seen = [k for k in x if sees(q, k)]
            rises = [exp(project[0][q][own] @ project[1][k][own] + bias(q, k, head)) for k in seen]
            values = [rise * project[2][k][own] for rise, k in zip(rises, seen, strict=True)]
            parts.append(sum(values) / sum(rises))
        results[q] = np.concatenate(parts) @ weights["output.weight"] + weights["output.bias"]
    return results


def agree(y: Any, expected: dict[Place, Any], width: int) -> None:
    height = max(row for row, _ in expected) + 1
    stacked = np.array([[expected[i, j] for j in range(width)] for i in range(height)])
    np.testing.assert_allclose(y[0], stacked, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_attention(heads: int) -> None:
    operator, tokens = op("attention", heads), Shape(5, 6)
    weights, x = weights_of(operator, tokens), random(1, 5, 6) / 3
    places = {(i, 0): x[0, i].astype(np.float64) for i in range(5)}
    expected = attended(places, weights, heads, lambda q, k: True, lambda q, k, head: 0.0)
    agree(run(operator, [x], weights)[:, :, None], expected, 1)


@pytest.mark.parametrize("shift", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 7), (3, 8), (7, 2)])
def test_window_attention(height: int, width: int, shift: int) -> None:
    """Zeros behind the map; a window begins at `shift`, if there is more than one; nothing wraps."""
    side, heads = 3, 2
    operator = op("windowattention", heads, side, shift=shift)
    weights, x = weights_of(operator, Shape(height, width, 4)), random(1, height, width, 4) / 3
    down, across = (-(-n // side) * side for n in (height, width))
    padded = np.zeros((down, across, 4))
    padded[:height, :width] = x[0]
    begins = [shift if n > side else 0 for n in (down, across)]

    def window(place: Place) -> Place:
        return (place[0] - begins[0]) // side, (place[1] - begins[1]) // side

    def bias(q: Place, k: Place, head: int) -> float:
        return float(weights["position"][q[0] - k[0] + side - 1, q[1] - k[1] + side - 1, head])

    places = {place: padded[place] for place in product(range(down), range(across))}
    y = attended(places, weights, heads, lambda q, k: window(q) == window(k), bias)
    inside = {place: y[place] for place in product(range(height), range(width))}
    agree(run(operator, [x], weights), inside, width)


def test_nan_reaches_the_steps_of_its_token() -> None:
    """The last of n tokens is NaN: its row and its column of scores are, and so every sum of values."""
    n, d, h = 5, 12, 3
    operator = op("attention", h)
    weights, x = weights_of(operator, Shape(n, d)), random(1, n, d)
    x[0, -1] = np.nan
    counts = loops.run(operator, [x], weights).counts
    products = 3 * (n - 1) * d * d + (n - 1) * (n - 1) * d
    assert counts == {
        "products": products,
        "multiplies": products,
        "additions": 3 * (n - 1) * d * (d - 1)  # projections
        + 3 * (n - 1) * d  # their biases
        + (n - 1) * (n - 1) * (d - h)  # scores
        + h * (n - 1) * (n - 1)  # the largest score is subtracted from each
        + h * (n - 1) * (n - 2),  # sums of the softmax, but for the last key
        "comparisons": h * (n - 1) * (n - 1),
        "exponentials": h * (n - 1) * (n - 1),
    }


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_layer_norm(eps: float) -> None:
    """(x − mean) / √(variance + ε) · scale + shift over the channels, by NumPy's own variance."""
    operator, x = op("ln", eps=eps), random(2, 3, 4, 7)
    weights = weights_of(operator, Shape(3, 4, 7))
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    expected = (x - mean) / np.sqrt(variance + eps) * weights["scale"] + weights["shift"]
    np.testing.assert_allclose(run(operator, [x], weights), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(groups: int) -> None:
    """(x − mean) / √(variance + ε) · scale + shift over all positions of a group, by NumPy alone."""
    operator, x = op("groupnorm", groups), random(2, 3, 4, 6)
    weights = weights_of(operator, Shape(3, 4, 6))
    expected = np.empty_like(x)
    for image in range(2):
        for channels in np.split(np.arange(6), groups):
            part = x[image][:, :, channels]
            scaled = (part - part.mean()) / np.sqrt(part.var() + 1e-5)
            expected[image][:, :, channels] = (
                scaled * weights["scale"][channels] + weights["shift"][channels]
            )
    np.testing.assert_allclose(run(operator, [x], weights), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("eps", [1e-5, 0.001, 1.0])
def test_batch_norm_without_variance(eps: float) -> None:
    """(x − mean) / √ε."""
    operator, x = op("bn", noscale=True, eps=eps), random(1, 2, 3, 4)
    mean = np.full(4, 2, np.float32)
    weights = {"shift": np.zeros(4, np.float32), "mean": mean, "variance": np.zeros(4, np.float32)}
    np.testing.assert_allclose(run(operator, [x], weights), (x - 2) / sqrt(eps), rtol=1e-5)


def test_tokens_are_moved() -> None:
    x, weight, position = random(2, 5, 3), random(3), random(6, 3)
    longer = run(op("classtoken"), [x], {"weight": weight})
    assert longer.shape == (2, 6, 3)
    assert (longer[:, 0] == weight).all()
    assert (longer[:, 1:] == x).all()
    placed = run(op("posembed"), [longer], {"position": position})
    assert (placed[1, 4] == longer[1, 4] + position[4]).all()
    assert (run(op("token", 2), [x], {})[:, 0, 0] == x[:, 2]).all()
    mixed = run(op("transpose"), [x], {})
    assert mixed.shape == (2, 3, 5)
    assert mixed[1, 2, 4] == x[1, 4, 2]


def test_neighbors_go_to_depth() -> None:
    """Swin's merging of 2×2: upper left, lower left, upper right, lower right; zeros beyond the map."""
    x = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)  # 1 2 3 / 4 5 6 / 7 8 9
    y = run(op("todepth", 2), [x], {})
    assert y[0].tolist() == [[[1, 4, 2, 5], [3, 6, 0, 0]], [[7, 0, 8, 0], [9, 0, 0, 0]]]
