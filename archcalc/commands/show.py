"""archcalc show: the layers of a network, with shapes and the two headline counts."""

from __future__ import annotations

from typing import Any

from archcalc.commands.options import (
    ALL,
    DEPTH,
    FORMAT,
    SORT,
    TOP,
    ModelCommand,
    end,
    show_ordered,
    spec_command,
)
from archcalc.network import Network
from archcalc.reports.model import Report
from archcalc.reports.show import report
from archcalc.reports.table import Table


@spec_command("show", cls=ModelCommand)
@SORT
@TOP
@ALL
@DEPTH
@FORMAT
def command(networks: list[Any], table: Table) -> None:
    """Show the layers of SPEC: output shape, parameters, multiplies.

    \b
    Example: archcalc show resnet50 --depth 1
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
    """
    show_ordered("show", [_report(network, table) for network in networks], table)
    end(networks)


def _report(network: Any, table: Table) -> Report:
    if isinstance(network, Network):
        return report(network, table)
    from archcalc.reports import models

    return models.layers(network, table)
