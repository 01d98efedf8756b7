"""Align two sequences by a longest common subsequence: the O(ND) algorithm of Myers (1986)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

STEPS = 4_000_000  # of a search, about a second; a longer one takes the best alignment found
FEWEST, MOST = 32, 1500  # edits of a search

Match = tuple[int, int]


def matches(a: Sequence[int], b: Sequence[int]) -> list[Match]:
    """Return pairs of indices of equal items, increasing in both: as many as possible, if few differ."""
    start, ends = 0, [len(a), len(b)]
    while start < min(ends) and a[start] == b[start]:
        start += 1
    while min(ends) > start and a[ends[0] - 1] == b[ends[1] - 1]:
        ends = [end - 1 for end in ends]
    found = [(i, i) for i in range(start)]
    i = j = start
    most = max(FEWEST, min(MOST, STEPS // (len(a) + len(b) + 1)))
    while i < ends[0] and j < ends[1]:
        pairs, (i, j) = _search(a, b, (i, j), (ends[0], ends[1]), most)
        found += pairs
    return found + list(zip(range(ends[0], len(a)), range(ends[1], len(b)), strict=True))


def _search(
    a: Sequence[int], b: Sequence[int], start: Match, end: Match, most: int
) -> tuple[list[Match], Match]:
    """Return the pairs of a shortest edit to `end`, or after `most` edits those that got farthest."""
    (x0, y0), (x1, y1) = start, end
    reached = {1: x0}
    trace: list[dict[int, int]] = []
    shift = x0 - y0
    for edits in range(most + 1):
        trace.append(dict(reached))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            y = x - k - shift
            while x < x1 and y < y1 and a[x] == b[y]:
                x, y = x + 1, y + 1
            reached[k] = x
            if x >= x1 and y >= y1:
                return _back(trace, k, (x, y), start), end
    ways = range(-most, most + 1, 2)
    inside = [k for k in ways if reached[k] <= x1 and reached[k] - k - shift <= y1]
    if not inside:
        return [], end
    best = max(inside, key=lambda k: 2 * reached[k] - k)
    x, y = reached[best], reached[best] - best - shift
    return _back(trace, best, (x, y), start), (x, y)


def _back(trace: list[dict[int, int]], k: int, at: Match, start: Match) -> list[Match]:
    """Return the pairs on the path from `start` to `at`, in order, from the trace of the search."""
    x, y = at
    pairs: list[Match] = []
    for edits in range(len(trace) - 1, -1, -1):
        before = trace[edits]
        down = k == -edits or (k != edits and before[k - 1] < before[k + 1])
        came = before[k + 1] if down else before[k - 1] + 1
        came = came if edits else start[0]
        while x > came:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        k += 1 if down else -1
        x, y = (x, y - 1) if down else (x - 1, y)
    return pairs[::-1]


def settled(
    found: list[Match], b: Sequence[int], end: Match, cost: Callable[[int, int], Any]
) -> list[Match]:
    """Return the pairs with each run that only `b` has at the place of the least cost.

    A run b[start:stop] may slide over items that repeat its own. `cost(start, stop)` compares its
    places; the last of the cheapest is taken.
    """
    pairs = [(-1, -1), *found, end]
    n = 0
    while n + 1 < len(pairs):
        (x, start), stop = pairs[n], pairs[n + 1][1]
        start += 1
        if pairs[n + 1][0] == x + 1 and stop > start:
            down = _room(pairs, b, n, 1, (start, stop))
            up = _room(pairs, b, n, -1, (start - 1, stop - 1))
            by = min(range(-up, down + 1), key=lambda d: (cost(start + d, stop + d), -d))
            for t in range(by):
                pairs[n + 1 + t] = pairs[n + 1 + t][0], start + t
            for t in range(-by):
                pairs[n - t] = pairs[n - t][0], stop - 1 - t
            n += max(by, 0)
        n += 1
    return pairs[1:-1]


def _room(pairs: list[Match], b: Sequence[int], n: int, step: int, ends: Match) -> int:
    """Return how far the run after pair `n` may slide without touching another run."""
    at, shift = (n + 1, 0) if step > 0 else (n, 0)
    while 0 < at < len(pairs) - 1:
        (x, y), (next_x, next_y) = pairs[at], pairs[at + step]
        last = at + step in (0, len(pairs) - 1)
        apart = (next_x, next_y) != (x + step, y + step)
        if b[ends[0] + step * shift] != b[ends[1] + step * shift] or (apart and not last):
            break
        at, shift = at + step, shift + 1
        if apart:
            break
    return shift
