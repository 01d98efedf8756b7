"""archcalc check: does it fit the budget?"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import click

from archcalc.api import Network
from archcalc.budget import LIMITS, WHERE
from archcalc.commands.dtype import TYPES
from archcalc.commands.options import show, spec_command
from archcalc.commands.revision import at_revision
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.check import Growth, report
from archcalc.reports.table import Table
from archcalc.spec.model import Limit
from archcalc.units import printable
from archcalc.views import FORMATS

_FORMATS = click.Choice([*FORMATS, "github"])


def _limits(function: Any) -> Any:
    """Add an option for each limit."""
    for name, metric in reversed(LIMITS.items()):
        way = "At most so many" if name.startswith("max") else "At least so many"
        names = ("--max-multiplies", "--max-macs") if metric == "multiplies" else (f"--{name}",)
        limit = click.option(*names, name.replace("-", "_"), metavar="COUNT", help=f"{way} {metric}.")
        function = limit(function)
    return function


@spec_command("check")
@_limits
@click.option("--where", multiple=True, metavar="CONDITION", help="A condition that must hold.")
@click.option("--dtype", type=TYPES, metavar="TYPE", help="As in `archcalc memory`.")
@click.option("--against", metavar="REV", help="Totals must not grow against this git revision.")
@click.option("--tolerance", metavar="SHARE", default="0", help="How much they may: 1%.")
@click.option("--format", type=_FORMATS, default="table", help="How to print it.")
def command(
    networks: list[Network],
    where: tuple[str, ...],
    dtype: str | None,
    against: str | None,
    tolerance: str,
    table: Table,
    **bounds: str | None,
) -> None:
    """Hold SPEC against its budget; exit code 1 if it is over.

    \b
    Example: archcalc check mobilenet_v2 --max-params 5M --max-peak 1MiB

    Limits stand in the spec, too: see `archcalc help budgets`.

    \b
    parameters, multiplies    as in `archcalc params` and `archcalc flops`
    weights, stored, peak     bytes (512KiB, 1MB), as in `archcalc memory`
    field, output             pixels: what the network sees, its last map's side
    of bound                  what there is, in percent of the limit
    over, short               by how much
    --against                 parameters, multiplies, weights and peak of the
                              same file at a git revision
    --format github           annotations of a workflow, at the lines of the spec
    """
    share, limits = _share(tolerance), _given(where, bounds)
    befores = [at_revision(network, against) if against else None for network in networks]
    made = [report(n, limits, dtype, Growth(b, share)) for n, b in zip(networks, befores, strict=True)]
    show("check", [shown for shown, _ in made], table.format)
    if not all(fits for _, fits in made):
        click.get_current_context().exit(1)


def _given(where: tuple[str, ...], bounds: dict[str, str | None]) -> list[Limit]:
    """Return the limits of the command line."""
    limits = [Limit(name.replace("_", "-"), text) for name, text in bounds.items() if text is not None]
    return limits + [Limit(WHERE, text) for text in where]


def _share(text: str) -> Fraction:
    number = text.strip().removesuffix("%")
    if not number.replace(".", "", 1).isdecimal() or len(number) > 12:
        message = f"`{printable(text)}` is no share"
        raise UsageError(Diagnostic(message, help="as in `--tolerance 1%` or `--tolerance 0.01`"))
    return Fraction(number) / (100 if text.strip().endswith("%") else 1)
