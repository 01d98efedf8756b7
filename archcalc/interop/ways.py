"""Track the batch: axes as ordered products of factors, one of which may be the batch.

Swin's windows are the axis (images, windows). A view cuts the row of all factors anew, a permutation
moves axes, everything else keeps an axis, adds one or takes one away. What mixes images raises an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from archcalc.interop.trace import Shape
from archcalc.tuples import NamedTuple

Factor = tuple[int, bool]  # its size, and whether it is the batch
Axis = tuple[Factor, ...]
Way = tuple[Axis, ...]


class MixedImagesError(Exception):
    """The images are mixed, or split, in a way that cannot be followed."""


class Carried(NamedTuple):
    """An operation with shapes, and the ways of those inputs that carry the batch."""

    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape, ...]
    ways: tuple[Way | None, ...]
    attributes: Mapping[str, Any]

    def way(self, position: int) -> Way | None:
        """Return the way of an input, None if it has no batch or is left out."""
        return self.ways[position] if position < len(self.ways) else None

    def rank(self, position: int) -> int:
        """Return how many axes an input has."""
        return len(self.inputs[position] or ())

    def dims(self, rank: int) -> set[int] | None:
        """Return the axes of the attribute dim, from 0; None where there is none."""
        dim = self.attributes.get("dim")
        if dim is None:
            return None
        dims = {d % rank for d in ((dim,) if isinstance(dim, int) else dim)} if rank else set()
        return dims or None


def plain(size: int) -> Axis:
    """Return an axis without the batch."""
    return ((size, False),)


def size_of(axis: Axis) -> int:
    """Return the extent of an axis, or of what is left of it."""
    return prod(size for size, _ in axis)


def has_batch(axis: Axis) -> bool:
    """Return whether the batch is a factor of it."""
    return any(batch for _, batch in axis)


def placed(shape: Shape, axes: Mapping[int, list[Axis]]) -> Way | None:
    """Return an output's way from those of its axes; axes of the batch must have kept their size."""
    way = [plain(size) for size in shape]
    found = 0
    for at, candidates in axes.items():
        carrying = {axis for axis in candidates if has_batch(axis)}
        if not carrying:
            continue
        axis = carrying.pop()
        if carrying or not 0 <= at < len(shape) or size_of(axis) != shape[at]:
            raise MixedImagesError
        way[at], found = axis, found + 1
    if found > 1:
        raise MixedImagesError
    return tuple(way) if found else None


def from_right(op: Carried, shape: Shape, inputs: range | None = None) -> Way | None:
    """Align axes from the last: elementwise, broadcast, changes of other axes only."""
    axes: dict[int, list[Axis]] = {}
    for way in (op.ways[i] for i in (inputs or range(len(op.ways)))):
        for at, axis in enumerate(way or ()):
            axes.setdefault(at - len(way or ()) + len(shape), []).append(axis)
    return placed(shape, axes)


def from_left(op: Carried, shape: Shape) -> Way | None:
    """Align axes of the first input from the first: pools, linear layers, axes added at the end."""
    if any(way is not None for way in op.ways[1:]) and op.ways[0] is None:
        raise MixedImagesError
    return placed(shape, {at: [axis] for at, axis in enumerate(op.way(0) or ())})


def view(op: Carried, shape: Shape) -> Way | None:
    """Cut the row of factors anew; the batch is never cut."""
    row = _merged([factor for axis in op.way(0) or () for factor in axis])
    way: list[Axis] = []
    for size in shape:
        axis: list[Factor] = []
        while (left := size // max(size_of(tuple(axis)), 1)) > 1 and row:
            count, batch = row.pop(0)
            if left % count == 0:
                axis.append((count, batch))
            elif count % left == 0 and not batch:
                axis.append((left, False))
                row.insert(0, (count // left, False))
            else:
                raise MixedImagesError
        way.append(tuple(_merged(axis)) or plain(1))
    if row or tuple(map(size_of, way)) != shape:
        raise MixedImagesError
    return tuple(way)


def _merged(factors: list[Factor]) -> list[Factor]:
    """Merge neighbors without the batch into one factor, so that equal axes are written alike."""
    found: list[Factor] = []
    for count, batch in factors:
        if not batch and found and not found[-1][1]:
            found[-1] = (found[-1][0] * count, False)
        elif batch or count != 1:
            found.append((count, batch))
    return found
