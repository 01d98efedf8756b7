"""Record the structures of a grid on all cores, before its points are evaluated.

Processes leave the programs on disk, where the sweep finds them: see `remembered`.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import Any

from archcalc.sweeps.evaluation.messages import Messages
from archcalc.sweeps.evaluation.structures import MOST_STRUCTURES, WHERE, Structures

PAYS = 1.0  # the seconds of recording from which starting processes pays


def record_ahead(structures: Structures, processes: int) -> None:
    """Record the programs that are not on disk yet, if that takes long."""
    points, memory = structures.points, structures.memory
    if memory is None or not memory.works or processes < 2:
        return
    if points.plan is not None or points.chosen is not None:  # they may not meet all combinations
        return
    missing = [d for d in _combinations(structures) if not memory.has(_enumerated(structures, d))]
    if len(missing) < 2:
        return
    first, *others = missing
    begin = time.monotonic()
    structures.get(0, first)
    if (time.monotonic() - begin) * len(others) < PAYS:
        return
    from archcalc.execution.processes import Task, run  # multiprocessing costs 15 ms

    wanted = [name for name in structures.wanted if name != WHERE]
    how = (points, wanted, structures.asked, structures.condition)
    job = pickle.dumps(how)
    for _ in run(_record, (Task((job, digits), 0) for digits in others), processes, None):
        pass


def _combinations(structures: Structures) -> Iterator[tuple[int, ...]]:
    """Yield the digits of one point of each combination of enumerated values, up to a limit."""
    lengths, enumerated = structures.points.lengths, set(structures.enumerated)
    digits = (range(n) if axis in enumerated else range(1) for axis, n in enumerate(lengths))
    return islice(product(*digits), MOST_STRUCTURES)


def _enumerated(structures: Structures, digits: Sequence[int]) -> list[Any]:
    return structures.values_of([digits[axis] for axis in structures.enumerated])


def _record(task: tuple[bytes, tuple[int, ...]]) -> None:
    job, digits = task
    _structures(job).get(0, digits)


@lru_cache(1)
def _structures(job: bytes) -> Structures:
    points, wanted, asked, condition = pickle.loads(job)
    return Structures(points, wanted, asked, condition, Messages())
