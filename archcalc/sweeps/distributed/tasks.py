"""Run a sweep on many machines: Dask distributes pieces of work to workers, which may come and die.

A piece is a range of points, or a box of a grid, that takes one core some seconds. It depends only on
the request: if a worker dies, its piece is done again elsewhere. Parts of a directory are written
completely or not at all.
"""

from __future__ import annotations

import os
import pickle
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archcalc import __version__
from archcalc.errors import ArchError, Diagnostic
from archcalc.sweeps.distributed.cluster import connected
from archcalc.sweeps.evaluation.by_rows import CHUNK, Box, RowGrid
from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.messages import Tell, silent
from archcalc.sweeps.evaluation.request import Request
from archcalc.sweeps.evaluation.run import Outcome, Progress, Setup, by_rows, prepare
from archcalc.sweeps.evaluation.stream import Stream, reader
from archcalc.sweeps.results.store import Store, open_store
from archcalc.sweeps.results.stored import missing_parts, only_rows, write_parts
from archcalc.tuples import NamedTuple
from archcalc.units import printable

LEAST, MOST = 2.5, 5.0  # seconds of a piece; Dask needs some milliseconds for each
FIRST = 1 << 12  # the points of the first pieces


class Job(NamedTuple):
    """The job of a worker: `request` pickled, and the directory, if rows are to be written."""

    version: str
    request: bytes
    store: tuple[str, dict[str, Any]] | None


class Piece(NamedTuple):
    """Points `begin` to `end`, with their numbers if they are listed; or a box of a grid."""

    begin: int
    end: int
    box: Box | None = None
    chosen: Sequence[int] | None = None


class Done(NamedTuple):
    """The result of a piece. `collected` has numbers for the `reasons` of its worker."""

    points: int
    skipped: int
    seconds: float
    collected: Collector
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


class _Pace:
    """The number of points in a piece, adapted to the time that pieces took."""

    def __init__(self, size: int, threads: int) -> None:
        self.points = FIRST
        self.most = max(size // (8 * threads), FIRST)  # so that all threads have work until the end

    def learn(self, done: Done) -> None:
        if done.seconds > MOST:
            self.points = max(done.points // 2, 1)
        elif done.seconds < LEAST and done.points > self.points // 2:
            growth = 2 if done.seconds > LEAST / 8 else 8
            self.points = min(self.points * growth, self.most)


def sweep(address: str, request: Request, progress: Progress, tell: Tell = silent) -> Outcome:
    """Run `archcalc.sweeps.evaluation.run.sweep` on the cluster at an address; '' starts one.

    Raises:
        ArchError: no cluster is there, it is unsuitable, or it is lost.
    """
    setup = prepare(request, False, tell)
    grid, collected, size = setup.grid, setup.collector(), request.points.size

    def pieces(pace: _Pace) -> Iterator[Piece]:
        if grid is None:
            return _ranges(size, pace)
        # never finer than a worker's own cut, so that the same points are skipped
        return (Piece(0, 0, box) for box in grid.boxes(lambda: max(pace.points, CHUNK)))

    skipped = told = 0
    for done in _each(address, request, None, pieces):
        translate(done, setup.engine)
        collected.merge(done.collected)
        skipped += done.skipped
        progress(done.points + _skipped(grid) - told)
        told = _skipped(grid)
    return Outcome(request, setup.engine, collected, skipped + told)


def sweep_into(
    address: str, store: Store, request: Request, progress: Progress, tell: Tell = silent
) -> None:
    """Run `archcalc.sweeps.results.stored.sweep_into` on a cluster whose machines share the directory.

    Raises:
        ArchError: as `sweep` raises it; or a worker does not see the directory.
    """
    request = only_rows(request)
    engine = prepare(request, True, tell).engine
    parts = missing_parts(store, progress)
    if parts:
        for done in _each(address, request, store, lambda pace: _parts(store, parts, pace)):
            translate(done, engine)
            progress(done.points)
        store.clear()  # the half-written files of dead workers


def _each(
    address: str, request: Request, store: Store | None, pieces: Callable[[_Pace], Iterator[Piece]]
) -> Iterator[Done]:
    points = request.points
    chosen = points.chosen
    short = request._replace(points=points._replace(chosen=None if chosen is None else chosen[:1]))
    place = None if store is None else (os.path.abspath(store.path), store.manifest)
    job = Job(__version__, pickle.dumps(short), place)
    with connected(address) as cluster:
        pace = _Pace(points.size, cluster.threads)
        if chosen is None:
            tasks = pieces(pace)
        else:
            tasks = (piece._replace(chosen=chosen[piece.begin : piece.end]) for piece in pieces(pace))
        for done in cluster.spread(work, job, tasks):
            pace.learn(done)
            yield done


def _ranges(size: int, pace: _Pace) -> Iterator[Piece]:
    begin = 0
    while begin < size:
        end = min(begin + pace.points, size)
        yield Piece(begin, end)
        begin = end


def _parts(store: Store, parts: Sequence[int], pace: _Pace) -> Iterator[Piece]:
    """Yield consecutive parts."""
    begin = 0
    while begin < len(parts):
        most, end = max(pace.points // store.part, 1), begin + 1
        while end < len(parts) and end - begin < most and parts[end] == parts[end - 1] + 1:
            end += 1
        yield Piece(parts[begin] * store.part, min((parts[end - 1] + 1) * store.part, store.size))
        begin = end


def translate(done: Done, engine: Engine) -> None:
    """Renumber a worker's refusals by the reasons of this process."""
    collected, numbers = done.collected, [engine.messages.reason(text) for text in done.reasons]
    collected.refused = {numbers[i - 1]: count for i, count in collected.refused.items()}
    collected.examples = {numbers[i - 1]: first for i, first in collected.examples.items()}
    for text in done.notes:
        engine.messages.note(text)


class _Prepared(NamedTuple):
    job: Job
    request: Request
    setup: Setup
    store: Store | None


_own = threading.local()  # the job that a worker's thread has prepared last


def work(job: Job, piece: Piece) -> Done:
    """Do one piece on a worker.

    Raises:
        ArchError: the worker has another archcalc, does not see the directory, or cannot write there.
    """
    prepared: _Prepared | None = getattr(_own, "prepared", None)
    if prepared is None or prepared.job != job:
        prepared = _own.prepared = _prepare(job)
    _, request, setup, store = prepared
    began, before = time.perf_counter(), _skipped(setup.grid)
    read = _reader(setup, request, piece)
    stream = Stream(setup.engine, read, setup.collector, threads=1, numbered=setup.numbered)
    if store is not None:
        numbers = range(piece.begin // store.part, -(-piece.end // store.part))
        points = sum(write_parts(store, stream, numbers))
    elif setup.grid is not None:
        points = sum(by_rows(stream, setup.grid, piece.box))
    else:
        points = sum(n for n in stream.chunks(piece.begin, piece.end, keep=False) if isinstance(n, int))
    seconds, skipped = time.perf_counter() - began, _skipped(setup.grid) - before
    reasons, notes = tuple(setup.engine.messages.reasons), tuple(setup.engine.messages.notes)
    return Done(points, skipped, seconds, stream.collected, reasons, notes)


def _prepare(job: Job) -> _Prepared:
    if job.version != __version__:
        help = "install the same on every machine"
        message = f"a worker has archcalc {__version__}, this is {job.version}"
        raise ArchError(Diagnostic(message, help=help))
    request: Request = pickle.loads(job.request)
    store = None if job.store is None else _shared(*job.store)
    return _Prepared(job, request, prepare(request, keep=store is not None), store)


def _shared(path: str, manifest: dict[str, Any]) -> Store:
    try:
        store = open_store(path)
    except ArchError:
        store = None
    if store is None or store.manifest != manifest:
        help = "-o names a directory that all machines share, at the same place"
        message = f"worker {printable(socket.gethostname())} does not see {printable(path)}"
        raise ArchError(Diagnostic(message, help=help))
    return store


def _reader(setup: Setup, request: Request, piece: Piece) -> Callable[[int, int], Any]:
    """Return a function that gives the digits of points; listed points come with the piece."""
    if piece.chosen is None:
        return reader(request.points, setup.compiled)
    read = reader(request.points._replace(chosen=piece.chosen), setup.compiled)
    return lambda begin, end: read(begin - piece.begin, end - piece.begin)


def _skipped(grid: RowGrid | None) -> int:
    return 0 if grid is None else grid.skipped
