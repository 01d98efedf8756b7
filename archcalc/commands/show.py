"""archcalc show: the layers of a network, with shapes and the two headline counts."""

from __future__ import annotations

from typing import Any

import click

from archcalc.commands.as_tool import layers_of
from archcalc.commands.dtype import TYPES
from archcalc.commands.options import (
    ALL,
    DEPTH,
    FORMAT,
    SORT,
    TOP,
    ModelCommand,
    Size,
    Suffixed,
    end,
    show_ordered,
    spec_command,
)
from archcalc.commands.yielding import Yielding
from archcalc.errors import Diagnostic, UsageError
from archcalc.network import Network
from archcalc.reports.model import Report
from archcalc.reports.show import report
from archcalc.reports.table import Table


@spec_command("show", cls=ModelCommand)
@click.option("--roofline", cls=Yielding, is_flag=True, help="How fast each layer can be at most.")
@click.option(
    "--flops-per-s",
    cls=Yielding,
    type=Suffixed(1, 2**62),
    metavar="RATE",
    help="With --roofline: as in 4T.",
)
@click.option(
    "--bytes-per-s", cls=Yielding, type=Size(), metavar="RATE", help="With --roofline: as in 50G."
)
@click.option("--device", cls=Yielding, metavar="NAME", help="With --roofline: both, as in a100-80gb.")
@click.option("--dtype", type=TYPES, metavar="TYPE", help="With --roofline: as in `archcalc memory`.")
@click.option("--batch", type=click.IntRange(1, 2**31), help="With --roofline: images at once.")
@SORT
@TOP
@ALL
@DEPTH
@FORMAT
def command(networks: list[Any], table: Table, roofline: bool, **asked: Any) -> None:
    """Show the layers of SPEC: output shape, parameters, multiplies.

    \b
    Example: archcalc show resnet50 --depth 1
             archcalc show resnet50 --roofline --flops-per-s 4T --bytes-per-s 50G
    A model file may stand for SPEC (.pt2, .onnx, .keras): archcalc help models

    \b
    output          height × width × channels; a vector has channels only
    parameters      what training can change
    multiplies      products of a weight and an input value (MACs), for one image
    field           pixels of the image that one value depends on (see `field`)
    alive           values alive while the layer runs, the peak in the last line
                    (see `memory`)
    weight layers   conv and linear layers on the longest way: why VGG-16 is so
                    called
    moved           with --roofline: bytes of inputs, output and weights
    FLOPs a byte    FLOPs (2 × multiplies) of each byte that is moved
    bound           what takes longer: compute, at --flops-per-s, or memory, at
                    --bytes-per-s; the least time is that one's: a bound, no
                    measurement (archcalc help budgets)
    """
    given = {name: value for name, value in asked.items() if value is not None}
    reports = [
        _roofline(network, table, given) if roofline else _report(network, table) for network in networks
    ]
    if given and not roofline:
        option = next(iter(given)).replace("_", "-")
        raise UsageError(Diagnostic(f"--{option} counts with --roofline only", help="add --roofline"))
    show_ordered("show", reports, table)
    end(networks)


def _roofline(network: Any, table: Table, given: dict[str, Any]) -> Report:
    from archcalc.reports import roofline

    return roofline.report(layers_of(network, "roofline"), table, roofline.Roofline(**given))


def _report(network: Any, table: Table) -> Report:
    if isinstance(network, Network):
        return report(network, table)
    from archcalc.reports import models

    return models.layers(network, table)
