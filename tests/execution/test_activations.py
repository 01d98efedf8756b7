"""Activations against the standard library's math, also where a naive formula overflows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from archcalc.execution.reference.activation import ACTIVATIONS

VALUES = [-1e30, -1000.0, -90.0, -20.0, -3.0, -0.5, 0.0, 1e-3, 0.7, 2.5, 6.5, 88.0, 1000.0, 1e30]


def logistic(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))


def hard(x: float) -> float:
    return min(max(x + 3, 0), 6) / 6


EXACT: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "leaky": lambda x: x if x > 0 else 0.1 * x,
    "sigmoid": logistic,
    "tanh": math.tanh,
    "swish": lambda x: x * logistic(x),
    "gelu": lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
    "hsigmoid": hard,
    "hswish": lambda x: x * hard(x),
    "dropout": lambda x: x,
}


def test_none_is_left_out() -> None:
    assert EXACT.keys() == ACTIVATIONS.keys() - {"softmax"}


@pytest.mark.parametrize("name", EXACT)
def test_values(name: str) -> None:
    """Within 1e-6 of the argument, or of 1 where it is small; without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ACTIVATIONS[name](np.array(VALUES, np.float32))
    for x, y in zip(VALUES, found.tolist(), strict=True):
        wanted = EXACT[name](float(np.float32(x)))
        assert abs(y - wanted) <= 1e-6 * max(1, abs(x)), x


def test_softmax() -> None:
    """e^0 : e^log 3 = 1 : 3; a thousand more on both changes nothing, a thousand on one decides."""
    rows = np.array([[0, math.log(3)], [1000, 1000 + math.log(3)], [1000, 0]], np.float32)
    found = ACTIVATIONS["softmax"](rows)
    assert np.abs(found - [[0.25, 0.75], [0.25, 0.75], [1, 0]]).max() < 1e-4
