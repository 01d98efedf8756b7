"""Move values by definition: no arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference import windows


def flatten(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Flatten all values into one vector: row by row, channels last."""
    return inputs[0].reshape(inputs[0].shape[0], 1, 1, -1)


def pad(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Put zeros around the map, or read it at places mirrored or moved inside."""
    (x,) = inputs
    if not (operator.reflect or operator.edge):
        before, after = zip(*operator.size, strict=True)
        return windows.pad(x, before, after)
    for axis, (before, after) in enumerate(operator.size, 1):
        last = x.shape[axis] - 1
        places = np.arange(-before, last + after + 1)
        inside = last - abs(last - abs(places)) if operator.reflect else places.clip(0, last)
        x = x[(slice(None),) * axis + (inside,)]
    return x


def crop(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take what is left between the ends."""
    sides = zip(operator.size, inputs[0].shape[1:-1], strict=True)
    return inputs[0][:, *(slice(first, n - last) for (first, last), n in sides)]


def pixelshuffle(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Set the channels of one output channel to their places, row by row."""
    (x,) = inputs
    places = list(windows.taps(operator.factor))
    sizes = (n * factor for n, factor in zip(x.shape[1:-1], operator.factor, strict=True))
    y = np.empty_like(x, shape=(len(x), *sizes, x.shape[-1] // len(places)))
    for number, place in enumerate(places):
        y[:, *_every(place, operator.factor)] = x[..., number :: len(places)]
    return y


def pixelunshuffle(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take each place of every block as a channel, row by row."""
    (x,) = inputs
    places = list(windows.taps(operator.factor))
    sizes = (n // factor for n, factor in zip(x.shape[1:-1], operator.factor, strict=True))
    y = np.empty_like(x, shape=(len(x), *sizes, x.shape[-1] * len(places)))
    for number, place in enumerate(places):
        y[..., number :: len(places)] = x[:, *_every(place, operator.factor)]
    return y


def _every(place: tuple[int, ...], factor: tuple[int, ...]) -> Iterator[slice]:
    """Return the places from one in a block on, in all blocks."""
    return (slice(u, None, step) for u, step in zip(place, factor, strict=True))


def todepth(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Turn blocks into channels; vertical neighbors come before horizontal ones."""
    (x,) = inputs
    sides = [(-n % factor, factor) for n, factor in zip(x.shape[1:-1], operator.factor, strict=True)]
    x = windows.pad(x, [0] * len(sides), [more for more, _ in sides])
    sizes = (part for n, (_, f) in zip(x.shape[1:-1], sides, strict=True) for part in (n // f, f))
    cut = x.reshape(len(x), *sizes, x.shape[-1])
    places, inside = range(1, cut.ndim - 1, 2), range(cut.ndim - 2, 0, -2)
    cut = cut.transpose(0, *places, *inside, cut.ndim - 1)
    return cut.reshape(*cut.shape[: 1 + len(sides)], -1)


def padchannels(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add zeros after the channels."""
    (x,) = inputs
    y = np.zeros_like(x, shape=(*x.shape[:-1], operator.channels))
    y[..., : x.shape[-1]] = x
    return y


def slice_(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Take some of the channels, or of the places along another axis."""
    return windows.part(inputs[0], operator.axis, operator.start, operator.size)


def shuffle(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Deal the channels out over the groups."""
    (x,) = inputs
    dealt = x.reshape(*x.shape[:-1], operator.groups, -1)
    return dealt.swapaxes(-1, -2).reshape(x.shape)
