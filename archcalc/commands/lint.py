"""archcalc lint: what costs more than it must, or means another thing elsewhere."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.options import show, spec_command
from archcalc.lint import RULES
from archcalc.reports.lint import report
from archcalc.reports.table import Table
from archcalc.views import FORMATS

_FORMATS = click.Choice([*FORMATS, "github"])


@spec_command("lint")
@click.option(
    "--off",
    multiple=True,
    type=click.Choice(list(RULES)),
    metavar="RULE",
    help="A rule to leave out: one of those below.",
)
@click.option(
    "--align", type=click.IntRange(1, 4096), default=None, help="Also widths: multiples of it."
)
@click.option("--strict", is_flag=True, help="Exit code 1 if anything is found.")
@click.option(
    "--format", type=click.Choice([*FORMATS, "github"]), default="table", help="How to print it."
)
def command(
    networks: list[Network], table: Table, off: tuple[str, ...], align: int | None, strict: bool
) -> None:
    """Look SPEC over: each finding with its layer, its number, and a remedy.

    \b
    Example: archcalc lint alexnet --input 224
             archcalc lint my-net.toml --align 8 --strict

    \b
    unread      positions of a map that strides skip or never reach
    same, ceil  padding and rounding that other frameworks do not have
    field       layers that see more than the image, and how much at the end
    bottleneck  more than 5 times fewer values in one step, with no way around
    bias        biases that a batch norm takes away
    unused      variables that nothing reads, whatever the others are
    align       channels that are no multiple of --align
    peak        a tensor of half of the values alive at the peak
    dense       a dense layer on a flattened map with half of the parameters
    """
    made = [report(network, frozenset(off), align or 0) for network in networks]
    show("lint", [shown for shown, _ in made], table.format)
    if strict and any(count for _, count in made):
        click.get_current_context().exit(1)
