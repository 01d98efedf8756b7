"""Run a whole sweep: request and result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from archcalc.analysis.step import refuse_whole
from archcalc.errors import Diagnostic, SpecError, UsageError, shown
from archcalc.formats import Formats
from archcalc.spec.expressions import Expression
from archcalc.sweeps.evaluation.by_numbers import NumberedPoints
from archcalc.sweeps.evaluation.by_rows import Box, RowGrid, layout
from archcalc.sweeps.evaluation.collector import Collector, Goal, parse_goals
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.stream import Chunk, Stream, compiles, executor, reader
from archcalc.sweeps.evaluation.structures import WHERE
from archcalc.sweeps.evaluation.told import Tell, silent
from archcalc.sweeps.metrics import (
    ALIASES,
    MEANING,
    OTHERS,
    BlockCount,
    Count,
    NetworkCount,
    block_named,
    named_layers,
)
from archcalc.sweeps.program.recording import analyzed
from archcalc.sweeps.space.constraints import blocks_in, parse_condition
from archcalc.sweeps.space.model import INPUT
from archcalc.sweeps.space.points import Points
from archcalc.sweeps.space.unread import MOST_BUILT
from archcalc.tuples import NamedTuple
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
    others: tuple[Count, ...] = ()  # what else the condition or a goal names


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
        """Return why points are no networks, the most frequent reason first."""
        found = []
        space, points = self.request.points.space, self.request.points
        for reason, count in self.collected.refused.items():
            digits = points.digits(self.collected.examples[reason])
            _, message = analyzed(space.at(digits), self.request.formats)
            found.append(Refusal(message, count, space.texts(digits)))
        return sorted(found, key=lambda refusal: -refusal.points)


def request(
    points: Points,
    formats: Formats,
    where: str,
    pareto: str,
    by: str,
    top: int | None,
    rows: int,
    batch: int | None = None,
    optimizer: str | None = None,
) -> Request:
    """Parse the request of a command line. `rows` are kept if no number is given.

    `batch` and `optimizer` are those of a step of training.

    Raises:
        UsageError: a name, a unit or a condition is invalid.
    """
    names = _names(points)
    condition = parse_condition(where, names) if where else None
    goals = parse_goals(pareto, names, "--pareto", True) if pareto else ()
    chosen = parse_goals(by, names, "--by", True) if by else ()
    for goal in (*goals, *chosen):
        refuse_order(goal.name, names)
    if len(chosen) > 1:
        raise UsageError(Diagnostic("--by takes one name", help="several go to --pareto"))
    if goals and (chosen or top is not None):
        raise UsageError(Diagnostic("--pareto and --top exclude each other", help="run them in turn"))
    if top is not None and not chosen:
        chosen = (Goal("multiplies", False),)
    named = [block_named(goal.name) for goal in (*goals, *chosen)]
    wanted = [*filter(None, named), *(blocks_in(condition) if condition is not None else ())]
    blocks = [_located(points, metric, path) for metric, path in dict.fromkeys(wanted)]
    asked = {*(condition.names if condition is not None else ()), *(g.name for g in (*goals, *chosen))}
    asked -= points.space.network.values.keys()
    _refuse_training("training" in asked, formats, batch=batch, optimizer=optimizer)
    others = [NetworkCount(name, batch or 1, optimizer or "sgd") for name in OTHERS if name in asked]
    by_one = chosen[0] if chosen else None
    return Request(points, formats, where, condition, goals, by_one, top or rows, (*others, *blocks))


def _refuse_training(asked: bool, formats: Formats, **given: object) -> None:
    """Refuse options of training where it is not asked for, and to train whole numbers."""
    if asked:
        refuse_whole(formats)
        return
    for name, value in given.items():
        if value is not None:
            help = "as in --where 'training <= 8GiB'"
            raise UsageError(Diagnostic(f"--{name} counts with `training` only", help=help))


def _names(points: Points) -> dict[str, Any]:
    """Return what conditions and goals may name, each with a value that it has somewhere."""
    space = points.space
    items = {axis.name: axis.values[0] for axis in space.axes if axis.variable != INPUT}
    own = {**space.network.values, **items, **dict.fromkeys((*MEANING, *ALIASES), 1)}
    return {**dict.fromkeys(OTHERS, 1), **own}


def refuse_order(name: str, names: Mapping[str, Any]) -> None:
    """Refuse to look for the least or the most of what is no number.

    Raises:
        UsageError: it is text or a list.
    """
    value = names.get(name)
    if isinstance(value, str | list):
        what = "text" if isinstance(value, str) else "a list"
        help = (
            f"an item is a number: {name}[0]" if what == "a list" else "conditions may name it: --where"
        )
        raise UsageError(Diagnostic(f"`{shown(name)}` is {what}: no value is the least", help=help))


def _located(points: Points, metric: str, path: str) -> BlockCount:
    """Return a metric of a block, as the network has it, or else the first points that do.

    Raises:
        UsageError: none has it.
    """
    space, step = points.space, -(-points.size // MOST_BUILT)
    places = (space.at(points.digits(number)) for number in range(0, points.size, step))
    refused: UsageError | None = None
    for network in (space.network, *places):
        with suppress(SpecError):
            graph = network.graph
            try:
                return BlockCount(metric, named_layers(graph, path))
            except UsageError as error:
                refused = refused or error
    raise refused or UsageError(f"no point has a block `{shown(path)}`")


class Setup(NamedTuple):
    """The evaluator of any points of a request; `grid` if it goes by rows, `numbered` by number."""

    engine: Engine
    compiled: bool
    collector: Callable[[], Collector]
    grid: RowGrid | None
    numbered: NumberedPoints | None

    def stream(self, points: Points, threads: int | None = None) -> Stream:
        """Return a stream over the request's points, on this many threads, else on all cores."""
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
    others = map(str, request.others)
    for name in dict.fromkeys((*sorted(request.condition.names), *others)):
        metric = ALIASES.get(name, name)
        if structure.recording.results is not None and metric in structure.recording.results:
            known = engine.structures.bounds(structure, metric)
            told.append(f"{name} is between {grouped(known.low)} and {grouped(known.high)}")
    message = f"--where: no point of the space can satisfy `{shown(request.where.strip())}`"
    raise UsageError(Diagnostic(message, help="; ".join(told)))
