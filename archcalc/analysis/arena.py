"""Place buffers at fixed offsets in one block of memory, so that no two overlap while alive.

Finding the smallest block is NP-hard (dynamic storage allocation). Three greedy orders are tried, and
the best layout is kept: by birth; largest first, which TensorFlow Lite found best (Pisarchyk & Lee 2020,
arXiv:2001.03288); and longest-lived first. No layout is smaller than the peak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from archcalc.analysis.memory import Buffer
from archcalc.tuples import NamedTuple

# more buffers are placed by birth only: the other orders take quadratic time
MOST_TO_SORT = 2_000


class Arena(NamedTuple):
    """The offset of each buffer, in the given order, and the size of the block, both in values."""

    offsets: tuple[int, ...]
    size: int


def lay_out(buffers: Sequence[Buffer], peak: int) -> Arena:
    """Return the smallest layout found; `peak` is a lower bound of its size, in values."""
    keys: list[Callable[[int], tuple[int, ...]]] = [lambda i: (buffers[i].born, -int(buffers[i].size))]
    if len(buffers) <= MOST_TO_SORT:
        keys.append(lambda i: (-int(buffers[i].size), buffers[i].born))
        keys.append(lambda i: (buffers[i].born - buffers[i].dies, -int(buffers[i].size)))
    best: Arena | None = None
    for key in keys:
        arena = _place(buffers, sorted(range(len(buffers)), key=key))
        if best is None or arena.size < best.size:
            best = arena
        if best.size == peak:
            break
    assert best is not None
    return best


def _place(buffers: Sequence[Buffer], order: Sequence[int]) -> Arena:
    """Put each buffer in turn at the lowest offset where it fits among those placed before."""
    by_birth = all(buffers[a].born <= buffers[b].born for a, b in pairwise(order))
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for index in order:
        buffer = buffers[index]
        if by_birth:  # those that are dead by now cannot overlap any later buffer
            placed = [i for i in placed if buffers[i].dies >= buffer.born]
        alive = (i for i in placed if _meet(buffers[i], buffer))
        taken = sorted((offsets[i], offsets[i] + int(buffers[i].size)) for i in alive)
        offsets[index] = _first_gap(taken, int(buffer.size))
        placed.append(index)
    size = max(offset + int(b.size) for offset, b in zip(offsets, buffers, strict=True))
    return Arena(tuple(offsets), size)


def _meet(a: Buffer, b: Buffer) -> bool:
    return a.born <= b.dies and b.born <= a.dies


def _first_gap(taken: Iterable[tuple[int, int]], size: int) -> int:
    """Return the offset of the smallest gap between sorted ranges that holds `size`; else their end."""
    end, best, room = 0, -1, 0
    for start, stop in taken:
        gap = start - end
        if gap >= size and (best < 0 or gap < room):
            best, room = end, gap
        end = max(end, stop)
    return best if best >= 0 else end
