"""archcalc compare: networks, or settings of one, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from archcalc.api import Network
from archcalc.commands.options import (
    ALL,
    DEPTH,
    FORMAT,
    TOP,
    ModelCommand,
    SpecCommand,
    end,
    show,
    spec_command,
)
from archcalc.commands.revision import at_revision
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.compare import compared
from archcalc.reports.differences import MEASURED, DifferenceOptions
from archcalc.reports.table import Table


def example_of(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put this command's name into the example of a docstring."""

    def told(function: Callable[..., None]) -> Callable[..., None]:
        function.__doc__ = str(function.__doc__).replace(
            "Example: archcalc diff", f"Example: archcalc {name}"
        )
        return function

    return told


def made(name: str) -> SpecCommand:
    """Return the command under one of its two names."""

    @spec_command(name, cls=ModelCommand)
    @click.option("--git", "revision", metavar="REV", help="A file against itself at this revision.")
    @click.option("--by", type=click.Choice(MEASURED), default="multiplies", help="Which count to show.")
    @click.option("--sort", metavar="COLUMN", help="Order rows by a column, the largest change first.")
    @TOP
    @ALL
    @DEPTH
    @FORMAT
    @example_of(name)
    def command(
        networks: list[Any], table: Table, by: str, sort: str | None, revision: str | None
    ) -> None:
        """Compare SPECs: totals side by side, then the layers, aligned by what they are.

        \b
        Example: archcalc diff resnet50 resnet50:stride=1x1
                 archcalc diff --git main my-net.toml

        \b
        parameters, multiplies, FLOPs   as in `archcalc params` and `archcalc flops`
        stored, peak                    values, as in `archcalc memory`
        receptive field                 pixels, as in `archcalc field`
        ratios, layers                  against the first SPEC
        same, changed                   a layer in the same place: alike, or other
                                        in arguments, input or output
        moved                           alike, in another place
        alive                           values at once; of several, the most
        ±                               what the later SPEC has more or less
        new, gone                       only in the later or in the first SPEC
        total                           of all layers, also those not shown (--all)
        """
        if revision is not None:
            _refuse_model(networks[0])
            networks = [at_revision(network, revision) for network in networks[:1]] + networks
        _show(name, networks, DifferenceOptions(by, sort, table))

    return command


command = made("compare")


def _refuse_model(network: Any) -> None:
    if not isinstance(network, Network):
        message = "--git compares a spec with itself at another revision, not a model file"
        raise UsageError(Diagnostic(message, help="name two files"))


def _show(name: str, networks: list[Any], wanted: DifferenceOptions) -> None:
    """Report the totals of all, and the layers of each against those of the first."""
    if len(networks) < 2:
        help = f"as in `archcalc {name} vgg16 resnet50` or `resnet50 resnet50:stride=1x1`"
        raise UsageError(Diagnostic(f"{name} needs two SPECs or more", help=help))
    if all(isinstance(network, Network) for network in networks):
        show(name, compared(networks, wanted), wanted.table.format)
        return
    if wanted.by == "alive":
        help = "--by multiplies or parameters"
        raise UsageError(Diagnostic("nothing is known of what a model file holds alive", help=help))
    from archcalc.reports.compared_models import compared as compared_models

    show(name, compared_models(networks, wanted), wanted.table.format)
    end(networks)
