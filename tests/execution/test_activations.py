"""Activations against the standard library's math, also where a naive formula overflows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archcalc.execution import reference
from archcalc.operators import FAMILIES, operator_class

VALUES = [-1e30, -1000.0, -90.0, -20.0, -3.0, -0.5, 0.0, 1e-3, 0.7, 2.5, 6.5, 88.0, 1000.0, 1e30]


def logistic(x: float) -> float:
    return 0.5 * (1 + math.tanh(x / 2))


def hard(x: float) -> float:
    return min(max(x + 3, 0), 6) / 6


EXACT: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "clip": lambda x: min(max(x, -0.25), 70),
    "hardtanh": lambda x: min(max(x, -1), 1),
    "leaky": lambda x: x if x > 0 else 0.1 * x,
    "prelu": lambda x: x if x > 0 else 0.75 * x,
    "elu": lambda x: x if x > 0 else 1.5 * math.expm1(x),
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "softplus": lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))),
    "mish": lambda x: x * math.tanh(max(x, 0) + math.log1p(math.exp(-abs(x)))),
    "sigmoid": logistic,
    "tanh": math.tanh,
    "swish": lambda x: x * logistic(x),
    "gelu": lambda x: x / 2 * (1 + math.erf(x / math.sqrt(2))),
    "hsigmoid": hard,
    "hswish": lambda x: x * hard(x),
    "dropout": lambda x: x,
    "droppath": lambda x: x,
}
ARGUMENTS = {"clip": {"low": -0.25, "high": 70}, "elu": {"alpha": 1.5}}


def run(name: str, x: Any) -> Any:
    weights = {"weight": np.full(1, 0.75, np.float32)} if name == "prelu" else {}
    return reference.run(operator_class(name)(**ARGUMENTS.get(name, {})), [x], weights)


def test_none_is_left_out() -> None:
    assert EXACT.keys() == set(FAMILIES["activation"].split()) - {"softmax", "logsoftmax"}


@pytest.mark.parametrize("name", EXACT)
def test_values(name: str) -> None:
    """Within 1e-6 of the argument, or of 1 where it is small; without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(name, np.array(VALUES, np.float32))
    for x, y in zip(VALUES, found.tolist(), strict=True):
        wanted = EXACT[name](float(np.float32(x)))
        assert abs(y - wanted) <= 1e-6 * max(1, abs(x)), x


def test_softmax() -> None:
    """e^0 : e^log 3 = 1 : 3; a thousand more on both changes nothing, a thousand on one decides."""
    rows = np.array([[0, math.log(3)], [1000, 1000 + math.log(3)], [1000, 0]], np.float32)
    found = run("softmax", rows)
    assert np.abs(found - [[0.25, 0.75], [0.25, 0.75], [1, 0]]).max() < 1e-4
    logs = [[math.log(0.25), math.log(0.75)]] * 2 + [[0, -1000]]
    assert np.abs(run("logsoftmax", rows) - logs).max() < 1e-4


def test_one_bound() -> None:
    x = np.array([-3, 0, 3], np.float32)
    clip = operator_class("clip")
    assert reference.run(clip(low=-1), [x], {}).tolist() == [-1, 0, 3]
    assert reference.run(clip(high=-1), [x], {}).tolist() == [-3, -1, -1]


def test_slopes_of_channels() -> None:
    """A slope above 1, and a negative one: -2 · 1.5 and -2 · -0.5."""
    x, weights = np.array([[-2, -2], [4, 5]], np.float32), np.array([1.5, -0.5], np.float32)
    found = reference.run(operator_class("prelu")(), [x], {"weight": weights})
    assert found.tolist() == [[-3, 1], [4, 5]]


def test_gates() -> None:
    """glu: the second half gates; swiglu: the first half does."""
    x = np.array([[3, -2, 0.5, 1]], np.float32)
    glu = [3 * logistic(0.5), -2 * logistic(1)]
    swiglu = [3 * logistic(3) * 0.5, -2 * logistic(-2) * 1]
    assert run("glu", x)[0].tolist() == pytest.approx(glu)
    assert run("swiglu", x)[0].tolist() == pytest.approx(swiglu)
