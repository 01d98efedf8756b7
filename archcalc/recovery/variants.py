"""Bodies that are others without some runs of items: a unit with and without its shortcut's conv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from archcalc.recovery.bodies import IN, Body, arranged, skeleton
from archcalc.tuples import NamedTuple

LONGEST = 64  # items of a body in which runs are looked for


class Detour(NamedTuple):
    """Items from `start` on, before `stop`, that some instances lack: what enters passes on."""

    start: int
    stop: int


def without(body: Body, runs: Sequence[Detour]) -> tuple[object, ...] | None:
    """Return the skeleton of a body without these runs, or None if one is no detour of one tensor."""
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
    """Yield the runs, two at most, without which the large body is the small one."""
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
    """Return whether only the last item of a run is read outside of it."""
    inside = range(run.start, run.stop - 1)
    return not any(i in inside for item in body[run.stop :] for i in item.refs if i != IN)
