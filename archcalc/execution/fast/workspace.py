"""Set how much memory a kernel works on at a time, and make views of it."""

from __future__ import annotations

from math import prod

from archcalc.execution.model import Array

TILE = 1 << 18  # values that a kernel makes at once for a matrix product: a MiB of float32
CHUNK = 1 << 14  # values that a formula of several steps handles at once


def take(scratch: Array, begin: int, shape: tuple[int, ...]) -> Array:
    """Return a part of the scratch memory in this shape."""
    return scratch[begin : begin + prod(shape)].reshape(shape)


def flat(y: Array) -> Array:
    """Return the view positions × channels."""
    return y.reshape(-1, y.shape[-1])
