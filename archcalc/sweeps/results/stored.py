"""Run a sweep into a directory, and summarize a directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcalc.sweeps.evaluation.ahead import record_ahead
from archcalc.sweeps.evaluation.collector import MOST_IN_FRONT, Collector, Goal
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.messages import Tell, silent
from archcalc.sweeps.evaluation.request import Request
from archcalc.sweeps.evaluation.run import Progress, prepare
from archcalc.sweeps.evaluation.stream import Chunk, Stream
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.results.histograms import extents
from archcalc.sweeps.results.parts import POINT, Part
from archcalc.sweeps.results.store import Store
from archcalc.tuples import NamedTuple


def sweep_into(
    store: Store, request: Request, progress: Progress, tell: Tell = silent, processes: int = 1
) -> None:
    """Evaluate the missing parts, and write each as soon as it is complete.

    `processes` as for `archcalc.sweeps.evaluation.run.sweep`.
    """
    setup = prepare(only_rows(request), True, tell)
    record_ahead(setup.engine.structures, processes)
    for points in write_parts(store, setup.stream(request.points), missing_parts(store, progress)):
        progress(points)


def only_rows(request: Request) -> Request:
    """Return the request without its goals."""
    return request._replace(pareto=(), by=None, top=1)


def missing_parts(store: Store, progress: Progress) -> list[int]:
    """Return the numbers of missing or damaged parts; report the others to `progress`."""
    done = store.sound()
    for number in done:
        progress(min(store.part, store.size - number * store.part))
    return [number for number in range(store.parts) if number not in done]


def write_parts(store: Store, stream: Stream, parts: Sequence[int]) -> Iterator[int]:
    """Evaluate parts, write each as soon as it is complete, and yield numbers of points."""
    engine, waiting = stream.engine, list[Chunk]()
    ranges = ((n * store.part, min((n + 1) * store.part, store.size)) for n in parts)
    for chunk in stream.pieces(ranges):
        waiting.append(chunk)
        yield chunk.end - chunk.begin
        if chunk.end % store.part == 0 or chunk.end == store.size:
            number = chunk.begin // store.part
            part = _part(engine, waiting)
            store.write(number, engine.points, part, _counts(engine, waiting, part))
            waiting = []


def _counter() -> Collector:
    return Collector((), None, 1)


def _part(engine: Engine, chunks: Sequence[Chunk]) -> Part:
    join = engine.lanes.joined
    return Part(
        join([chunk.begin + chunk.lanes for chunk in chunks]),
        join([chunk.digits[:, chunk.lanes] for chunk in chunks]),
        join([chunk.found.results[: len(MEANING), chunk.lanes] for chunk in chunks]),
    )


def _counts(engine: Engine, chunks: Sequence[Chunk], part: Part) -> dict[str, Any]:
    counter = _counter()
    for chunk in chunks:
        counter.add(chunk.found, chunk.lanes, chunk.begin)
    refused = {
        engine.messages.reasons[reason - 1]: [count, counter.examples[reason]]
        for reason, count in counter.refused.items()
    }
    counted = {"points": counter.seen, "networks": counter.valid, "rows": counter.kept}
    return {**counted, "refused": refused, "spreads": _spreads(part)}


def _spreads(part: Part) -> dict[str, list[int]]:
    """Return the least, the most, the sum and the step of each metric."""
    from archcalc.sweeps.machine.histograms import Extremes

    found = {name: Extremes() for name in MEANING}
    for extent, values in zip(found.values(), part.results, strict=True):
        extent.add(values)
    return {name: [e.least, e.most, e.total, e.step] for name, e in found.items()}


class MetricSpread(NamedTuple):
    """The spread of a metric over the rows."""

    name: str
    least: int
    mean: int
    most: int


class Summary(NamedTuple):
    """The content of a directory.

    Attributes:
        done: points of the existing parts; `networks` and `rows` are among them.
        refused: points by reason.
        chosen: the rows of the front or the best ones, by column; `capped`: the front was full.
    """

    points: int
    done: int
    networks: int
    rows: int
    refused: dict[str, int]
    spreads: tuple[MetricSpread, ...]
    chosen: tuple[dict[str, Any], ...]
    capped: bool


def summarize(store: Store, pareto: Sequence[Goal], by: Goal, top: int) -> Summary:
    """Summarize the records of a directory, and read the rows that the goals choose."""
    counts = store.counts()
    refused: dict[str, int] = {}
    for count in counts.values():
        for reason, (points, _) in count["refused"].items():
            refused[reason] = refused.get(reason, 0) + points
    wanted = list(pareto) or [by]
    kept = _chosen(store, wanted, None if pareto else top)
    names = tuple(dict.fromkeys((POINT, *MEANING, *(goal.name for goal in wanted))))
    rows = _rows(store, kept.numbers.tolist(), names)
    if pareto:
        rows.sort(key=lambda row: (row[pareto[0].name] * (-1 if pareto[0].most else 1), row[POINT]))
    done, networks, whole = (sum(c[k] for c in counts.values()) for k in ("points", "networks", "rows"))
    known = extents(store, list(MEANING)) if whole else {}
    spreads = tuple(MetricSpread(k, e.least, e.total // whole, e.most) for k, e in known.items())
    return Summary(store.size, done, networks, whole, refused, spreads, tuple(rows), kept.dropped)


def _chosen(store: Store, goals: Sequence[Goal], top: int | None) -> Any:
    """Return the front, or the `top` best rows; parts whose bounds exclude them are not read."""
    from archcalc.sweeps.machine.fronts import Best, Front, stacked

    kept: Any = Front(len(goals), MOST_IN_FRONT) if top is None else Best(top)
    signs = [-1 if goal.most else 1 for goal in goals]
    for bounds, part in sorted((_bounds(record, goals), n) for n, record in store.counts().items()):
        if bounds and kept.surpasses(bounds):
            continue
        for batch in store.columns(part, [goal.name for goal in goals]):
            values = stacked([batch[g.name] * sign for g, sign in zip(goals, signs, strict=True)])
            kept.add(values if top is None else values[0], batch[POINT])
    return kept


def _bounds(record: Mapping[str, Any], goals: Sequence[Goal]) -> list[int]:
    """Return the best possible values of a part's goals; nothing if a goal is a variable."""
    if any(goal.name not in MEANING for goal in goals):
        return []
    ends = [record["spreads"][goal.name] for goal in goals]
    return [-end[1] if goal.most else end[0] for goal, end in zip(goals, ends, strict=True)]


def _rows(store: Store, numbers: Sequence[int], whole: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of these points, in their order; the `whole` columns are integers."""
    found: dict[int, dict[str, Any]] = {}
    by_part: dict[int, set[int]] = {}
    for number in numbers:
        by_part.setdefault(number // store.part, set()).add(number)
    for part, wanted in by_part.items():
        found |= {row[POINT]: row for row in store.rows(part, wanted, whole)}
    return [found[number] for number in numbers]
