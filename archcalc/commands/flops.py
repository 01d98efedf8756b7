"""archcalc flops: the multiplies of a network, and everything else that it computes."""

from __future__ import annotations

from typing import Any

import click

from archcalc.commands.as_tool import AS, refuse_as_of_model, refuse_beside_as
from archcalc.commands.options import ModelCommand, end, show_ordered, spec_command, table_options
from archcalc.network import Network
from archcalc.reports.flops import multiplied, report
from archcalc.reports.model import Report
from archcalc.reports.table import Table


@spec_command("flops", cls=ModelCommand)
@click.option(
    "--census", is_flag=True, help="All work by operator: also additions, comparisons, divisions, …"
)
@click.option(
    "--batch", type=click.IntRange(1, 2**31), default=1, help="Images at once: times the work."
)
@click.option(
    "--crops", type=click.IntRange(1, 2**31), default=1, help="Crops an image: times the work."
)
@click.option("--ensemble", type=click.IntRange(1, 2**31), default=1, help="Networks: times the work.")
@AS
@table_options
def command(
    networks: list[Any],
    table: Table,
    census: bool,
    batch: int,
    crops: int,
    ensemble: int,
    tool: str | None,
) -> None:
    """Count the multiplies and FLOPs of SPEC, by layer, for one image.

    \b
    Example: archcalc flops inception --bottleneck 16
    A model file may stand for SPEC (.pt2, .onnx): archcalc help models

    \b
    multiplies    products of a weight and an input value in conv, linear and
                  attention layers: the papers' multiply-adds, everybody's MACs;
                  zero padding counts
    FLOPs         2 × multiplies: one multiply and one add a product
    share         of the network's multiplies
    connections   links from an input value to an output, plus one per bias used
                  (LeCun 1998), of one image
    census        every operation of every operator, by kind, the small ones too
    module        with --as: what runs the layer in the code the tool looks at
    """
    protocol = {"images": batch, "crops": crops, "networks": ensemble}
    if tool:
        refuse_beside_as(census=census, batch=batch > 1, crops=crops > 1, ensemble=ensemble > 1)
    show_ordered("flops", [_report(n, table, protocol, census, tool) for n in networks], table)
    end(networks)


def _report(
    network: Any, table: Table, protocol: dict[str, int], census: bool, tool: str | None
) -> Report:
    if isinstance(network, Network):
        return report(network, table, protocol, census, tool)
    from archcalc.reports import models

    refuse_as_of_model(tool)
    return multiplied(models.work(network, table, protocol, census), protocol)
