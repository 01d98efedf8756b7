"""archcalc sweep show: what a directory of a sweep holds."""

from __future__ import annotations

import click

from archcalc.commands.options import FORMAT, Suffixed, show
from archcalc.reports.sweep_folder import reports
from archcalc.sweeps.evaluation.collector import parse_goals
from archcalc.sweeps.metrics import ALIASES, MEANING
from archcalc.sweeps.results.store import open_store

NAMES = (*MEANING, *ALIASES)


@click.command("show")
@click.argument("path", metavar="DIR")
@click.option("--pareto", default="", metavar="NAMES", help="Rows that no other beats in all these.")
@click.option("--top", type=Suffixed(1, 10**6), default=10, metavar="N", help="The N best rows.")
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
    show("sweep", reports(store, goals, goal, top, spreads=format != "csv"), format)
