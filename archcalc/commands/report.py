"""archcalc report: networks as one page that needs nothing else."""

from __future__ import annotations

import os
from typing import Any

import click

from archcalc.api import Network
from archcalc.commands.options import SpecCommand, spec_command
from archcalc.errors import Diagnostic, UsageError, listed
from archcalc.reports.column import column
from archcalc.reports.compare import compared
from archcalc.reports.differences import DifferenceOptions
from archcalc.reports.page import Chart, balls, gathered
from archcalc.reports.sweep_page import gathered as gathered_sweep
from archcalc.reports.table import Table
from archcalc.sweeps.results.store import open_store
from archcalc.units import grouped, printable
from archcalc.views.placing import check_suffix, put
from archcalc.views.report import render, swept


class PageCommand(SpecCommand):
    """A command over specs, or over the folder of a sweep."""

    def networks(self, ctx: click.Context, most: int | None) -> tuple[list[Any], list[str]]:
        words = ctx.params["words"]
        if len(words) == 1 and os.path.isdir(words[0]):
            return [open_store(words[0])], []
        return super().networks(ctx, most)


@spec_command("report", cls=PageCommand)
@click.option("-o", "--output", metavar="FILE", required=True, help="The page to write: report.html.")
@click.option(
    "--by", "across", metavar="FILE:COLUMN", help="Of several: a column of a CSV, as accuracy."
)
def command(networks: list[Any], output: str, across: str | None) -> None:
    """Write a page of SPEC: picture, layers, memory, receptive field, census, budget, lint, in print.

    It is one file that asks for nothing from anywhere: send it, open it, print it. A layer that is
    pointed at, or reached by Tab, lights up in the picture, the table and the charts. Of several
    SPECs: their totals and differences, and a chart of balls, first. Of a sweep's folder (its -o):
    its rows over two metrics with their front, how they spread, and the front as a table.

    \b
    Example: archcalc report resnet50 -o resnet50.html
             archcalc report results -o results.html
             archcalc report resnet18 vgg16 --by accuracy.csv:top1 -o nets.html

    \b
    ×             equal layers in a row, on maps of one size; counts are of all
    alive         values alive while a layer runs; of a row, the most
    multiplies    as in `archcalc flops`; parameters as in `archcalc params`
    FILE:COLUMN   a row a network, named in `name` or in the first column as
                  above: resnet18, resnet50:stride=1x1, my-net
    """
    check_suffix(output, (".html", ".htm"))
    if across and len(networks) < 2:
        help = "name several SPECs, or leave --by away"
        raise UsageError(Diagnostic("--by is for the chart of several networks", help=help))
    page = swept(gathered_sweep(networks[0])) if _is_store(networks) else _page(networks, across)
    put(output, page.encode())
    click.echo(f"{printable(output)}: {grouped(len(page.encode()))} bytes")


def _is_store(networks: list[Any]) -> bool:
    return not isinstance(networks[0], Network)


def _page(networks: list[Network], across: str | None) -> str:
    several = len(networks) > 1
    wanted = DifferenceOptions(
        "multiplies", None, Table("html", None, False, False), "archcalc diff --all"
    )
    chart = _chart(networks, across) if several else None
    together = compared(networks, wanted) if several else []
    return render([gathered(network) for network in networks], together, chart)


def _chart(networks: list[Network], across: str | None) -> Chart:
    """Return the balls of all networks, or of those that a column names.

    Raises:
        UsageError: it names none.
    """
    if across is None:
        return Chart(balls(networks, None)[0], "parameters", ())
    values = column(across)
    found, missing = balls(networks, values)
    path, _, name = across.rpartition(":")
    if not found:
        message = f"--by: {printable(path)} names none of {listed(missing)}"
        raise UsageError(Diagnostic(message, help=f"it names {listed(values) or 'nothing'}"))
    return Chart(found, name, tuple(missing))
