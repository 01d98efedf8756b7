"""archcalc sweep plot: pictures of what a directory of a sweep holds."""

from __future__ import annotations

import click

from archcalc.commands.options import show
from archcalc.errors import UsageError
from archcalc.reports.histogram import report, told_rows
from archcalc.sweeps.evaluation.collector import Goal, parse_goals
from archcalc.sweeps.metrics import ALIASES, MEANING
from archcalc.sweeps.results.histograms import Scale, density, histograms
from archcalc.sweeps.results.store import Store, open_store
from archcalc.units import printable

FINE, COARSE = 2_048, 16  # bins of a curve, and of a histogram in text


@click.command("plot")
@click.argument("path", metavar="DIR")
@click.option("--x", metavar="NAME", help="A metric, to the right; multiplies if there is none.")
@click.option("--y", metavar="NAME", help="A metric, upwards; parameters if there is none.")
@click.option("--cumulative", metavar="NAME", help="Instead: the share of rows with at most so much.")
@click.option(
    "--scale", type=click.Choice(("auto", "log", "linear")), default="auto", help="Of metrics."
)
@click.option("-o", "--output", metavar="FILE", help="An .svg, .png or .pdf; else histograms as text.")
def command(
    path: str, x: str | None, y: str | None, cumulative: str | None, scale: Scale, output: str | None
) -> None:
    """Draw how the rows of DIR spread over two metrics, with their front, or over one.

    \b
    Example: archcalc sweep plot results --x multiplies --y max:params -o front.svg
             archcalc sweep plot results --cumulative peak -o peak.png
             archcalc sweep plot results

    \b
    --x, --y      of what `archcalc sweep --help` lists; max:NAME is best if it is large
    front         rows that no other beats in both; 10,000 at most
    rows a cell   how many rows lie there; up to 20,000 rows are points instead
    --scale       auto: equal ratios where the most is 20 times the least, or more
    so far        share of the rows with at most so much
    """
    if cumulative and (x or y):
        raise UsageError("--cumulative draws one metric: no --x and no --y go with it")
    if cumulative:
        goals = [_goal(cumulative, "--cumulative")]
    else:
        goals = [_goal(x or "multiplies", "--x"), _goal(y or "parameters", "--y")]
        if goals[0].name == goals[1].name:
            raise UsageError(f"--x and --y are both {goals[0].name}")
    store = open_store(path)
    if output is None:
        found = histograms(store, [goal.name for goal in goals], COARSE, scale)
        show("sweep", [report(store, name, spread) for name, spread in found.items()], "table")
    else:
        click.echo(_drawn(store, goals, scale, output))


def _goal(text: str, option: str) -> Goal:
    goals = parse_goals(text, (*MEANING, *ALIASES), option)
    if len(goals) > 1:
        raise UsageError(f"{option} takes one name")
    return goals[0]


def _drawn(store: Store, goals: list[Goal], scale: Scale, output: str) -> str:
    """Draw the picture, and print what it shows."""
    from archcalc.views.plot import check, draw_cumulative, draw_density

    check(output)
    title = printable(str(store.manifest["network"]))
    if len(goals) == 1:
        name = goals[0].name
        found = histograms(store, [name], FINE, scale)[name]
        remark = told_rows(store, found.rows)
        draw_cumulative(output, title, remark, name, found)
    else:
        x, y = goals
        spread = density(store, x, y, scale)
        remark = told_rows(store, spread.rows)
        draw_density(output, title, remark, (x, y), spread)
        remark += f", {spread.best} in the front"
    return f"{printable(output)}: {remark}"
