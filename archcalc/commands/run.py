"""archcalc run: the network executed, and what was predicted held against what was done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from archcalc.analysis.costs import Costs, Layer
from archcalc.analysis.explanation import choose
from archcalc.analysis.summary import Row
from archcalc.api import Network
from archcalc.commands.layout import document, label, single, title
from archcalc.commands.options import ALL, DEPTH, FORMAT, Table, show, spec_command
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.units import grouped, printable
from archcalc.views.report import Column, Report

if TYPE_CHECKING:
    from archcalc.numerics.signals import Signal
    from archcalc.numerics.verify import Verdict

INITS = ("he", "xavier", "normal", "zeros", "zero-residual")  # numerics.weights, which imports numpy
LAYOUTS = {"auto": None, "archcalc": False, "torch": True}
CLASSICS = ("lenet5", "lenet5_1998", "inception", "alexnet", "vgg16", "resnet50")
OUTPUTS = (
    Column("name", "output", "name"),
    Column("shape", "shape", "text"),
    Column("mean", "mean", "text"),
    Column("std", "std", "text"),
    Column("largest", "largest", "text"),
    Column("top", "top classes", "words"),
)
SIGNALS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("mean", "mean", "text"),
    Column("std", "std", "text"),
    Column("zeros", "zeros", "text"),
    Column("largest", "largest", "text"),
)
CHECKS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
    Column("checks", "checks", "count", spare=1),
    Column("verdict", "", "words"),
)


class Finding(ArchError):
    """Something that was predicted was not what was executed."""

    exit_code = 1


class Settings(NamedTuple):
    """What a run starts from, and what it leaves behind."""

    init: str
    seed: int
    batch: int
    weights: str | None
    map: str | None
    layout: str
    image: str | None
    taps: tuple[str, ...]
    save: str | None
    maps: str | None


@spec_command("run", fallback=CLASSICS)
@click.option("--verify", is_flag=True, help="Hold every prediction against what was executed.")
@click.option("--stats", is_flag=True, help="Mean, deviation, zeros and largest value of every layer.")
@click.option("--init", type=click.Choice(INITS), default="he", help="Seeded weights.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Of weights and input.")
@click.option("--batch", type=click.IntRange(1, 4096), default=1, help="Images at once.")
@click.option("--weights", metavar="FILE", help="Real weights: .safetensors or .npz.")
@click.option("--map", metavar="FILE", help="Lines `our/path = their.prefix` for foreign names.")
@click.option(
    "--layout", type=click.Choice(list(LAYOUTS)), default="auto", help="Of the weights in the file."
)
@click.option("--image", metavar="FILE", help="An input: an image, or images in an .npy file.")
@click.option("--taps", multiple=True, metavar="LAYER", help="Keep this layer's output, too.")
@click.option("--save", metavar="FILE", help="Write the outputs and taps to an .npz file.")
@click.option("--maps", metavar="DIR", help="Draw the maps of the taps as PNG grids.")
@ALL
@DEPTH
@FORMAT
def command(networks: list[Network], table: Table, verify: bool, stats: bool, **settings: Any) -> None:
    """Run SPEC on NumPy with seeded weights; with --verify, prove its counts.

    \b
    Example: archcalc run lenet5 --verify

    \b
    output       mean, standard deviation, zeros, largest absolute value, and the
                 classes with the largest values
    --stats      the same for every layer: do signals die or explode on the way?
    --verify     each layer runs three times: by its definition on arrays that
                 count what NumPy does, by compiled loops that count every step,
                 and by the fast kernel. Shapes, parameters, every kind of the
                 census and the values must agree. Exit code 1 if one does not.
    checks       comparisons that were made for a layer
    --taps       a layer or block whose outputs --save and --maps keep

    Without a SPEC it takes the classics: lenet5, lenet5_1998, inception, alexnet,
    vgg16 and resnet50.
    """
    chosen = Settings(**settings)
    for network in networks:
        _require_kernels(network)
        _require_room(network, chosen.batch, verify)
    if verify:
        _verify(networks, table, chosen)
    else:
        show("run", [_executed(network, table, stats, chosen) for network in networks], table.format)


def _require_kernels(network: Network) -> None:
    """Refuse operators that no kernel runs before any work is done."""
    from archcalc.numerics.kernels import KERNELS

    missing = dict.fromkeys(
        node.operator.name for node in network.graph.nodes[1:] if node.operator.name not in KERNELS
    )
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        help = "its counts are closed forms: `archcalc flops`, `archcalc params`"
        raise UsageError(
            Diagnostic(f"{network.name} has operators that do not run yet: {names}", help=help)
        )


def _require_room(network: Network, batch: int, verify: bool) -> None:
    from archcalc.numerics.room import require_room

    require_room(network.graph, 1 if verify else batch, verify)


def _weights(network: Network, settings: Settings) -> Any:
    """Of the file, or seeded."""
    from archcalc.numerics import tensorfiles, weights

    if settings.weights is None:
        return weights.make(network.graph, settings.init, settings.seed)
    mapping = tensorfiles.read_map(settings.map) if settings.map else None
    return tensorfiles.read(settings.weights, network.graph, mapping, torch=LAYOUTS[settings.layout])


def _images(network: Network, settings: Settings, batch: int) -> Any:
    """Of the file, or from the seed."""
    from archcalc.numerics.signals import seeded_input

    shape = network.graph.input
    if settings.image is None:
        return seeded_input(shape, batch, settings.seed)
    if settings.image.endswith(".npy"):
        from archcalc.numerics.tensorfiles import read_array

        return read_array(settings.image, shape)
    from archcalc.numerics.images import read_image

    return read_image(settings.image, shape)


def _executed(network: Network, table: Table, stats: bool, settings: Settings) -> Report:
    from archcalc.numerics.files import Keeper
    from archcalc.numerics.forward import Forward
    from archcalc.numerics.signals import signal, top_classes

    analysis = network.analyze()
    tapped = [layer.path for word in settings.taps for layer in choose(analysis, word)]
    keeper = Keeper(tapped, settings.save, settings.maps)
    images = _images(network, settings, settings.batch)
    forward = Forward(network.graph, _weights(network, settings), len(images))
    signals: list[dict[str, Any]] = []

    def watch(index: int, value: Any) -> None:
        node = network.graph.nodes[index]
        keeper.see(node.path, value)
        if stats:
            signals.append({"layer": node.path, "output": str(node.shape), **_cells(signal(value))})

    outputs = forward.run(images, watch)
    written = keeper.write(outputs)
    rows = [
        {
            "name": name,
            "shape": "×".join(map(str, value.shape)),
            "top": ", ".join(map(str, top_classes(value, 5))),
            **_cells(signal(value)),
        }
        for name, value in outputs.items()
    ]

    def documents() -> list[dict[str, Any]]:
        return [{**document(network, analysis), "outputs": rows, "signals": signals}]

    source = settings.weights or f"{settings.init} weights · seed {settings.seed}"
    heading = f"{title(network, analysis)} · {printable(source)}"
    shown, columns = (signals, SIGNALS) if stats else (rows, OUTPUTS)
    remarks = tuple(f"wrote {printable(path)}" for path in written)
    return Report(heading, columns, tuple(shown), None, remarks, documents, label(network))


def _cells(found: Signal) -> dict[str, Any]:
    return {
        "mean": f"{found.mean:.3g}",
        "std": f"{found.std:.3g}",
        "zeros": f"{100 * found.zeros:.1f} %",
        "largest": f"{found.largest:.3g}",
    }


def _verify(networks: list[Network], table: Table, settings: Settings) -> None:
    """Tables as soon as they are done, other formats as one text; a Finding at the end if one is bad."""
    reports: list[Report] = []
    failed: list[str] = []
    for network in networks:
        report, failures = _verified(network, table, settings)
        if table.format == "table":
            if reports:
                click.echo()
            show("run", [report], table.format)
            sys.stdout.flush()
        reports.append(report)
        failed += [f"{network.name}: {failure}" for failure in failures]
    if table.format != "table":
        show("run", reports, table.format)
    if failed:
        raise Finding(*(Diagnostic(message) for message in failed))


def _verified(network: Network, table: Table, settings: Settings) -> tuple[Report, list[str]]:
    from archcalc.numerics.verify import verify

    graph, analysis = network.graph, network.analyze()
    image = _images(network, settings, 1)[:1]
    verdicts = {v.path: v for v in verify(graph, _weights(network, settings), image)}
    bad = [verdict for verdict in verdicts.values() if not verdict.holds]
    rows = [
        _row(name, row, [verdicts[layer.path] for layer in row.layers])
        for row, name in zip(*single(analysis, _matters, table), strict=True)
    ]
    checks = sum(len(verdict.checks) for verdict in verdicts.values())
    looped = sum(1 for verdict in verdicts.values() if not verdict.skipped)
    wrong = f", {len(bad)} NOT" if bad else ""
    remark = (
        f"{len(verdicts) - len(bad)} layers verified{wrong} by {grouped(checks)} checks; every multiply "
        f"was done, and {looped} layers also counted theirs in compiled loops"
    )
    total = {"layer": "total", **_counts(analysis.total), "checks": checks}

    def documents() -> list[dict[str, Any]]:
        told = [
            v._asdict() | {"checks": [c._asdict() for c in v.checks], "holds": v.holds}
            for v in verdicts.values()
        ]
        return [{**document(network, analysis), "verdicts": told}]

    report = Report(
        title(network, analysis), CHECKS, tuple(rows), total, (remark,), documents, label(network)
    )
    return report, [f"{verdict.path}: {_words(verdict)}" for verdict in bad]


def _matters(layer: Layer) -> bool:
    return bool(layer.costs.stored_numbers or layer.costs.multiplies)


def _counts(costs: Costs) -> dict[str, Any]:
    return {"parameters": costs.stored_numbers, "multiplies": costs.multiplies}


def _row(name: str, row: Row, verdicts: list[Verdict]) -> dict[str, Any]:
    bad = [verdict for verdict in verdicts if not verdict.holds]
    return {
        "layer": name,
        "output": str(row.shape),
        **_counts(row.costs),
        "checks": sum(len(verdict.checks) for verdict in verdicts),
        "verdict": _words(bad[0]) if bad else "ok",
    }


def _words(verdict: Verdict) -> str:
    """What is wrong with a layer."""
    first = verdict.failures[0]
    return f"{first.what} by {first.by}: predicted {first.predicted}, executed {first.executed}"
