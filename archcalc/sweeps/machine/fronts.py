"""Keep the Pareto front, or the best by one metric, of a stream of points.

All objectives are minimized. Points are columns of [objective, point]. Results do not depend on the
order of arrival: among equals the smallest number stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
MOST_SLOW = 10_000  # members of a front of more than three objectives, which meets them one by one
MOST_OFFERS = 256  # of a chunk to a front that is full
STRONGEST = 16  # members of a front that every chunk meets first: they dominate nearly everything


class Front:
    """Points that no other dominates: none is as small in all objectives and smaller in one.

    Attributes:
        values, numbers, counts: of each member its objectives, its smallest point, and how many points
            have the same objectives.
        dropped: whether points were turned away because the front was full: then it is not complete.
    """

    def __init__(self, objectives: int, most: int) -> None:
        self.most, self.dropped = most if objectives <= 3 else min(most, MOST_SLOW), False
        self.values: Array = np.empty((objectives, 0), np.int64)
        self.numbers: Array = np.empty(0, np.int64)
        self.counts: Array = np.empty(0, np.int64)

    def add(self, values: Array, numbers: Array, counts: Array | None = None) -> None:
        """Add points, or members of another front with their counts."""
        idle = [0]
        for i in range(min(STRONGEST, self.values.shape[1])):
            covered = _all(values, self.values[:, i], np.greater_equal)
            those = np.flatnonzero(covered)
            equal = those[_all(values[:, those], self.values[:, i], np.equal)]
            self._meet(i, numbers[equal], None if counts is None else counts[equal])
            idle.append(len(those))
            left = np.flatnonzero(~covered)
            values, numbers = values[:, left], numbers[left]
            counts = None if counts is None else counts[left]
            if not len(numbers):
                break
        self._promote(int(np.argmax(idle)) - 1)
        counts = np.ones(len(numbers), np.int64) if counts is None else counts
        if len(values) in (2, 3):
            self._merge(values, numbers, counts)
            return
        for i, one in enumerate(_front(*_distinct(values, numbers, counts))):
            if i >= MOST_OFFERS and len(self.numbers) >= self.most:
                self.dropped = True
                return
            self._offer(*one)

    def surpasses(self, bounds: Sequence[int]) -> bool:
        """Return whether a member beats every point whose objectives are at least these."""
        least = np.array(bounds, object)
        covers = _all(self.values, least, np.less_equal)
        return bool((covers & ~_all(self.values, least, np.equal)).any())

    def _merge(self, values: Array, numbers: Array, counts: Array) -> None:
        """Find the front of two or three objectives by sorting, fast even if every point is on it."""
        if len(values) == 2:
            values, numbers, counts = self._climb(values, numbers, counts)
        if not len(numbers):
            return
        values, numbers, counts = _apart(
            np.concatenate([self.values, values], axis=1),
            np.concatenate([self.numbers, numbers]),
            np.concatenate([self.counts, counts]),
        )
        on = _lower(values[1]) if len(values) == 2 else _on_stairs(*values[1:].tolist())
        if len(on) > self.most:  # from end to end, some
            self.dropped = True
            on = on[np.linspace(0, len(on) - 1, self.most).astype(np.int64)]
        self.values, self.numbers, self.counts = values[:, on], numbers[on], counts[on]

    def _climb(self, values: Array, numbers: Array, counts: Array) -> tuple[Array, Array, Array]:
        """Return the points that no member covers: the one to the left of each is the lowest there."""
        if not len(self.numbers):
            return values, numbers, counts
        order = np.argsort(self.values[0], kind="stable")
        at = np.searchsorted(self.values[0][order], values[0], "right") - 1
        members = order[at]
        covered = (at >= 0) & np.asarray(self.values[1][members] <= values[1], bool)
        equal = np.flatnonzero(covered & np.asarray((self.values[:, members] == values).all(0), bool))
        np.add.at(self.counts, members[equal], counts[equal])
        np.minimum.at(self.numbers, members[equal], numbers[equal])
        return values[:, ~covered], numbers[~covered], counts[~covered]

    def _promote(self, member: int) -> None:
        """Sort the members that dominate most to the front."""
        if member > 0:
            order = np.arange(len(self.numbers))
            order[[0, member]] = member, 0
            self.values, self.numbers, self.counts = (
                self.values[:, order],
                self.numbers[order],
                self.counts[order],
            )

    def _meet(self, member: int, numbers: Array, counts: Array | None) -> None:
        """Count points with the objectives of a member."""
        if len(numbers):
            self.counts[member] += len(numbers) if counts is None else counts.sum()
            self.numbers[member] = min(self.numbers[member], numbers.min())

    def _offer(self, values: Array, number: int, count: int) -> None:
        covers = _all(self.values, values, np.less_equal)
        if covers.any():
            same = np.flatnonzero(covers & _all(self.values, values, np.equal))
            if len(same):
                self._meet(int(same[0]), np.array([number]), np.array([count]))
            return
        kept = ~_all(self.values, values, np.greater_equal)
        if kept.sum() >= self.most:
            self.dropped = True
            return
        self.values = np.concatenate([self.values[:, kept], values[:, None]], axis=1)
        self.numbers = np.append(self.numbers[kept], number)
        self.counts = np.append(self.counts[kept], count)


def _lower(values: Array) -> Array:
    """Return where a value is below all before it."""
    return np.flatnonzero([True, *(values[1:] < np.minimum.accumulate(values)[:-1])])


def _on_stairs(ys: Sequence[int], zs: Sequence[int]) -> Array:
    """Return which points no earlier one covers, as (y, z); so points in the order of a third objective.

    What may cover later points are stairs: the lower the z, the larger the y.
    """
    on: list[int] = []
    left: list[int] = []  # the y of each step, from left to right
    heights: list[int] = []
    for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
        at = bisect_right(left, y)
        if at and heights[at - 1] <= z:
            continue
        on.append(i)
        begin = at - 1 if at and left[at - 1] == y else at
        end = at
        while end < len(left) and heights[end] >= z:
            end += 1
        left[begin:end] = [y]
        heights[begin:end] = [z]
    return np.array(on, np.int64)


def stacked(rows: Sequence[Array]) -> Array:
    """Return objectives [objective, point] from those of each row."""
    return np.array(rows)


def _all(rows: Array, values: Array, compare: Any) -> Array:
    """Return where the comparison holds for every row's value."""
    found: Array = np.asarray(compare(rows[0], values[0]), bool)
    for row, value in zip(rows[1:], values[1:], strict=True):
        found &= np.asarray(compare(row, value), bool)
    return found


def _distinct(values: Array, numbers: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Keep each point once, with its smallest number and the sum of its counts, before all it dominates.

    Small sums come first: they beat most. Sums of floats keep the order of what is summed, and where
    they tie the order of the objectives decides.
    """
    values, numbers, counts = _apart(values, numbers, counts)
    order = np.argsort(values.astype(float).sum(axis=0), kind="stable")
    return values[:, order], numbers[order], counts[order]


def _apart(values: Array, numbers: Array, counts: Array) -> tuple[Array, Array, Array]:
    """Keep each point once, with its smallest number and summed counts, by objectives in turn."""
    if not len(numbers):
        return values, numbers, counts
    order = _order(values, numbers)
    values, numbers, counts = values[:, order], numbers[order], counts[order]
    starts = np.flatnonzero([True, *(values[:, 1:] != values[:, :-1]).any(axis=0)])
    return values[:, starts], numbers[starts], np.add.reduceat(counts, starts)


def _order(values: Array, numbers: Array) -> Array:
    """Return the order by objectives from first to last, then by number."""
    if values.dtype != object:
        return np.lexsort([numbers, *values[::-1]])
    rows = list(zip(*values.tolist(), numbers.tolist(), strict=True))
    return np.array(sorted(range(len(rows)), key=rows.__getitem__), np.intp)


def _front(values: Array, numbers: Array, counts: Array) -> Iterator[tuple[Array, int, int]]:
    """Yield the points that no earlier one covers."""
    while len(numbers):
        yield values[:, 0], int(numbers[0]), int(counts[0])
        left = ~_all(values, values[:, 0], np.greater_equal)
        values, numbers, counts = values[:, left], numbers[left], counts[left]


class Best:
    """Return the `most` points with the smallest value; among equals, the smallest numbers."""

    def __init__(self, most: int) -> None:
        self.most, self.dropped = most, False
        self.values: Array = np.empty(0, np.int64)
        self.numbers: Array = np.empty(0, np.int64)

    def surpasses(self, bounds: Sequence[int]) -> bool:
        """Return whether there are enough points better than this."""
        return len(self.values) == self.most and bool(self.values[-1] < bounds[0])

    def add(self, values: Array, numbers: Array) -> None:
        if len(self.values) == self.most:
            likely = values <= self.values[-1]
            values, numbers = values[likely], numbers[likely]
        values = np.concatenate([self.values, values])
        numbers = np.concatenate([self.numbers, numbers])
        order = _order(values[None], numbers)[: self.most]
        self.values, self.numbers = values[order], numbers[order]
