"""Resize maps row by row: one axis after the other, with temporaries of a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.fast import moving
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.resizing import sides_of


def upsample(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copy values, or blend them."""
    way = resample if operator.taps > 1 else moving.upsample
    way(operator, inputs, weights, out, scratch)


def resample(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Blend rows with their shares, then values within a row."""
    _along(inputs[0], sides_of(operator, inputs), out)


def _along(x: Array, sides: list[tuple[Array, Array]], out: Array) -> None:
    (places, shares), *others = sides
    shares = shares.astype(x.dtype)
    if not others:
        _blend([x[:, at] for at in places.T], shares.T[:, :, None], out)
        return
    for i, row in enumerate(places):
        if len(row) == 1:
            _along(x[:, row[0]], others, out[:, i])
            continue
        blended = np.empty_like(x[:, 0])
        _blend([x[:, at] for at in row], shares[i], blended)
        _along(blended, others, out[:, i])


def _blend(parts: list[Array], shares: Array, out: Array) -> None:
    if len(parts) == 1:
        out[...] = parts[0]
        return
    np.multiply(parts[0], shares[0], out=out)
    for part, share in zip(parts[1:], shares[1:], strict=True):
        out += part * share
