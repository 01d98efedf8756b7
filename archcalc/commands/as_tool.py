"""Check the options beside --as TOOL, which shows what another tool prints."""

from __future__ import annotations

from typing import Any

import click

from archcalc.errors import Diagnostic, UsageError
from archcalc.network import Network
from archcalc.units import printable

TOOLS = ("torchinfo", "thop", "fvcore", "torchsummary", "ptflops", "keras")
AS = click.option(
    "--as",
    "tool",
    type=click.Choice(TOOLS),
    help="What this tool prints for the network, and what it adds or leaves out.",
)


def refuse_beside_as(**given: bool) -> None:
    """Refuse options that a tool's count, which is of one image, does not know.

    Raises:
        UsageError: one is given.
    """
    for name in (name for name, is_given in given.items() if is_given):
        message = f"`--as` shows what a tool prints for one image: it takes no `--{name}`"
        raise UsageError(Diagnostic(message, help=f"leave `--as` or `--{name}` away"))


def layers_of(network: Any, option: str) -> Network:
    """Return a model file as its layers, which an option counts; a network as it is.

    Raises:
        ArchError: it has no layers that do the same, or tensors alone.
    """
    if isinstance(network, Network):
        return network
    from archcalc.imported import Tensors
    from archcalc.lowered import network_of

    if isinstance(network, Tensors):
        help = f"without `--{option}` its tensors are listed"
        message = f"`--{option}` is of layers, and {printable(network.name)} has tensors alone"
        raise UsageError(Diagnostic(message, help=help))
    return network_of(network)
