"""archcalc explain: the arithmetic behind every number, factor by factor."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.options import FORMAT, show, spec_command
from archcalc.reports.explain import reports
from archcalc.reports.table import Table


@spec_command("explain", most=1, usage="SPEC [LAYER]...")
@click.option(
    "--symbol", multiple=True, metavar="VARIABLE", help="Keep this integer variable as a symbol."
)
@FORMAT
def command(networks: list[Network], table: Table, symbol: tuple[str, ...], words: list[str]) -> None:
    """Explain the numbers of SPEC, or of each LAYER or block of it: the arithmetic, factor by factor.

    \b
    Example: archcalc explain inception 5x5/conv --bottleneck 16
             archcalc explain inception 5x5 --bottleneck 16 --symbol bottleneck

    \b
    weights, biases, …   the sizes of the layer's tensors
    multiplies           outputs × the products that each of them sums up
    additions, …         the rest of the census, likewise
    connections          links from an input value to an output, and the biases
    --symbol             formulas in that variable, and their value at its own
    """
    show("explain", reports(networks[0], symbol, words, table), table.format)
