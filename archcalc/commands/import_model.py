"""archcalc import: a model file as a spec."""

from __future__ import annotations

import click

from archcalc.commands.options import ModelCommand, spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.imported import Model
from archcalc.lowered import spec_of
from archcalc.network import Network
from archcalc.units import printable
from archcalc.views.placing import put, refuse_existing


@spec_command("import", cls=ModelCommand, usage="FILE")
@click.option("-o", "--output", metavar="SPEC.toml", help="Where to write the spec; else it is printed.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def command(networks: list[Network | Model], output: str | None, force: bool) -> None:
    """Turn a model file into a spec that can be edited, swept and explained.

    \b
    Example: archcalc import model.pt2 -o model.toml
             archcalc import model.onnx --dim batch=1

    Modules that run more than once become blocks; numbers that differ become their arguments, equal
    calls in a row repeats, and what obviously varies variables: classes, repeats, a common width. Of an
    ONNX file without modules, blocks are what lies between two places where one tensor is alive.

    The spec is read again and built before it is written: its layers are those of the file, one by
    one. A network that has no such blocks is written layer by layer.

    More: archcalc help models
    """
    if len(networks) > 1:
        help = "a spec for each: one after the other"
        raise UsageError(Diagnostic("import takes one FILE", help=help))
    model = networks[0]
    if isinstance(model, Network):
        help = "`archcalc cat` prints it"
        raise UsageError(Diagnostic(f"{printable(model.name)} is a spec already", help=help))
    if output is not None and not output.endswith(".toml"):
        help = "the name of a spec ends in .toml"
        raise UsageError(Diagnostic(f"-o: `{printable(output)}` is no name of a spec", help=help))
    if output is not None:
        refuse_existing(output, force)
    text = spec_of(model)
    if output is None:
        click.echo(text.rstrip("\n"))
        return
    put(output, text.encode())
    click.echo(f"{printable(output)}: {printable(model.title)}, {len(text.splitlines())} lines")
    click.echo(f"{model.parameters:,} parameters, {model.multiplies:,} multiplies, as the file has")
