"""Compute formulas of one value (softmax: of a row), step by step as the operators count them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archcalc.execution.model import Array


def _bounded(x: Array) -> Array:
    """Clip `x` to ±80, far beyond where sigmoid, tanh and erf saturate: guards exp, not in a formula."""
    bounded = np.empty_like(x)
    np.clip(np.asarray(x), -80, 80, out=np.asarray(bounded))
    return bounded


def _sigmoid(x: Array) -> Array:
    return 1 / (np.exp(-_bounded(x)) + 1)


def _tanh(x: Array) -> Array:
    x = _bounded(x)
    rise, fall = np.exp(x), np.exp(-x)
    return (rise - fall) / (rise + fall)


def _relu6(x: Array) -> Array:
    return np.minimum(np.maximum(x, 0), 6)


def _hsigmoid(x: Array) -> Array:
    return _relu6(x + 3) / 6


def _gelu(x: Array) -> Array:
    """Compute x/2 · (1 + erf(x/√2)), erf by Abramowitz & Stegun 7.1.26, accurate to 1.5e-7."""
    z = _bounded(x) * x.dtype.type(0.5**0.5)
    t = 1 / (np.maximum(z, -z) * x.dtype.type(0.3275911) + 1)
    series = t * x.dtype.type(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + x.dtype.type(coefficient)) * t
    erf = np.copysign(1 - series * np.exp(-np.square(z)), z)
    return x * x.dtype.type(0.5) * (erf + 1)


def softmax(x: Array) -> Array:
    """Compute exp(x − largest) / Σ exp(x − largest), which is exp(x) / Σ exp(x) without overflow."""
    rise = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    return rise / np.add.reduce(rise, axis=-1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": _relu6,
    "leaky": lambda x: np.maximum(x, x * x.dtype.type(0.1)),
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "swish": lambda x: x * _sigmoid(x),
    "gelu": _gelu,
    "hsigmoid": _hsigmoid,
    "hswish": lambda x: x * _hsigmoid(x),
    "softmax": softmax,
    "dropout": lambda x: x,
}
