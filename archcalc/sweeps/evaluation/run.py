"""Run a whole sweep, from its request to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.sweeps.evaluation.ahead import record_ahead
from archcalc.sweeps.evaluation.by_numbers import NumberedPoints
from archcalc.sweeps.evaluation.by_rows import Box, RowGrid, layout
from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.messages import Tell, silent
from archcalc.sweeps.evaluation.request import Request
from archcalc.sweeps.evaluation.stream import Chunk, Stream, compiles, executor, reader
from archcalc.sweeps.evaluation.structures import WHERE
from archcalc.sweeps.metrics import (
    ALIASES,
    MEANING,
)
from archcalc.sweeps.program.recording import analyzed
from archcalc.sweeps.space.points import Points
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

Progress = Callable[[int], None]  # a function that is called with the number of points done


class PointRow(NamedTuple):
    """A point: its values as a user types them, its metrics, and the number of equal points."""

    values: dict[str, str]
    metrics: dict[str, int]
    points: int


class Refusal(NamedTuple):
    """The points that were refused for one reason, with the message of the first."""

    message: str
    points: int
    example: dict[str, str]


class Outcome(NamedTuple):
    """The result of a sweep."""

    request: Request
    engine: Engine
    collected: Collector
    skipped: int

    def kept(self) -> Iterator[tuple[tuple[int, ...], dict[str, int], int]]:
        """Yield the front, the best or the first points: digits, metrics, number of equal points."""
        kept = self.collected.front if self.request.pareto else self.collected.best
        counts = self.collected.front.counts.tolist() if self.request.pareto else None
        numbers = kept.numbers.tolist()
        places = [self.request.points.digits(number) for number in numbers]
        rows = zip(numbers, places, self.engine.metrics(places), strict=True)
        found = [(n, (at, row, counts[i] if counts else 1)) for i, (n, at, row) in enumerate(rows)]
        if self.request.pareto:  # by the first objective, the best first
            values = kept.values[0].tolist()
            order = sorted(range(len(found)), key=lambda i: (values[i], found[i][0]))
            found = [found[i] for i in order]
        yield from (point for _, point in found)

    def rows(self) -> Iterator[PointRow]:
        """Yield the rows with values as a user would type them."""
        for digits, metrics, count in self.kept():
            yield PointRow(self.request.points.space.texts(digits), metrics, count)

    def refusals(self) -> list[Refusal]:
        """Return the reasons why points are no networks, the most frequent first."""
        found = []
        space, points = self.request.points.space, self.request.points
        for reason, count in self.collected.refused.items():
            digits = points.digits(self.collected.examples[reason])
            _, message = analyzed(space.at(digits), self.request.formats)
            found.append(Refusal(message, count, space.texts(digits)))
        return sorted(found, key=lambda refusal: -refusal.points)


class Setup(NamedTuple):
    """The evaluator of a request's points; `grid` evaluates by rows, `numbered` by number."""

    engine: Engine
    compiled: bool
    collector: Callable[[], Collector]
    grid: RowGrid | None
    numbered: NumberedPoints | None

    def stream(self, points: Points, threads: int | None = None) -> Stream:
        """Return a stream over the request's points, on this many threads or on all cores."""
        read = reader(points, self.compiled)
        return Stream(self.engine, read, self.collector, threads, self.numbered)


def prepare(request: Request, keep: bool, tell: Tell = silent) -> Setup:
    """Prepare the evaluation; with `keep`, every point gets all metrics.

    Raises:
        UsageError: bounds prove that no point can satisfy the condition.
    """
    goals = [*request.pareto, *([request.by] if request.by else [])]
    wanted = [*MEANING, *(g.name for g in goals)] if keep else [goal.name for goal in goals]
    wanted = list(dict.fromkeys(wanted)) or ["parameters"]
    machine, compiled = executor(request.points), compiles(request.points)
    engine = Engine(
        request.points, wanted, request.formats, request.condition, machine, tell, request.others
    )
    signs = [-1 if goal.most else 1 for goal in goals]
    signed = [(wanted.index(goal.name), sign) for goal, sign in zip(goals, signs, strict=True)]
    count = len(request.pareto)
    refuse_hopeless(engine, request)

    def collector() -> Collector:
        return Collector(signed[:count], signed[count] if request.by else None, request.top)

    grid = numbered = None
    structure = engine.structures.whole() if compiled and not keep else None
    if structure is not None and request.points.chosen is None:
        rows = layout(engine)
        if rows is not None:
            grid = RowGrid(engine, rows, signs)
        else:
            numbered = NumberedPoints(engine, structure, signs)
    return Setup(engine, compiled, collector, grid, numbered)


def sweep(
    request: Request,
    progress: Progress,
    write: Callable[[Chunk], None] | None = None,
    tell: Tell = silent,
    processes: int = 1,
) -> Outcome:
    """Evaluate every point; `write` gets the chunks in order, with all metrics.

    `processes` processes record structures; more than one is safe only if the main program can be
    imported by them.
    """
    setup = prepare(request, write is not None, tell)
    record_ahead(setup.engine.structures, processes)
    stream = setup.stream(request.points)
    if setup.grid is not None:
        for points in by_rows(stream, setup.grid):
            progress(points)
        return Outcome(request, setup.engine, stream.collected, setup.grid.skipped)
    for chunk in stream.chunks(0, request.points.size, keep=write is not None):
        if isinstance(chunk, Chunk) and write is not None:
            write(chunk)
        progress(chunk if isinstance(chunk, int) else chunk.end - chunk.begin)
    return Outcome(request, setup.engine, stream.collected, 0)


def by_rows(stream: Stream, grid: RowGrid, box: Box | None = None) -> Iterator[int]:
    """Evaluate a grid, or a box of it, by rows; yield numbers of points, including skipped ones."""
    told = grid.skipped
    for points in stream.rows(grid, box):
        yield points + grid.skipped - told
        told = grid.skipped


def refuse_hopeless(engine: Engine, request: Request) -> None:
    """Refuse a condition that no point can satisfy, by its bounds.

    Raises:
        UsageError: with the bounds of the metrics in the condition.
    """
    structure = engine.structures.whole() if request.condition is not None else None
    if structure is None or request.condition is None:
        return
    where = structure.simple.results[WHERE]
    if structure.simple.forms.range_of(where).high > 0:
        return
    told = []
    others = map(str, request.others)
    for name in dict.fromkeys((*sorted(request.condition.names), *others)):
        metric = ALIASES.get(name, name)
        if structure.recording.results is not None and metric in structure.recording.results:
            known = engine.structures.bounds(structure, metric)
            told.append(f"{name} is between {grouped(known.low)} and {grouped(known.high)}")
    message = f"--where: no point of the space can satisfy `{shown(request.where.strip())}`"
    raise UsageError(Diagnostic(message, help="; ".join(told)))
