"""The reports of `archcalc run` itself: what comes out, and with --stats what every layer makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.analysis.explanation import choose
from archcalc.api import Network
from archcalc.commands.layout import document, label, title
from archcalc.commands.run_inputs import Start
from archcalc.units import printable
from archcalc.views.report import Column, Report

if TYPE_CHECKING:
    from archcalc.numerics.signals import Signal
    from archcalc.numerics.weights import Precision

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


class Kept(NamedTuple):
    """What a run leaves behind: the layers to keep, and the file and the folder for them."""

    taps: tuple[str, ...]
    save: str | None
    maps: str | None


def executed(
    network: Network, start: Start, batch: int, dtype: Precision, stats: bool, kept: Kept
) -> Report:
    """Run the network once."""
    from archcalc.numerics.files import Keeper
    from archcalc.numerics.forward import Forward
    from archcalc.numerics.signals import signal, top_classes

    analysis = network.analyze()
    tapped = [layer.path for word in kept.taps for layer in choose(analysis, word)]
    keeper = Keeper(tapped, kept.save, kept.maps, start.files)
    weights, images = start.of(network, batch, dtype)
    forward = Forward(network.graph, weights, len(images), dtype, release=True)
    signals: list[dict[str, Any]] = []

    def watch(index: int, value: Any) -> None:
        node = network.graph.nodes[index]
        keeper.see(node.path, value)
        if stats:
            signals.append({"layer": node.path, "shape": list(node.shape), "signal": signal(value)})

    outputs = forward.run(images, watch if stats or tapped else None)
    written = keeper.write(outputs)
    rows = [
        {"name": k, "shape": list(v.shape), "signal": signal(v), "top": top_classes(v, 5)}
        for k, v in outputs.items()
    ]

    def documents() -> list[dict[str, Any]]:
        told = {"outputs": list(map(_document, rows)), "signals": list(map(_document, signals))}
        return [{**document(network, analysis), **told}]

    source = start.weights or f"{start.init} weights · seed {start.seed}"
    heading = f"{title(network, analysis)} · {printable(source)}"
    shown, columns = (signals, SIGNALS) if stats else (rows, OUTPUTS)
    remarks = tuple(f"wrote {printable(path)}" for path in written)
    cells = tuple(map(_cells, shown))
    return Report(heading, columns, cells, None, remarks, documents, label(network))


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    found: Signal = row["signal"]
    shape = "×".join(map(str, row["shape"]))
    return {
        **row,
        "shape": shape,
        "output": shape,
        "top": ", ".join(map(str, row.get("top", ()))),
        "mean": f"{found.mean:.3g}",
        "std": f"{found.std:.3g}",
        "zeros": f"{100 * found.zeros:.1f} %",
        "largest": f"{found.largest:.3g}",
    }


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers as JSON has them: no infinity, and no NaN."""
    from math import isfinite

    found = row["signal"]._asdict()
    numbers = {name: value if isfinite(value) else None for name, value in found.items()}
    return {**{key: value for key, value in row.items() if key != "signal"}, **numbers}
