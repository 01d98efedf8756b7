"""Tasks in processes: all are done, none beyond the memory, and one that dies costs its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from itertools import pairwise

import pytest

from archcalc.execution.processes import Ended, Task, run


def square(number: int) -> int:
    return number * number


def die_at_two(number: int) -> int:
    if number == 2:
        os._exit(9)
    return number


def span(seconds: float) -> tuple[float, float]:
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def test_every_task_is_done() -> None:
    done = dict(run(square, [Task(n, 1) for n in range(5)], 2, None))
    assert done == {n: n * n for n in range(5)}
    assert multiprocessing.active_children() == []


def test_a_process_that_dies_costs_its_task() -> None:
    done = dict(run(die_at_two, [Task(n, 1) for n in range(5)], 2, None))
    assert isinstance(done.pop(2), Ended)
    assert done == {n: n for n in (0, 1, 3, 4)}


@pytest.mark.parametrize(("memory", "together"), [(10, False), (20, True)])
def test_memory_decides_what_runs_at_once(memory: int, together: bool) -> None:
    """Three tasks of 10 bytes on two processes."""
    spans = sorted(result for _, result in run(span, [Task(0.5, 10)] * 3, 2, memory))
    overlaps = [a[1] > b[0] for a, b in pairwise(spans)]
    assert any(overlaps) is together


def test_a_task_larger_than_memory_runs_alone() -> None:
    assert [result for _, result in run(square, [Task(n, 100) for n in (1, 2)], 2, 10)] == [1, 4]


def test_who_stops_ends_the_processes() -> None:
    results = run(span, [Task(s, 1) for s in (0.0, 60.0, 60.0)], 2, None)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of two processes would fight; what the user has chosen stays."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
    (found,) = (result for _, result in run(threads, [Task(None, 1)], os.cpu_count() or 1, None))
    assert found == ("1", "7")
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def threads(_: None) -> tuple[str | None, str | None]:
    return os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("NUMBA_NUM_THREADS")
