"""Run several tasks at once in processes, as far as memory allows.

Processes rather than threads: layers of a small network keep Python busy, not the cores. The system
may kill a task's process, which costs only that task.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from archcalc.tuples import NamedTuple

_THREADS = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
SPAWN = get_context("spawn")  # a forked child would inherit locks that threads of BLAS hold


class Task(NamedTuple):
    """The input of a process, and the bytes that it needs."""

    item: Any
    bytes: int


class Ended(NamedTuple):
    """Raised when the process of a task ended before the task."""

    reason: str


class _Worker:
    """A process that takes tasks, one after the other."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.pipe, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=_serve, args=(theirs, work), daemon=True)
        heard = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: this process handles Ctrl-C
        self.process.start()
        signal.signal(signal.SIGINT, heard)
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        with suppress(BrokenPipeError):  # already dead: `take` will say so
            self.pipe.send(task.item)

    def take(self) -> tuple[Task, Any]:
        """Return the task with its result, or with `Ended`."""
        task, self.task = self.task, None
        assert task is not None
        try:
            return task, self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return task, Ended(f"its process ended with {self.process.exitcode}")


def run(
    work: Callable[[Any], Any], tasks: Iterable[Task], processes: int, memory: int | None
) -> Iterator[tuple[Any, Any]]:
    """Yield items with the result of `work(item)`, as they finish; `Ended` if the process died.

    Tasks begin in order; none starts while it and the running ones need more than `memory`, unless none
    runs. Ending the iteration ends the processes.
    """
    idle, busy = list[_Worker](), dict[Any, _Worker]()
    coming = iter(tasks)
    following = next(coming, None)
    with _few_threads(max(1, (os.cpu_count() or 1) // processes)):
        try:
            while following or busy:
                while following and len(busy) < processes and _fits(following, busy.values(), memory):
                    worker = idle.pop() if idle else _Worker(work)
                    worker.give(following)
                    busy[worker.pipe] = worker
                    following = next(coming, None)
                for pipe in wait(list(busy)):
                    worker = busy.pop(pipe)
                    task, result = worker.take()
                    if not isinstance(result, Ended):
                        idle.append(worker)
                    yield task.item, result
        finally:
            for worker in (*idle, *busy.values()):
                worker.process.terminate()
                worker.process.join()


def _fits(task: Task, workers: Collection[_Worker], memory: int | None) -> bool:
    taken = sum(worker.task.bytes for worker in workers if worker.task)
    return not workers or memory is None or taken + task.bytes <= memory


@contextmanager
def _few_threads(count: int) -> Iterator[None]:
    """Let processes that start meanwhile use so many threads, unless the environment says otherwise."""
    before: Mapping[str, str | None] = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update({name: str(count) for name, chosen in before.items() if chosen is None})
    try:
        yield
    finally:
        for name, chosen in before.items():
            if chosen is None:
                os.environ.pop(name, None)


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Run tasks in a process until its parent closes the pipe."""
    with suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(work(pipe.recv()))
