"""Execute operators that move values, or add some beside them: no products, no temporaries."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from archcalc.execution import reference
from archcalc.execution.fast.workspace import CHUNK
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.embedding import ids_of, waves
from archcalc.execution.reference.joining import aligned, lay
from archcalc.execution.reference.windows import PLACES, taps


def concat(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Lay inputs behind each other along an axis."""
    lay(operator.axis, aligned(operator, inputs), out)


def upsample(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copy each value along each axis."""
    (x,) = inputs
    sides = [size for pair in zip(x.shape[1:-1], operator.factor, strict=True) for size in pair]
    copies = out.reshape(len(x), *sides, x.shape[-1])
    copies[...] = x[:, *[slice(None), None] * len(operator.factor)]


def pad(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copy the map to its place; zeros around it, or axis after axis what the flags repeat."""
    (x,) = inputs
    sides = zip(operator.size, x.shape[1:-1], strict=True)
    if not (operator.reflect or operator.edge):
        out[...] = 0
    out[:, *(slice(before, before + n) for (before, _), n in sides)] = x
    if not (operator.reflect or operator.edge):
        return
    for axis, (before, after) in enumerate(operator.size, 1):
        y, last = np.moveaxis(out, axis, 0), out.shape[axis] - after - 1
        for i in range(1, before + 1):
            y[before - i] = y[before + i * operator.reflect]
        for i in range(1, after + 1):
            y[last + i] = y[last - i * operator.reflect]


def pixelshuffle(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Turn channels into blocks."""
    _blocks(operator, out)[...] = inputs[0].reshape(*inputs[0].shape[:-1], -1, *operator.factor)


def pixelunshuffle(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Turn blocks into channels."""
    blocks = _blocks(operator, inputs[0])
    out.reshape(blocks.shape)[...] = blocks


def _blocks(operator: Any, x: Array) -> Array:
    """Return a view of a large map: images × blocks along each axis × channels × places in a block."""
    sizes = zip(x.shape[1:-1], operator.factor, strict=True)
    cut = x.reshape(len(x), *(part for n, factor in sizes for part in (n // factor, factor)), -1)
    return cut.transpose(0, *range(1, cut.ndim - 1, 2), cut.ndim - 1, *range(2, cut.ndim - 1, 2))


def todepth(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Turn blocks of positions into channels; missing values are 0."""
    (x,) = inputs
    begin, channels = 0, x.shape[-1]
    for place in taps(operator.factor[::-1]):
        steps = zip(place[::-1], operator.factor, strict=True)
        part, y = x[:, *(slice(u, None, step) for u, step in steps)], out[..., begin : begin + channels]
        if part.shape != y.shape:
            y[...] = 0
        y[*map(slice, part.shape)] = part
        begin += channels


def classtoken(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Put a learned token before the others."""
    out[:, 0], out[:, 1:] = weights["weight"], inputs[0]


def posembed(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Add a learned value at each position."""
    np.add(inputs[0], weights["position"][: out.shape[1]], out=out)


def stored(step: np.ufunc) -> Callable[..., None]:
    """Return a kernel that joins what arrives with the tensor of the layer."""

    def kernel(
        operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
    ) -> None:
        step(inputs[0], weights[operator.table], out=out)

    return kernel


def sinusoid(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Add waves to few positions at a time."""
    (x,) = inputs
    step = max(1, CHUNK // x.shape[-1])
    for i in range(0, x.shape[1], step):
        part = x[:, i : i + step]
        np.add(part, waves(part.shape[1], part.shape[2], i).astype(x.dtype), out=out[:, i : i + step])


def embedding(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copy the row of each id."""
    np.take(weights["weight"], ids_of(operator, inputs[0]), axis=0, out=out, mode="clip")


def padchannels(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Add channels of zeros after the others."""
    channels = inputs[0].shape[-1]
    out[..., :channels] = inputs[0]
    out[..., channels:] = 0


def roll(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copy block by block: along each axis what goes on, and what comes in at the beginning."""
    (x,), shift = inputs, int(operator.shift)
    every = range(1, x.ndim - 1) if operator.axis == "positions" else (PLACES[operator.axis] % x.ndim,)
    halves = [[(slice(None), slice(None))] for _ in x.shape]
    for axis in every:
        by = shift % x.shape[axis]
        halves[axis] = [
            (slice(by, None), slice(-by or None)),
            (slice(by), slice(x.shape[axis] - by, None)),
        ]
    for block in product(*halves):
        out[*(to for to, _ in block)] = x[*(source for _, source in block)]


def moved(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Move values by the definition, which is a view and makes no temporary."""
    out[...] = reference.run(operator, inputs, weights)
