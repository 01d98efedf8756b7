"""Report a sweep's directory: its best rows or its front, and the distribution of the metrics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archcalc.reports.model import Column, Report, spark
from archcalc.reports.sweep import SPARE
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.results.histograms import histograms
from archcalc.sweeps.results.parts import POINT
from archcalc.sweeps.results.store import Store
from archcalc.sweeps.results.stored import Summary, summarize
from archcalc.units import grouped, printable

STEPS = 12  # of a histogram

SPREADS = (
    Column("name", "metric", "name"),
    Column("least", "least", "count"),
    Column("mean", "mean", "count"),
    Column("most", "most", "count"),
    Column("histogram", "histogram", "words"),
    Column("meaning", "", "words", spare=1),
)

_VALUE = re.compile(r"\{\w+\}")  # the place of a value in the template of a reason


def reports(
    store: Store, pareto: Sequence[Goal], by: Goal | None, top: int, spreads: bool = True
) -> list[Report]:
    """Return the front or the best rows; with `spreads`, also each metric's distribution."""
    goal = by or Goal("multiplies", False)
    summary = summarize(store, pareto, goal, top)
    found = [_chosen(store, summary, pareto, goal)]
    if spreads and summary.rows:
        found.append(_spreads(store, summary))
    return found


def _chosen(store: Store, summary: Summary, pareto: Sequence[Goal], by: Goal) -> Report:
    names = list(store.manifest["space"])
    columns = [Column(name, name, "text") for name in names]
    columns += [Column(name, name, "count", spare=SPARE.get(name, 0)) for name in MEANING]
    rows = [{**row, **{name: printable(str(row[name])) for name in names}} for row in summary.chosen]
    space = f"{grouped(summary.done)} of {grouped(summary.points)} points"
    lines = [f"{grouped(summary.networks)} are networks; {grouped(summary.rows)} rows"]
    if summary.done < summary.points:
        lines.append("incomplete: the same sweep with --resume goes on")
    lines += [
        f"{grouped(count)} refused: {printable(_VALUE.sub('…', reason))}"
        for reason, count in summary.refused.items()
    ]
    what = f"front of {', '.join(map(str, pareto))}" if pareto else f"the best by {by}"
    lines.append(f"shown: {what}{', capped: there are more' if summary.capped else ''}")

    def documents() -> list[dict[str, Any]]:
        found = summary._asdict() | {"spreads": [s._asdict() for s in summary.spreads]}
        return [{"manifest": store.manifest, "sweep": found}]

    title = f"{printable(str(store.manifest['network']))} · {space}"
    kept = [{k: v for k, v in row.items() if k != POINT} for row in rows]
    return Report(title, tuple(columns), tuple(kept), None, tuple(lines), documents, "sweep")


def _spreads(store: Store, summary: Summary) -> Report:
    found = histograms(store, list(MEANING), STEPS, "auto")
    rows = tuple(
        {
            **spread._asdict(),
            "meaning": MEANING[spread.name],
            "histogram": spark(found[spread.name].counts),
        }
        for spread in summary.spreads
    )
    ratios = [name for name, one in found.items() if one.bins.log]
    told = f"; of equal ratio: {', '.join(ratios)}" if ratios else ""
    remark = f"histogram: rows from the least to the most in equal steps{told}"
    return Report("How the metrics spread", SPREADS, rows, None, (remark,), list, "sweep")
