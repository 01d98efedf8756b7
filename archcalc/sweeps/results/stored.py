"""Run a sweep into a directory, and summarize a directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from archcalc.sweeps.evaluation.collector import MOST_IN_FRONT, Collector, Goal
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.run import Progress, Request, prepare
from archcalc.sweeps.evaluation.stream import Chunk, Stream
from archcalc.sweeps.evaluation.told import Tell, silent
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.results.parts import POINT, Part
from archcalc.sweeps.results.store import Store


def sweep_into(store: Store, request: Request, progress: Progress, tell: Tell = silent) -> None:
    """Evaluate the missing parts, and write each as soon as it is complete."""
    setup = prepare(only_rows(request), True, tell)
    for points in write_parts(store, setup.stream(request.points), missing_parts(store, progress)):
        progress(points)


def only_rows(request: Request) -> Request:
    """Return the request without its goals."""
    return request._replace(pareto=(), by=None, top=1)


def missing_parts(store: Store, progress: Progress) -> list[int]:
    """Return the numbers of parts not done or damaged; tell `progress` of the others."""
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
            store.write(number, engine.points, _part(engine, waiting), _counts(engine, waiting))
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


def _counts(engine: Engine, chunks: Sequence[Chunk]) -> dict[str, Any]:
    counter = _counter()
    for chunk in chunks:
        counter.add(chunk.found, chunk.lanes, chunk.begin)
    refused = {
        engine.told.reasons[reason - 1]: [count, counter.examples[reason]]
        for reason, count in counter.refused.items()
    }
    return {"points": counter.seen, "networks": counter.valid, "rows": counter.kept, "refused": refused}


class MetricSpread(NamedTuple):
    """How a metric spreads over the rows."""

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
    """Read the parts twice: for counts and the choice of rows, then for the chosen rows."""
    from archcalc.sweeps.machine.fronts import Best, Front, stacked
    from archcalc.sweeps.machine.histograms import Extremes

    counts = store.counts()
    refused: dict[str, int] = {}
    for count in counts.values():
        for reason, (points, _) in count["refused"].items():
            refused[reason] = refused.get(reason, 0) + points
    front, best = Front(len(pareto), MOST_IN_FRONT), Best(top)
    extents, wanted = {name: Extremes() for name in MEANING}, list(pareto) or [by]
    names = tuple(dict.fromkeys((POINT, *MEANING, *(goal.name for goal in wanted))))
    for part in sorted(counts):
        for batch in store.columns(part, names):
            for name, extent in extents.items():
                extent.add(batch[name])
            goals = [batch[goal.name] * (-1 if goal.most else 1) for goal in wanted]
            if pareto:
                front.add(stacked(goals), batch[POINT])
            else:
                best.add(goals[0], batch[POINT])
    kept = front.numbers if pareto else best.numbers
    rows = list(_rows(store, sorted(counts), kept.tolist(), names))
    if pareto:
        rows.sort(key=lambda row: (row[pareto[0].name] * (-1 if pareto[0].most else 1), row[POINT]))
    done, networks, whole = (sum(c[k] for c in counts.values()) for k in ("points", "networks", "rows"))
    spreads = tuple(
        MetricSpread(k, e.least, e.total // whole, e.most) for k, e in extents.items() if whole
    )
    return Summary(store.size, done, networks, whole, refused, spreads, tuple(rows), front.dropped)


def _rows(
    store: Store, parts: Sequence[int], numbers: Sequence[int], whole: Sequence[str]
) -> tuple[dict[str, Any], ...]:
    """Return the rows of these points, in their order; the `whole` columns are integers."""
    wanted, found = set(numbers), dict[int, dict[str, Any]]()
    for part in (p for p in parts if any(n // store.part == p for n in wanted)):
        for batch in store.rows(part):
            for i, number in enumerate(batch.get(POINT, ())):
                if int(number) in wanted:
                    row = {name: values[i] for name, values in batch.items()}
                    found[int(number)] = row | {name: int(row[name]) for name in whole}
    return tuple(found[number] for number in numbers)
