"""archcalc cat: the text of a spec, or what it expands to."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.options import spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.write import write
from archcalc.spec.inline import toml
from archcalc.units import printable


@spec_command("cat")
@click.option(
    "--expand", is_flag=True, help="The layers it expands to, with the variables given, as a plain spec."
)
def command(networks: list[Network], expand: bool) -> None:
    """Print the TOML of SPEC.

    \b
    Example: archcalc cat inception --bottleneck 16 --expand

    With --expand: a spec without blocks, variables or expressions that has the same layers.
    """
    for network in networks:
        if network.changed and not expand:
            message = f"cat prints the text of {printable(network.spec.source.name)} as it is"
            raise UsageError(
                Diagnostic(message, help="--expand shows the layers with the variables set")
            )
        source = network.spec.source
        text = toml(source.text) if source.inline else source.text
        if expand:
            text = write(network.graph, network.title)
        click.echo(text.rstrip("\n"))
