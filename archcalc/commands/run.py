"""archcalc run: execute the network, and compare what was predicted with what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from archcalc.api import Network, load
from archcalc.commands.options import DEPTH, FORMAT, SpecCommand, show, spec_command
from archcalc.commands.run_modes import refuse_contradictions
from archcalc.errors import Finding
from archcalc.reports.model import Report
from archcalc.reports.start import LAYOUTS, Start
from archcalc.reports.table import Table

INITS = ("he", "xavier", "normal", "zeros", "zero-residual")  # execution.weights, which imports numpy
CLASSICS = (
    "lenet5",
    "lenet5_1998",
    "inception",
    "alexnet",
    "nin_imagenet",
    "googlenet",
    "bn_inception",
    "inception_v3",
    "resnet34",
    "resnet50",
    "vgg16",
)


class RunCommand(SpecCommand):
    """A command over specs that runs long."""

    lasting = True


@spec_command("run", fallback=CLASSICS, cls=RunCommand)
@click.option("--verify", is_flag=True, help="Hold every prediction against what was executed.")
@click.option("--quick", is_flag=True, help="With --verify: at a small input.")
@click.option("--allow-skips", is_flag=True, help="With --verify: layers may stay unexecuted.")
@click.option(
    "--against",
    type=click.Choice(("torch", "onnxruntime")),
    help="With --verify, of a model file: hold its layers against what this computes.",
)
@click.option("--jobs", type=click.IntRange(1, 256), default=1, help="Networks verified at once.")
@click.option("--identities", is_flag=True, help="Prove what is said to be the same, by executing both.")
@click.option("--stats", is_flag=True, help="Mean, deviation, zeros and largest value of every layer.")
@click.option("--time", is_flag=True, help="Milliseconds and GFLOP/s of every layer.")
@click.option("--init", type=click.Choice(INITS), default="he", help="Seeded weights.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Of weights and input.")
@click.option("--batch", type=click.IntRange(1, 4096), default=1, help="Images at once.")
@click.option(
    "--dtype", type=click.Choice(("float32", "float64")), default="float32", help="Of all values."
)
@click.option("--weights", metavar="FILE", help="Real weights: .safetensors or .npz.")
@click.option("--map", metavar="FILE", help="Lines `our/path = their.prefix` for foreign names.")
@click.option(
    "--layout", type=click.Choice(list(LAYOUTS)), default="auto", help="Of the weights in the file."
)
@click.option("--image", metavar="FILE", help="An input: an image, or images in an .npy file.")
@click.option("--mean", metavar="WORD|R,G,B", help="Of the image's values in 0..1: subtracted.")
@click.option("--std", metavar="WORD|R,G,B", help="Divided by then. Words: imagenet, none.")
@click.option("--taps", multiple=True, metavar="LAYER", help="Keep this layer's output, too.")
@click.option("--save", metavar="FILE", help="Write the outputs and taps to an .npz file.")
@click.option("--maps", metavar="DIR", help="Draw the maps of the taps as PNG grids.")
@click.option(
    "--all", "all_", is_flag=True, help="A row for every layer; without a SPEC, every bundled network."
)
@DEPTH
@FORMAT
def command(networks: list[Network], table: Table, **options: Any) -> None:
    """Run SPEC on NumPy; with --verify, prove its counts, with --time, measure it.

    \b
    Example: archcalc run lenet5 --verify
             archcalc run --verify          the classics; --all: every network
             archcalc run --identities      a dense layer is a convolution, …
             archcalc run resnet50 --time
             archcalc run --verify model.onnx --against onnxruntime

    \b
    output       mean, standard deviation, largest absolute value, best classes
    --stats      the same for every layer: do signals die or explode on the way?
    --verify     each layer runs three times: by its definition on arrays that
                 count what NumPy does, by compiled loops that count every step,
                 and by the fast kernel in the arena. Shapes, parameters, census,
                 values and bytes must agree. Exit code 1 if one does not, or if a
                 layer cannot be executed (unless --allow-skips).
    checks       comparisons that were made for a layer
    --against    in place of these: torch runs a .pt2, onnxruntime an .onnx, with
                 the weights in it, and every layer that makes a tensor of the
                 file must make its values. difference: the largest one of a
                 layer over its largest value; exit code 1 above 1e-4. Only for
                 files that you trust: torch.export.load can run code in them
    --quick      at the smallest input of 32 pixels a side or more
    --all        of a SPEC: a row for every layer; without one: the whole zoo
    --jobs       networks at once, as far as memory goes
    --time       ms: the best of several passes over the batch; GFLOP/s: 2 ×
                 multiplies / time; share of what a matrix product reaches here
    --image      resized until it covers 256/224 of both sides, cropped; then
                 (value/255 − mean) / std: in color ImageNet's, in gray none.
                 Values of an .npy file are taken as they are
    --taps       a layer or block whose outputs --save and --maps keep
    """
    _run(networks, table, click.get_current_context(), options)


def _run(
    networks: list[Network], table: Table, context: click.Context, options: Mapping[str, Any]
) -> None:
    alone = context.params["words"] is CLASSICS
    mode = refuse_contradictions(context, networks, alone)
    start = Start(*(options[name] for name in Start._fields))
    if mode == "identities":
        _identities(table.format)
    elif options["against"]:
        _against(networks[0], table, start, options["against"])
    elif mode == "verify":
        _verify(networks, table, start, options, zoo=alone and context.params["all_"])
    else:
        show("run", list(MODES[mode](networks, table, start, options)), table.format)


def _identities(format: str) -> None:
    from archcalc.reports.identities import report

    made, failed = report()
    show("run", [made], format)
    if failed:
        raise Finding(*failed)


def _time(
    networks: list[Network], table: Table, start: Start, options: Mapping[str, Any]
) -> Iterator[Report]:
    from archcalc.reports.timing import timed

    _require_room(networks, options["batch"])
    return (timed(network, table, start, options["batch"]) for network in networks)


def _outputs(
    networks: list[Network], table: Table, start: Start, options: Mapping[str, Any]
) -> Iterator[Report]:
    from archcalc.reports.outputs import Keep, executed

    batch, dtype = options["batch"], options["dtype"]
    _require_room(networks, batch, 8 if dtype == "float64" else 4)
    kept = Keep(*(options[name] for name in Keep._fields))
    return (executed(network, start, batch, dtype, options["stats"], kept) for network in networks)


MODES = {"time": _time, "": _outputs}


def _verify(
    networks: Iterable[Network], table: Table, start: Start, options: Mapping[str, Any], zoo: bool
) -> None:
    from archcalc.commands.run_verify import verify
    from archcalc.execution.capacity import require_room
    from archcalc.reports.proofs import VerifyOptions, sized
    from archcalc.reports.verification import expect

    asked = VerifyOptions(start, options["quick"], options["allow_skips"], options["jobs"], zoo)
    if zoo:
        from archcalc.totals import totals

        rows = sorted(totals(), key=lambda row: row["multiplies"])
        expected = [{**row, "input": "×".join(map(str, row["input"]))} for row in rows]
        verify((load(row["name"]) for row in rows), expected, table, asked)
    else:
        for network in networks:
            require_room(sized(network, asked.quick).graph, proof=True)
        verify(networks, [expect(network) for network in networks], table, asked)


def _against(network: Network, table: Table, start: Start, tool: str) -> None:
    from archcalc.reports.against import against

    _require_room([network], 1)
    report, failed = against(network, table, start, tool)
    show("run", [report], table.format)
    if failed:
        raise Finding(*failed)


def _require_room(networks: Iterable[Network], batch: int, itemsize: int = 4) -> None:
    from archcalc.execution.capacity import require_room

    for network in networks:
        require_room(network.graph, batch, itemsize=itemsize)
