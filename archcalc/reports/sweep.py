"""Report a sweep: its front, its best rows, or its first ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.api import Network
from archcalc.reports.documents import document
from archcalc.reports.layout import label
from archcalc.reports.model import Column, Report
from archcalc.sweeps.evaluation.run import Outcome, PointRow
from archcalc.sweeps.metrics import IN_BYTES, MEANING, OTHERS, Count
from archcalc.sweeps.space.model import Axis
from archcalc.sweeps.space.points import Points
from archcalc.units import grouped, printable

SPARE = {"weights": 3, "stored": 4, "peak": 0, "field": 5, "output": 1}


def report(network: Network, outcome: Outcome) -> Report:
    """Return the rows that a sweep kept; remarks count the refused points by reason."""
    asked = outcome.request
    rows = list(outcome.rows())
    columns = _columns(asked.points.space.axes, asked.others, any(row.points > 1 for row in rows))
    cells = tuple(_cells(row) for row in rows)

    def documents() -> list[dict[str, Any]]:
        return [document(network, network.analyze()) | {"sweep": _document(outcome, rows)}]

    return Report(
        _title(network, asked.points), columns, cells, None, _remarks(outcome), documents, label(network)
    )


def solved(network: Network, outcome: Outcome) -> Report:
    """Return the best points of a sweep; remarks say how many were searched."""
    found, collected = report(network, outcome), outcome.collected
    asked = f"satisfy {printable(outcome.request.where.strip())}" if outcome.request.where else "fit"
    looked = f"{grouped(collected.seen)} points evaluated"
    if outcome.skipped:
        looked += (
            f", {grouped(outcome.skipped)} left out, as bounds show that they cannot fit or be better"
        )
    lines = [f"searched: {looked}; {grouped(collected.kept)} {asked}"]
    if collected.kept:
        lines.append(f"the best by {outcome.request.by} of all; {', '.join(IN_BYTES)}: bytes")
    return found._replace(remarks=tuple(lines))


def _title(network: Network, points: Points) -> str:
    space = max(points.space.size, points.size)  # a file may name a point twice
    count = grouped(space) if space < 10**12 else f"{space:.1e}".replace("e+", "·10^")
    what = f"{count} points" if points.size == space else f"{grouped(points.size)} of {count} points"
    return f"{printable(network.title)} · {what}"


def _columns(axes: Sequence[Axis], others: Sequence[Count], counted: bool) -> tuple[Column, ...]:
    variables = [Column(axis.name, axis.name, "text") for axis in axes]
    named = [Column(str(one), str(one), "count") for one in others]
    measures = [Column(name, name, "count", spare=SPARE.get(name, 0)) for name in MEANING]
    counts = [Column("count", "count", "count", spare=2)] if counted else []
    return (*variables, *named, *measures, *counts)


def _cells(row: PointRow) -> dict[str, Any]:
    return {**{k: printable(v) for k, v in row.values.items()}, **row.metrics, "count": row.points}


def _remarks(outcome: Outcome) -> tuple[str, ...]:
    collected, asked = outcome.collected, outcome.request
    valid = f"{grouped(collected.valid)} of {grouped(collected.seen)} points are networks"
    if asked.condition is not None:
        valid += f"; {grouped(collected.kept)} satisfy {printable(asked.where.strip())}"
    lines = [valid]
    if outcome.skipped:
        lines.append(f"{grouped(outcome.skipped)} never evaluated: bounds show that none can satisfy it")
    for refusal in outcome.refusals():
        place = ", ".join(f"{k}={printable(v)}" for k, v in refusal.example.items())
        lines.append(f"{grouped(refusal.points)} refused: {refusal.message} (as at {place})")
    front = collected.front
    if asked.pareto:
        goals = ", ".join(map(str, asked.pareto))
        count = len(front.numbers)
        size = f"{grouped(count)} {'entry' if count == 1 else 'entries'}"
        if front.dropped:
            size = f"capped at {size}: there are more"
        lines.append(f"front of {goals}: {size}")
    elif collected.kept > len(collected.best.numbers):
        shown = f"the best by {asked.by}" if asked.by else "the first"
        lines.append(f"shown: {shown} {grouped(len(collected.best.numbers))}")
    counted = [str(one) for one in asked.others]
    sizes = [*IN_BYTES, *(name for name in counted if name in OTHERS and name != "roofline")]
    times = "; roofline: nanoseconds" if "roofline" in counted else ""
    return (*lines, f"{', '.join(sizes)}: bytes{times}")


def _document(outcome: Outcome, rows: Sequence[PointRow]) -> dict[str, Any]:
    collected, asked = outcome.collected, outcome.request
    return {
        "space": str(asked.points.space.size),  # may have more digits than a number of JSON
        "points": collected.seen,
        "skipped": outcome.skipped,
        "networks": collected.valid,
        "satisfying": collected.kept,
        "pareto": [str(goal) for goal in asked.pareto],
        "complete": not collected.front.dropped,
        "refused": [refusal._asdict() for refusal in outcome.refusals()],
        "rows": [row._asdict() for row in rows],
        "notes": list(outcome.engine.messages.notes),
    }
