"""Compute one axis of a join's receptive field: the union of its branches, or their concatenation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lcm

from archcalc.analysis.field_axis import LONGEST_PERIOD, Ends, FieldAxis, hull
from archcalc.symbols import Int

# the field (None: the whole image), and whether the branches are aligned: equal strides and centers
Joined = tuple[FieldAxis | None, bool]


def shifted(source: FieldAxis, by: int) -> FieldAxis:
    """Return the field of a map without its first `by` values."""
    if by == 0:
        return source
    ends = tuple(source.seen(o + by) for o in range(len(source.ends)))
    return FieldAxis(ends, source.advance, max(source.outputs - by, 0))


def rolled(source: FieldAxis, shift: Int, inputs: Int) -> FieldAxis | None:
    """Return the field of a map of `inputs` values that is rolled by `shift`; None: the whole image."""
    if isinstance(shift, int) and shift == 0:
        return source
    size, by = int(inputs), int(shift)
    return source if by % size == 0 else listed(source, size, lambda o: source.seen((o - by) % size))


def union(axes: Sequence[FieldAxis]) -> Joined:
    """Return what an output sees through any of the branches."""
    one = axes[0]
    if axes.count(one) == len(axes):
        return one, True
    period = lcm(*[len(axis.ends) for axis in axes])
    if period > LONGEST_PERIOD:
        return None, False
    advances = [axis.advance * period // len(axis.ends) for axis in axes]
    seen = [axis.over(period) for axis in axes]
    ends = tuple(map(hull, zip(*seen, strict=True)))
    centers = [sum(map(sum, filter(None, of_axis))) for of_axis in seen]
    aligned = len(set(advances)) == 1 and all(center == centers[0] for center in centers)
    outputs = max([axis.outputs for axis in axes])
    return FieldAxis(ends, advances[0], outputs), aligned


def stretched(axes: Sequence[FieldAxis], ones: Sequence[FieldAxis], outputs: int) -> Joined:
    """Return the union of `axes` with branches of a single value, which are broadcast to all outputs."""
    joined, aligned = union(axes)
    if joined is None:
        return None, aligned
    everywhere = [one.seen(0) for one in ones]
    return listed(joined, outputs, lambda o: hull([joined.seen(o), *everywhere])), aligned


def behind(axes: Sequence[FieldAxis], sizes: Sequence[int]) -> Joined:
    """Return the field of branches concatenated along the axis, which have so many values each.

    They are aligned if each continues where the one before it ends.
    """
    places = [(axis, o) for axis, size in zip(axes, sizes, strict=True) for o in range(size)]
    one = axes[0]
    if len(places) > LONGEST_PERIOD:
        return None, False
    joined = listed(one, len(places), lambda o: places[o][0].seen(places[o][1]))
    whole = all(axis.seen(o) == one.seen(number) for number, (axis, o) in enumerate(places))
    return joined, whole


def listed(source: FieldAxis, outputs: int, seen: Callable[[int], Ends | None]) -> FieldAxis | None:
    """Return an axis of so many outputs that see `seen(output)`, with the stride of `source`."""
    period = -(-outputs // len(source.ends)) * len(source.ends)
    if period > LONGEST_PERIOD:
        return None
    ends = (seen(o) if o < outputs else source.seen(o) for o in range(period))
    return FieldAxis(tuple(ends), source.advance * (period // len(source.ends)), outputs)
