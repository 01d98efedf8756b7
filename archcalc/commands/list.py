"""archcalc list: the bundled networks."""

from __future__ import annotations

import click

from archcalc.commands.options import FORMAT, show
from archcalc.reports.list import SORTS, report


@click.command("list")
@click.argument("search", required=False, default="", metavar="[TEXT]")
@click.option("--sort", type=click.Choice(list(SORTS)), help="Order, instead of by family.")
@click.option(
    "--max-params", metavar="COUNT", help="Only networks with at most so many: 5M, or 20MB as float32."
)
@click.option(
    *("--max-multiplies", "--max-macs"),
    metavar="COUNT",
    help="Only networks with at most so many, as in 600M.",
)
@click.option("--max-flops", metavar="COUNT", help="The same in FLOPs, 2 a multiply: 1.2G.")
@FORMAT
def command(
    search: str,
    sort: str | None,
    max_params: str | None,
    max_multiplies: str | None,
    max_flops: str | None,
    format: str,
) -> None:
    """List the bundled networks by family, or those whose name or title has TEXT in it.

    \b
    Example: archcalc list res --max-params 30M

    \b
    input        height × width × channels of the image
    parameters   what training can change: weights, biases, norm scale and shift
    multiplies   products of a weight and an input value (MACs), for one image
    --sort       flops (2 a multiply), stored, peak (values) and field (pixels)
                 add their column: see `archcalc memory` and `archcalc field`
    """
    limits = {"parameters": max_params, "multiplies": max_multiplies, "flops": max_flops}
    show("list", [report(search, sort, limits, grouped=format == "table")], format)
