"""Compute formulas of one value (softmax, gates: of a row), step by step as the operators count them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017


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


def clip(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Keep values between the bounds that are given."""
    (x,) = inputs
    if operator.low is not None:
        x = np.maximum(x, x.dtype.type(operator.low))
    return x if operator.high is None else np.minimum(x, x.dtype.type(operator.high))


def leaky(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take the larger of x and slope·x."""
    (x,) = inputs
    return np.maximum(x, x * x.dtype.type(operator.slope))


def prelu(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply negative values by their channel's slope."""
    return _rectified(inputs[0], lambda low: low * weights["weight"])


def elu(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Bring negative values to alpha · (exp(x) − 1)."""
    return _elu(inputs[0], operator.alpha)


def _elu(x: Array, alpha: float) -> Array:
    return _rectified(x, lambda low: np.expm1(low) * x.dtype.type(alpha))


def _rectified(x: Array, negative: Callable[[Array], Array]) -> Array:
    """Return x where it is positive, else the function of it; the comparison is that with 0."""
    y = negative(np.minimum(x, 0))
    np.copyto(y, x, where=~np.signbit(np.asarray(x)))
    return y


def _log1p_exp(x: Array) -> Array:
    return np.log1p(np.exp(_bounded(x)))


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


def _log_softmax(x: Array) -> Array:
    below = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    return below - np.log(np.add.reduce(np.exp(below), axis=-1, keepdims=True))


def _halves(x: Array) -> tuple[Array, Array]:
    half = x.shape[-1] // 2
    return x[..., :half], x[..., half:]


def _glu(x: Array) -> Array:
    first, second = _halves(x)
    return first * _sigmoid(second)


def _swiglu(x: Array) -> Array:
    first, second = _halves(x)
    return first * _sigmoid(first) * second


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": _relu6,
    "hardtanh": lambda x: np.minimum(np.maximum(x, -1), 1),
    "selu": lambda x: _elu(x, SELU_ALPHA) * x.dtype.type(SELU_SCALE),
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": lambda x: np.maximum(x, _log1p_exp(x)),
    "swish": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * _tanh(_log1p_exp(x)),
    "gelu": _gelu,
    "hsigmoid": _hsigmoid,
    "hswish": lambda x: x * _hsigmoid(x),
    "softmax": softmax,
    "logsoftmax": _log_softmax,
    "dropout": lambda x: x,
    "droppath": lambda x: x,
    "glu": _glu,
    "swiglu": _swiglu,
}
