"""archcalc export: a network for others, as an ONNX file or a torch module."""

from __future__ import annotations

import click

from archcalc.api import Network
from archcalc.commands.options import spec_command
from archcalc.commands.run import INITS
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.exported import exported
from archcalc.reports.start import LAYOUTS, Start
from archcalc.views.placing import refuse_existing


@spec_command("export", usage="SPEC")
@click.option("-o", "--output", metavar="FILE", required=True, help="The file: net.onnx or net.py.")
@click.option("--weights", metavar="FILE", help="Real weights: .safetensors or .npz; else seeded ones.")
@click.option("--map", metavar="FILE", help="Lines `our/path = their.prefix` for foreign names.")
@click.option(
    "--layout", type=click.Choice(list(LAYOUTS)), default="auto", help="Of the weights in the file."
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option("--init", type=click.Choice(INITS), default="he", help="Seeded weights.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Of weights.")
def command(
    networks: list[Network],
    output: str,
    weights: str | None,
    map: str | None,
    layout: str,
    init: str,
    seed: int,
    force: bool,
) -> None:
    """Write SPEC for other tools: as an ONNX file, or as a torch module in Python.

    \b
    Example: archcalc export resnet50 -o resnet50.onnx
             archcalc export resnet50 -o resnet50.py
             archcalc export net.toml -o net.onnx --weights net.safetensors

    \b
    .onnx       one image, channels first; the shape of every value is in it, so
                that Netron shows it. Without --weights those of `archcalc run`
                are in it: --init and --seed say which
    .py         a torch nn.Module to train: a class for each kind of block, equal
                blocks as a loop; no weights

    \b
    parameters  of SPEC, and multiplies: counted of the file they are the same.
                Layers that the format cannot express are refused

    More: archcalc help export
    """
    if len(networks) > 1:
        help = "each into a file of its own"
        raise UsageError(Diagnostic("export takes one SPEC", help=help))
    refuse_existing(output, force)
    start = Start(init=init, seed=seed, weights=weights, map=map, layout=layout)
    click.echo(exported(networks[0], output, start))
