"""Report `archcalc run`: statistics of the outputs, and with --stats of every layer's values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.explanation import choose
from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.documents import document
from archcalc.reports.layout import label, title
from archcalc.reports.model import Column, Measurement, Report
from archcalc.reports.start import Start, spec_file
from archcalc.tuples import NamedTuple
from archcalc.units import printable

if TYPE_CHECKING:
    from archcalc.execution.forward import Forward
    from archcalc.execution.signals import Signal
    from archcalc.execution.weights import Precision

OUTPUTS = (
    Column("name", "output", "name"),
    Column("shape", "shape", "text"),
    Column("mean", "mean", "figure"),
    Column("std", "std", "figure"),
    Column("largest", "largest", "figure"),
    Column("top", "top classes", "words"),
)
SIGNALS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=1),
    Column("mean", "mean", "figure"),
    Column("std", "std", "figure"),
    Column("zeros", "zeros", "figure"),
    Column("largest", "largest", "figure"),
)


class Keep(NamedTuple):
    """What a run writes: the layers `taps` and the outputs, to the file `save` and the folder `maps`."""

    taps: tuple[str, ...]
    save: str | None
    maps: str | None


def executed(
    network: Network, start: Start, batch: int, dtype: Precision, stats: bool, kept: Keep
) -> Report:
    """Run the network once; return statistics of its outputs, or with `stats` of all layers."""
    from archcalc.execution.forward import Forward
    from archcalc.execution.signals import signal
    from archcalc.files.outputs import Keeper

    analysis = network.analyze()
    inputs = (*start.files, spec_file(network))
    keeper = Keeper(_tapped(analysis, kept.taps), kept.save, kept.maps, inputs)
    weights, images = start.of(network, batch, dtype)
    forward = Forward(network.graph, weights, len(images), dtype, release=True)
    signals: list[dict[str, Any]] = []

    def watch(index: int, value: Any) -> None:
        node = network.graph.nodes[index]
        keeper.see(node.path, value)
        if stats:
            row = {"layer": node.path, "shape": list(node.shape), "signal": signal(value)}
            signals.append({**row, "output": str(node.shape)})

    outputs = forward.run(images, watch if stats or kept.taps else None)
    written = keeper.write(outputs)
    rows = _outputs(network, outputs)

    def documents() -> list[dict[str, Any]]:
        told = {"outputs": list(map(_document, rows)), "signals": list(map(_document, signals))}
        return [{**document(network, analysis), **told}]

    heading = f"{title(network, analysis)} · {start.told(network)}"
    shown, columns = (signals, SIGNALS) if stats else (rows, OUTPUTS)
    remarks = [*_broken(forward, images, [*signals, *rows]), *_of_several(len(images), stats)]
    remarks += [f"wrote {printable(path)}" for path in written]
    cells = tuple(map(_cells, shown))
    return Report(heading, columns, cells, None, tuple(remarks), documents, label(network))


def _outputs(network: Network, outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    from archcalc.execution.signals import signal, top_classes

    nodes = {"output": network.graph.output, **dict(network.graph.side_outputs)}
    return [
        {
            "name": name,
            "shape": list(value.shape),
            "output": str(network.graph.nodes[nodes[name]].shape),
            "signal": signal(value),
            "top": top_classes(value, 5),
        }
        for name, value in outputs.items()
    ]


def _tapped(analysis: Analysis, words: Sequence[str]) -> list[str]:
    """Return the paths of the layers that the words name.

    Raises:
        UsageError: a word names no layer or block.
    """
    for word in words:
        if not word.strip("/"):
            help = "`archcalc show SPEC --all` lists the layers"
            raise UsageError(Diagnostic(f"no layer or block is called `{word}`", help=help))
    return [layer.path for word in words for layer in choose(analysis, word)]


def _broken(forward: Forward, images: Any, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Name the first layer with an infinite value or NaN, if any value shown is not finite."""
    from math import isfinite

    from archcalc.execution.signals import first_broken

    if all(isfinite(row["signal"].largest) for row in rows):
        return []
    layer = first_broken(forward, images)
    return [f"the first values that are not finite are those of {printable(layer)}"] if layer else []


def _of_several(images: int, stats: bool) -> list[str]:
    """Say that the statistics are over several images."""
    if images == 1:
        return []
    return [f"over {images} images at once{'' if stats else '; top classes: of the first'}"]


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    found: Signal = row["signal"]
    return {
        **row,
        "shape": row["output"],
        "top": ", ".join(map(str, row.get("top", ()))),
        "mean": Measurement(found.mean, f"{found.mean:.3g}"),
        "std": Measurement(found.std, f"{found.std:.3g}"),
        "zeros": Measurement(found.zeros, f"{100 * found.zeros:.1f} %"),
        "largest": Measurement(found.largest, f"{found.largest:.3g}"),
    }


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: None in place of infinity and NaN."""
    from math import isfinite

    found = row["signal"]._asdict()
    numbers = {name: value if isfinite(value) else None for name, value in found.items()}
    return {**{key: value for key, value in row.items() if key not in ("signal", "output")}, **numbers}
