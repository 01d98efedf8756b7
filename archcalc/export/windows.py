"""Compute explicit padding of windows, before and after each axis, as other formats need it."""

from __future__ import annotations

from typing import Any

from archcalc.operators.shape import Shape

Sides = tuple[tuple[int, int], ...]


def sides(operator: Any, x: Shape) -> Sides:
    """Return the padding of each axis that the windows reach."""
    found = []
    outputs, zeros = operator.outputs(x, x.channels), operator.before(x)
    for at, before in enumerate(map(int, zeros)):
        stride, span = int(operator.s[at]), int(operator.d[at]) * (int(operator.k[at]) - 1) + 1
        behind = (int(outputs[at]) - 1) * stride + span - int(x[at]) - before
        found.append((before, max(behind, 0)))
    return tuple(found)


def declared(operator: Any, x: Shape) -> Sides:
    """Return the padding that the spec declares; rounding up may need more after an axis."""
    if operator.half:
        halves = (int(d) * (int(k) - 1) // 2 for k, d in zip(operator.k, operator.d, strict=True))
        return tuple((half, half) for half in halves)
    return sides(operator, x) if operator.same else tuple((int(a), int(b)) for a, b in operator.p)


def counts_zeros(operator: Any) -> bool:
    """Return whether a mean counts the zeros of the padding."""
    return bool(operator.zeros or not (operator.nozeros or operator.same))


def hangs_over(operator: Any, x: Shape) -> bool:
    """Return whether windows reach beyond the padding that the spec declares."""
    pairs = zip(sides(operator, x), declared(operator, x), strict=True)
    return any(needed[1] > given[1] for needed, given in pairs)
