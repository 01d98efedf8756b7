"""Stream a sweep's chunks on all cores: read, evaluate, keep; in order, with a bounded number queued."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from archcalc.sweeps.evaluation.by_numbers import NumberedPoints
from archcalc.sweeps.evaluation.by_rows import Box, RowGrid
from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine, Found
from archcalc.sweeps.evaluation.structures import WHERE
from archcalc.sweeps.machine import shuffle
from archcalc.sweeps.machine.instructions import Executor
from archcalc.sweeps.space.points import Points
from archcalc.tuples import NamedTuple

CHUNK = 1 << 15  # points at most; the first one has fewer, so that a slow sweep is told from the start
FIRST = 1 << 12
MANY = 750_000  # points from which compiling pays
LARGE = 1 << 18  # points of a chunk that a kernel filters


class Chunk(NamedTuple):
    """Points `begin` to `end`: digits [axis, point], the results, and the lanes to keep."""

    begin: int
    end: int
    digits: Any
    found: Found
    lanes: Any


def compiles(points: Points) -> bool:
    """Return whether there are so many points that compiling pays."""
    return points.size >= MANY


def executor(points: Points) -> Executor:
    """Return the machine that runs programs over this many points fastest."""
    if compiles(points):
        from archcalc.sweeps.machine.vector_machine import VectorMachine

        return VectorMachine()
    from archcalc.sweeps.machine import numpy_machine

    return numpy_machine


def reader(points: Points, compiled: bool) -> Callable[[int, int], Any]:
    """Return a function from the first and the past-the-end point number to the points' digits."""
    from archcalc.sweeps.machine import numpy_machine

    lengths, space, chosen, plan = points.lengths, points.space, points.chosen, points.plan
    if chosen is not None and space.size < 1 << 63:
        return lambda begin, end: numpy_machine.spelled(lengths, numpy_machine.table(chosen[begin:end]))
    if chosen is not None:
        return lambda begin, end: numpy_machine.stacked(
            list(zip(*map(space.digits, chosen[begin:end]), strict=True))
        )
    if compiled:
        from archcalc.sweeps.machine.vector_machine import PointDigits
        from archcalc.sweeps.machine.vector_points import PointSource

        return PointDigits(PointSource(lengths, plan)).read
    if plan is not None:
        return lambda begin, end: numpy_machine.stacked(
            shuffle.digits(plan, lengths, shuffle.draw(plan, numpy_machine.numbers(begin, end)))
        )
    return lambda begin, end: numpy_machine.counted(lengths, space.digits(begin), end - begin)


class Stream:
    """The chunks of an engine's points; `collected` is complete once all are read."""

    def __init__(
        self,
        engine: Engine,
        read: Callable[[int, int], Any],
        collector: Callable[[], Collector],
        threads: int | None = None,
        numbered: NumberedPoints | None = None,
    ) -> None:
        self.engine, self.read, self.make, self.numbered = engine, read, collector, numbered
        self.threads = threads or cores()
        self._size = min(FIRST, CHUNK)
        self._own = threading.local()
        self._collectors: list[Collector] = []

    def chunks(self, begin: int, end: int, keep: bool) -> Iterator[Chunk | int]:
        """Yield every chunk in order; only its number of points, unless it is kept."""
        if self.numbered is not None and not keep:
            yield from self._filtered(self.numbered, _growing(begin, end))
            return
        pieces = self._cut([(begin, end)])
        yield from self._spread(lambda first, last: self._chunk(first, last, keep), pieces)

    def pieces(self, ranges: Iterable[tuple[int, int]]) -> Iterator[Chunk]:
        """Yield the chunks of ranges of points, for keeping, in order; none crosses its range."""
        for chunk in self._spread(lambda a, b: self._chunk(a, b, True), self._cut(ranges)):
            assert isinstance(chunk, Chunk)
            yield chunk

    def _cut(self, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Yield pieces of some tenths of a second, as estimated from those before."""
        for begin, end in ranges:
            while begin < end:
                last = min(begin + self._size, end)
                yield begin, last
                begin = last

    def rows(self, grid: RowGrid, box: Box | None = None) -> Iterator[int]:
        """Evaluate by rows of a grid, or of a box of it; yield numbers of points."""
        return self._filtered(grid, map(grid.span, grid.boxes(box=box)))

    def _filtered(
        self, kernel: RowGrid | NumberedPoints, spans: Iterator[tuple[int, int]]
    ) -> Iterator[int]:
        for count in self._spread(lambda a, b: kernel.run(a, b, self._collector()), spans):
            assert isinstance(count, int)
            yield count
            self._warn()

    def _spread(
        self, work: Callable[[int, int], Chunk | int], pieces: Iterator[tuple[int, int]]
    ) -> Iterator[Chunk | int]:
        begun = list(islice(pieces, 2))
        pieces = chain(begun, pieces)
        if self.threads == 1 or len(begun) < 2:
            yield from (work(*piece) for piece in pieces)
            return
        from concurrent.futures import Future, ThreadPoolExecutor  # 4 ms

        waiting: deque[Future[Chunk | int]] = deque()
        pool = ThreadPoolExecutor(self.threads)
        try:
            for piece in pieces:
                waiting.append(pool.submit(work, *piece))
                if len(waiting) > 2 * self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            self.engine.stop.set()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def collected(self) -> Collector:
        whole = self.make()
        for collector in self._collectors:
            whole.merge(collector)
        return whole

    def _chunk(self, begin: int, end: int, keep: bool) -> Chunk | int:
        started = time.monotonic()
        digits = self.read(begin, end)
        found = self.engine.evaluate(digits)
        seconds = time.monotonic() - started
        if seconds > 1:
            self._size = max((end - begin) // 2, 1)
        elif seconds < 0.2:
            self._size = min(max(self._size, 2 * (end - begin)), CHUNK)
        satisfied = found.reasons == 0
        if self.engine.wanted[-1] == WHERE:
            satisfied &= found.results[-1] != 0
        lanes = self.engine.lanes.where(satisfied)
        self._collector().add(found, lanes, begin)
        self._warn()
        return Chunk(begin, end, digits, found, lanes) if keep else end - begin

    def _warn(self) -> None:
        """Tell at once that a front leaves out little."""
        if any(collector.hardly_chooses for collector in self._collectors):
            self.engine.messages.note(
                "more than half of all points are in the front: its goals hardly choose"
            )

    def _collector(self) -> Collector:
        if not hasattr(self._own, "collector"):
            self._own.collector = self.make()
            self._collectors.append(self._own.collector)
        found: Collector = self._own.collector
        return found


def _growing(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield pieces that grow: a filter keeps all of the first, which find what beats most others."""
    size = min(FIRST, LARGE)
    while begin < end:
        last = min(begin + size, end)
        yield begin, last
        begin, size = last, min(2 * size, LARGE)


def cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
