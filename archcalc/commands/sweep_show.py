"""archcalc sweep show: what a directory of a sweep holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

from archcalc.commands.options import FORMAT, Count, show
from archcalc.sweeps.evaluation.collector import Goal, parse_goals
from archcalc.sweeps.metrics import ALIASES, MEANING
from archcalc.sweeps.results.histograms import histograms
from archcalc.sweeps.results.parts import POINT
from archcalc.sweeps.results.store import Store, open_store
from archcalc.sweeps.results.stored import Summary, summarize
from archcalc.units import grouped, printable
from archcalc.views.report import Column, Report, spark

STEPS = 12  # of a histogram
NAMES = (*MEANING, *ALIASES)
SPREADS = (
    Column("name", "metric", "name"),
    Column("least", "least", "count"),
    Column("mean", "mean", "count"),
    Column("most", "most", "count"),
    Column("histogram", "histogram", "words"),
    Column("meaning", "", "words", spare=1),
)
_SPARE = {"weights": 3, "stored": 4, "field": 5, "output": 1}
_VALUE = re.compile(r"\{\w+\}")  # in a reason, of the points that it refused


@click.command("show")
@click.argument("path", metavar="DIR")
@click.option("--pareto", default="", metavar="NAMES", help="Rows that no other beats in all these.")
@click.option("--top", type=Count(1, 10**6), default=10, metavar="N", help="The N best rows.")
@click.option("--by", default="multiplies", metavar="NAME", help="What is best, or max:NAME.")
@FORMAT
def command(path: str, pareto: str, top: int, by: str, format: str) -> None:
    """Show what DIR holds: how metrics spread over its rows, and the best rows or the front.

    \b
    Example: archcalc sweep show results --pareto params,multiplies

    \b
    least, mean, most   of the rows of a metric; `archcalc sweep --help` says what each is
    histogram           how many rows lie in each of 12 steps between the least and the most
    networks            points that are networks
    rows                those that satisfy --where of the sweep: what DIR holds
    """
    store = open_store(path)
    goals = parse_goals(pareto, NAMES, "--pareto") if pareto else ()
    (goal, *_) = parse_goals(by, NAMES, "--by")
    shown(store, goals, goal, top, format)


def shown(store: Store, pareto: Sequence[Goal], by: Goal | None, top: int, format: str) -> None:
    """Print what a directory holds."""
    goal = by or Goal("multiplies", False)
    summary = summarize(store, pareto, goal, top)
    reports = [_chosen(store, summary, pareto, goal)]
    if format != "csv" and summary.rows:
        reports.append(_spreads(store, summary))
    show("sweep", reports, format)


def _chosen(store: Store, summary: Summary, pareto: Sequence[Goal], by: Goal) -> Report:
    names = list(store.manifest["space"])
    columns = [Column(name, name, "text") for name in names]
    columns += [Column(name, name, "count", spare=_SPARE.get(name, 0)) for name in MEANING]
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
