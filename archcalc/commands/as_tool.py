"""Check the options beside --as TOOL, which shows what another tool prints."""

from __future__ import annotations

import click

from archcalc.errors import Diagnostic, UsageError

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


def refuse_as_of_model(tool: str | None) -> None:
    """Refuse --as for model files: a tool's rules are stated for archcalc's operators.

    Raises:
        UsageError: a tool is asked for.
    """
    if tool:
        help = "run the tool on the model itself; archcalc counts the file as it is"
        raise UsageError(Diagnostic("`--as` is told of specs, not of model files", help=help))
