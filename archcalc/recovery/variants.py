"""Compare bodies that differ by optional runs, as a unit with and without a conv in its shortcut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from archcalc.recovery.bodies import IN, Body, arranged, skeleton
from archcalc.tuples import NamedTuple

LONGEST = 64  # the most items of a body that is searched for runs


class Detour(NamedTuple):
    """The items start ≤ i < stop, which some instances lack; there, the run's input passes through."""

    start: int
    stop: int


def without(body: Body, runs: Sequence[Detour]) -> tuple[object, ...] | None:
    """Return the skeleton of a body without these runs, or None if a run is no detour of one tensor."""
    moved: dict[int, int] = {}
    left: list[tuple[object, tuple[int, ...]]] = []
    starts = {run.start: run for run in runs}
    gone: Detour | None = None
    for index, item in enumerate(body):
        gone = starts.get(index, gone)
        if gone is not None and index < gone.stop:
            if index > gone.start and item.refs[0] != index - 1:
                return None
            source = body[gone.start].refs[0]
            moved[index] = moved.get(source, source)
            continue
        refs = tuple(moved.get(i, i) for i in item.refs)
        moved[index] = len(left)
        left.append((item.key, arranged(item.key, refs)))
    return tuple(left)


def runs_between(large: Body, small: Body) -> Iterator[tuple[Detour, ...]]:
    """Yield each choice of one or two runs without which the large body equals the small one."""
    missing = len(large) - len(small)
    if not 0 < missing <= len(large) // 2 or len(large) > LONGEST:
        return
    wanted = skeleton(small)
    if Counter(item.key for item in small) - Counter(item.key for item in large):
        return
    for runs in _guesses(len(large), missing):
        if all(_is_detour(large, run) for run in runs) and without(large, runs) == wanted:
            yield runs


def _guesses(length: int, missing: int) -> Iterator[tuple[Detour, ...]]:
    for start in range(length - missing + 1):
        yield (Detour(start, start + missing),)
    for first in range(1, missing):
        for start in range(length - missing):
            for second in range(start + first + 1, length - (missing - first) + 1):
                yield Detour(start, start + first), Detour(second, second + missing - first)


def _is_detour(body: Body, run: Detour) -> bool:
    """Return whether only the last item of a run is read outside the run."""
    inside = range(run.start, run.stop - 1)
    return not any(i in inside for item in body[run.stop :] for i in item.refs if i != IN)
