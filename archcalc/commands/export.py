"""archcalc export: a network for others, as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.api import Network
from archcalc.commands.options import spec_command
from archcalc.commands.run import INITS
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.reports.start import LAYOUTS, Start
from archcalc.units import grouped, printable
from archcalc.views.placing import check_suffix


@spec_command("export", usage="SPEC")
@click.option("-o", "--output", metavar="FILE", required=True, help="The file to write: net.onnx.")
@click.option("--weights", metavar="FILE", help="Real weights: .safetensors or .npz; else seeded ones.")
@click.option("--map", metavar="FILE", help="Lines `our/path = their.prefix` for foreign names.")
@click.option(
    "--layout", type=click.Choice(list(LAYOUTS)), default="auto", help="Of the weights in the file."
)
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
) -> None:
    """Write SPEC as a model file that other tools read and run.

    \b
    Example: archcalc export resnet50 -o resnet50.onnx
             archcalc export my-net.toml -o my-net.onnx --weights my-net.safetensors

    \b
    .onnx       one image, channels first; the shape of every value is in it, so
                that Netron shows it. Without --weights those of `archcalc run`
                are in it: --init and --seed say which

    The line that is printed has the parameters and multiplies: what is counted
    of the file is the same. Layers that the format cannot say are refused.
    More: archcalc help export
    """
    if len(networks) > 1:
        help = "each into a file of its own"
        raise UsageError(Diagnostic("export takes one SPEC", help=help))
    check_suffix(output, (".onnx",))
    start = Start(init=init, seed=seed, weights=weights, map=map, layout=layout)
    _onnx(networks[0], output, start)
    counts = networks[0].analyze()
    told = f"{grouped(int(counts.parameters))} parameters, {grouped(int(counts.multiplies))} multiplies"
    click.echo(f"{printable(output)}: {networks[0].title}: {told} · {start.source}")


def _onnx(network: Network, output: str, start: Start) -> None:
    from archcalc.export.onnx.writing import drafted, write
    from archcalc.files.writing import replacing

    draft = drafted(network.graph)
    values, _ = start.of(network, 1)
    try:
        with replacing(output) as file:
            write(draft, Path(output).stem, file, values)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchError(f"cannot write {printable(output)}: {printable(reason)}") from None
