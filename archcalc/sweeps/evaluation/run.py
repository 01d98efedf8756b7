"""Run a whole sweep: request and result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.formats import Formats
from archcalc.spec.expressions import Expression
from archcalc.sweeps.evaluation.by_rows import Box, RowGrid, layout
from archcalc.sweeps.evaluation.collector import Collector, Goal, parse_goals
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.stream import Chunk, Stream, executor, reader
from archcalc.sweeps.evaluation.structures import WHERE
from archcalc.sweeps.evaluation.told import Tell, silent
from archcalc.sweeps.metrics import ALIASES, MEANING
from archcalc.sweeps.program.recording import analyzed, columns
from archcalc.sweeps.space.constraints import parse_condition
from archcalc.sweeps.space.model import INPUT, Axis
from archcalc.sweeps.space.points import Points
from archcalc.units import grouped

Progress = Callable[[int], None]  # is called with the number of points done


class Request(NamedTuple):
    """A request: points, condition and goals; `top` rows are kept, by the goal `by`."""

    points: Points
    formats: Formats
    where: str
    condition: Expression | None
    pareto: tuple[Goal, ...]
    by: Goal | None
    top: int


class PointRow(NamedTuple):
    """A point: its values as a user types them, its metrics, the number of its equals."""

    values: dict[str, str]
    metrics: dict[str, int]
    points: int


class Refusal(NamedTuple):
    """Points refused for a reason, with the message of the first."""

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
        """Yield the front, or the best, or the first points: digits, metrics, number of equals."""
        kept = self.collected.front if self.request.pareto else self.collected.best
        counts = self.collected.front.counts.tolist() if self.request.pareto else None
        found = []
        for i, number in enumerate(kept.numbers.tolist()):
            digits = self.request.points.digits(number)
            found.append((number, (digits, self.engine.metrics(digits), counts[i] if counts else 1)))
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
        """Return why points are no networks, the most frequent reason first."""
        found = []
        space, points = self.request.points.space, self.request.points
        for reason, count in self.collected.refused.items():
            digits = points.digits(self.collected.examples[reason])
            _, message = analyzed(space.at(digits), self.request.formats)
            found.append(Refusal(message, count, space.texts(digits)))
        return sorted(found, key=lambda refusal: -refusal.points)


def request(
    points: Points, formats: Formats, where: str, pareto: str, by: str, top: int | None, rows: int
) -> Request:
    """Parse the request of a command line. `rows` are kept if no number is given.

    Raises:
        UsageError: a name, a unit or a condition is invalid.
    """
    names = [*MEANING, *ALIASES, *_integers(points)]
    condition = parse_condition(where, names) if where else None
    goals = parse_goals(pareto, names, "--pareto") if pareto else ()
    chosen = parse_goals(by, names, "--by") if by else ()
    if len(chosen) > 1:
        raise UsageError(Diagnostic("--by takes one name", help="several go to --pareto"))
    if goals and (chosen or top is not None):
        raise UsageError(Diagnostic("--pareto and --top exclude each other", help="run them in turn"))
    if top is not None and not chosen:
        chosen = (Goal("multiplies", False),)
    return Request(points, formats, where, condition, goals, chosen[0] if chosen else None, top or rows)


def _integers(points: Points) -> list[str]:
    """Return the variables that are integers at every point."""
    space = points.space
    fixed = [name for name, value in space.network.values.items() if type(value) is int]
    varied = {axis.variable: i for i, axis in enumerate(space.axes) if axis.item is None}
    return [
        name
        for name in dict.fromkeys([*fixed, *varied])
        if name != INPUT and (name not in varied or _is_whole(space.axes[varied[name]]))
    ]


def _is_whole(axis: Axis) -> bool:
    found = columns(axis, 0)
    return found is not None and all(column.denominator == 1 for column in found)


class Setup(NamedTuple):
    """The evaluator of any points of a request; `grid` if it goes by rows."""

    engine: Engine
    compiled: bool
    collector: Callable[[], Collector]
    grid: RowGrid | None

    def stream(self, points: Points, threads: int | None = None) -> Stream:
        """Return a stream over the request's points, on this many threads, else on all cores."""
        return Stream(self.engine, reader(points, self.compiled), self.collector, threads)


def prepare(request: Request, keep: bool, tell: Tell = silent) -> Setup:
    """Prepare the evaluation; with `keep`, every point gets all metrics.

    Raises:
        UsageError: bounds prove that no point can satisfy the condition.
    """
    goals = [*request.pareto, *([request.by] if request.by else [])]
    wanted = [*MEANING, *(g.name for g in goals)] if keep else [goal.name for goal in goals]
    wanted = list(dict.fromkeys(wanted)) or ["parameters"]
    machine = executor(request.points)
    engine = Engine(request.points, wanted, request.formats, request.condition, machine, tell)
    compiled = machine.COMPILED
    signs = [-1 if goal.most else 1 for goal in goals]
    signed = [(wanted.index(goal.name), sign) for goal, sign in zip(goals, signs, strict=True)]
    count = len(request.pareto)
    refuse_hopeless(engine, request)

    def collector() -> Collector:
        return Collector(signed[:count], signed[count] if request.by else None, request.top)

    rows = layout(engine) if compiled and not keep else None
    return Setup(engine, compiled, collector, RowGrid(engine, rows, signs) if rows is not None else None)


def sweep(
    request: Request,
    progress: Progress,
    write: Callable[[Chunk], None] | None = None,
    tell: Tell = silent,
) -> Outcome:
    """Evaluate every point; `write` gets the chunks in order, with all metrics."""
    setup = prepare(request, write is not None, tell)
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
    for name in sorted(request.condition.names):
        metric = ALIASES.get(name, name)
        if structure.recording.results is not None and metric in structure.recording.results:
            known = engine.structures.bounds(structure, metric)
            told.append(f"{name} is between {grouped(known.low)} and {grouped(known.high)}")
    message = f"--where: no point of the space can satisfy `{shown(request.where.strip())}`"
    raise UsageError(Diagnostic(message, help="; ".join(told)))
