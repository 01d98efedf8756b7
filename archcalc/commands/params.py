"""archcalc params: how many numbers the network learns, and where they sit."""

from __future__ import annotations

from typing import Any

import click

from archcalc.commands.as_tool import AS, layers_of
from archcalc.commands.options import TensorCommand, end, show_ordered, spec_command, table_options
from archcalc.network import Network
from archcalc.reports.model import Report
from archcalc.reports.params import report
from archcalc.reports.table import Table


@spec_command("params", cls=TensorCommand)
@AS
@click.option(
    "--freeze", multiple=True, metavar="PATTERN", help="Layers that training leaves: 'stage[1-3]'."
)
@table_options
def command(networks: list[Any], table: Table, tool: str | None, freeze: tuple[str, ...]) -> None:
    """Count the parameters of SPEC, by layer and role.

    \b
    Example: archcalc params vgg16 --classes 10
    A model file may stand for SPEC (.pt2, .onnx, .keras): archcalc help models

    \b
    weights, biases  what conv and linear layers learn
    norms            scale and shift of normalizations, learned too
    parameters       their sum: what training can change
    statistics       running mean and variance of batch norm (Keras counts them,
                     torch does not)
    frozen           of the parameters, those that training leaves as they are
                     (--freeze, or [train] in the spec)
    fixed            numbers set by hand, never learned (the RBF layer of 1998)
    share            of the network's parameters
    MiB              of all these numbers, at 4 bytes (float32), 2 (float16) or
                     1 (int8)
    module           with --as: what runs the layer in the code that the tool
                     looks at
    """
    show_ordered("params", [_report(network, table, tool, freeze) for network in networks], table)
    end(networks)


def _report(network: Any, table: Table, tool: str | None, freeze: tuple[str, ...]) -> Report:
    if tool or freeze:
        network = layers_of(network, "as" if tool else "freeze")
    if isinstance(network, Network):
        return report(network.freezing(freeze) if freeze else network, table, tool)
    from archcalc.imported import Tensors
    from archcalc.reports import models

    kept = isinstance(network, Tensors)
    return models.tensors(network, table) if kept else models.parameters(network, table)
