"""archcalc report: networks as one page that needs nothing else."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.options import spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.column import column
from archcalc.reports.compare import compared
from archcalc.reports.differences import Wanted
from archcalc.reports.page import balls, gathered
from archcalc.reports.table import Table
from archcalc.units import grouped, printable
from archcalc.views.placing import check_suffix, put
from archcalc.views.report import render


@spec_command("report")
@click.option("-o", "--output", metavar="FILE", required=True, help="The page to write: report.html.")
@click.option("--y", "across", metavar="FILE:COLUMN", help="Of several: a column of a CSV, as accuracy.")
def command(networks: list[Network], output: str, across: str | None) -> None:
    """Write a page of SPEC: picture, layers, memory, receptive field, census, numbers in print.

    It is one file that asks for nothing from anywhere: send it, open it, print it. A layer that is
    pointed at, or reached by Tab, lights up in the picture, the table and the charts. Of several
    SPECs: their totals and differences, and a chart of balls, first.

    \b
    Example: archcalc report resnet50 -o resnet50.html
             archcalc report resnet18 vgg16 --y accuracy.csv:top1 -o nets.html

    \b
    ×             equal layers in a row, on maps of one size; counts are of all
    alive         values alive while a layer runs; of a row, the most
    multiplies    as in `archcalc flops`; parameters as in `archcalc params`
    FILE:COLUMN   a row a network, named in its first column or in `name`
    """
    check_suffix(output, (".html", ".htm"))
    several = len(networks) > 1
    if across and not several:
        help = "name several SPECs, or leave --y away"
        raise UsageError(Diagnostic("--y is for the chart of several networks", help=help))
    values = column(across) if across else None
    wanted = Wanted("multiplies", None, Table("html", None, False, False))
    page = render(
        [gathered(network) for network in networks],
        compared(networks, wanted) if several else [],
        balls(networks, values) if several else [],
        across.rpartition(":")[2] if across else "parameters",
    )
    put(output, page.encode())
    click.echo(f"{printable(output)}: {grouped(len(page.encode()))} bytes")
