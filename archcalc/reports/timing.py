"""Report `archcalc run --time`: the time of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis.costs import Layer
from archcalc.api import Network
from archcalc.reports.documents import document
from archcalc.reports.layout import has_multiplies, label, single, title
from archcalc.reports.model import Column, Measurement, Report
from archcalc.reports.start import Start
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple

COLUMNS = (
    Column("layer", "layer", "name"),
    Column("output", "output", "text", spare=2),
    Column("multiplies", "multiplies", "count", spare=1),
    Column("ms", "ms", "figure"),
    Column("gflops", "GFLOP/s", "figure"),
    Column("share", "of peak", "figure"),
    Column("bar", "time", "bar", spare=3),
)


class Figures(NamedTuple):
    """The time of one or several layers: their multiplies for all images, and their seconds."""

    multiplies: int
    seconds: float
    peak: float  # multiplies per second

    @property
    def gflops(self) -> float | None:
        """Billions of FLOPs per second; None for layers that do not multiply."""
        return 2 * self.multiplies / self.seconds / 1e9 if self.multiplies else None

    @property
    def share(self) -> float | None:
        """The rate as a share of the peak."""
        return self.multiplies / self.seconds / self.peak if self.multiplies else None

    def cells(self, name: str, output: str, whole: float) -> dict[str, Any]:
        """Return the row; `whole` are the seconds of all layers."""
        return {
            "layer": name,
            "output": output,
            "multiplies": self.multiplies,
            "ms": Measurement(1e3 * self.seconds, f"{1e3 * self.seconds:.3f}"),
            "gflops": Measurement(self.gflops, "–" if self.gflops is None else f"{self.gflops:.1f}"),
            "share": Measurement(self.share, "–" if self.share is None else f"{100 * self.share:.0f} %"),
            "bar": (self.seconds, whole),
        }

    def document(self, layer: str) -> dict[str, Any]:
        """Return the row as JSON."""
        return {
            "layer": layer,
            "multiplies": self.multiplies,
            "ms": 1e3 * self.seconds,
            "gflops": self.gflops,
            "share_of_peak": self.share,
        }


def timed(network: Network, table: Table, start: Start, batch: int) -> Report:
    """Time each layer over several runs of the network."""
    from archcalc.execution.forward import Forward
    from archcalc.execution.timing import best_seconds, peak

    analysis = network.analyze()
    weights, images = start.of(network, batch)
    before = peak()
    times = best_seconds(Forward(network.graph, weights, len(images)), images)
    seconds = {node.path: spent for node, spent in zip(network.graph.nodes, times, strict=True)}

    every, whole = analysis.computed, sum(times)
    rates = (len(images) * int(x.costs.multiplies) / (seconds[x.path] or 1) for x in every)
    product, layer = max(before, peak()), max(rates, default=0.0)  # on a busy machine they differ
    reached = max(product, layer)

    def figures(layers: Sequence[Layer]) -> Figures:
        multiplies = len(images) * sum(int(layer.costs.multiplies) for layer in layers)
        return Figures(multiplies, sum(seconds[layer.path] for layer in layers), reached)

    rows = [
        figures(row.layers).cells(name, str(row.shape), whole)
        for row, name in zip(*single(analysis, has_multiplies, table), strict=True)
    ]
    total = figures(every).cells("total", "", whole) | {"bar": None}

    def documents() -> list[dict[str, Any]]:
        told = {
            "batch": len(images),
            "peak_gflops": 2 * reached / 1e9,
            "time": figures(every).document("total"),
            "times": [figures([layer]).document(layer.path) for layer in every],
        }
        return [{**document(network, analysis), **told}]

    remarks = _remarks(len(images), reached, reached > product)
    heading = f"{title(network, analysis)}{start.heading}"
    return Report(heading, COLUMNS, tuple(rows), total, remarks, documents, label(network))


def _remarks(images: int, peak: float, outrun: bool) -> tuple[str, ...]:
    """Return the remarks; `outrun`: whether a layer was faster than the product of large matrices."""
    passed = "one image" if images == 1 else f"{images} images at once"
    what = (
        "of the fastest layer: products of two large matrices, before and after, were slower; this "
        "machine is busy"
        if outrun
        else "that a product of two large matrices reaches here, before or after"
    )
    return (
        f"ms: the best of several passes of {passed}; layers without products are in the row before "
        "them (--all: in their own)",
        f"GFLOP/s: 2 × multiplies / time; of peak: of the {2 * peak / 1e9:,.0f} GFLOP/s {what}",
    )
