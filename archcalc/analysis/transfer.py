"""What fine-tuning costs at each point up to which a network may be frozen.

A point is a tensor that alone leads on, at the end of a top-level block or line. The frozen part runs as
in inference, so that its output for an image never changes and may be computed once and kept.
"""

from __future__ import annotations

from typing import NamedTuple

from archcalc.analysis.costs import Analysis, analyze
from archcalc.analysis.kept import kept, viewed
from archcalc.analysis.step import TrainingStep, step
from archcalc.analysis.training import backward
from archcalc.formats import BITS, Formats
from archcalc.graph.model import Graph


class FreezePoint(NamedTuple):
    """A network frozen up to the node `cut`; multiplies are those of one image.

    Attributes:
        before: forward through the frozen part.
        step: forward and backward through the whole.
        values: how many numbers the tensor at the cut has.
    """

    cut: int
    path: str
    trainable: int
    frozen: int
    before: int
    step: int
    values: int
    training: TrainingStep

    def kept_bytes(self, images: int, formats: Formats) -> int:
        """Return the bytes of the tensors at the cut of all images."""
        return -(-images * self.values * BITS[formats.activations] // 8)

    def saved(self, images: int, epochs: int) -> int:
        """Return the multiplies saved where the frozen part runs once an image, not once an epoch."""
        return self.before * images * (epochs - 1)


def points(graph: Graph, formats: Formats, optimizer: str, attention: str) -> tuple[FreezePoint, ...]:
    """Return all points from nothing frozen to all but the last layer with weights."""
    found: dict[int, FreezePoint] = {}
    for cut in (0, *cuts(graph)):
        point = _measured(graph, cut, formats, optimizer, attention)
        known = found.get(point.frozen)
        if point.trainable and (known is None or point.values < known.values and known.cut):
            found[point.frozen] = point
    return tuple(found[frozen] for frozen in sorted(found))


def cuts(graph: Graph) -> list[int]:
    """Return the nodes that end a top-level block or line and alone lead on."""
    last = list(range(len(graph.nodes)))
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            last[viewed(graph, i)] = index
    for index in graph.outputs:
        last[viewed(graph, index)] = len(graph.nodes)
    tops = [node.path.partition("/")[0] for node in graph.nodes]
    return [
        cut
        for cut in range(graph.inputs, len(graph.nodes) - 1)
        if tops[cut] != tops[cut + 1]
        and {i for i in range(cut + 1) if last[i] > cut} == {viewed(graph, cut)}
    ]


def _measured(graph: Graph, cut: int, formats: Formats, optimizer: str, attention: str) -> FreezePoint:
    nodes = graph.frozen | set(range(graph.inputs, cut + 1))
    analysis: Analysis = analyze(graph._replace(frozen=frozenset(nodes)))
    back = sum(int(way.to_inputs) + int(way.to_weights) for way in backward(analysis))
    return FreezePoint(
        cut,
        graph.nodes[cut].path,
        int(analysis.total.trainable),
        int(analysis.total.frozen),
        sum(int(layer.costs.multiplies) for layer in analysis.layers[: cut + 1]),
        int(analysis.multiplies) + back,
        int(graph.nodes[cut].shape.values),
        step(analysis, kept(analysis, attention), formats, optimizer),
    )
