"""How fast each layer can be at most: by its operations, or by the bytes that it moves.

What overwrites an input that nobody else needs, by the rule of the peak, is done where that was made: it
reads its other inputs and its weights. Views move nothing. All others read every input and all weights
once, and write their output. What is inside attention layers stays where it is made.
"""

from __future__ import annotations

from fractions import Fraction

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.memory import assign
from archcalc.formats import Formats, bytes_of
from archcalc.operators.embedding import Embedding
from archcalc.operators.tokens import PosEmbed
from archcalc.tuples import NamedTuple


class Roof(NamedTuple):
    """What a device does at most in a second."""

    flops: int
    bytes: int


class Traffic(NamedTuple):
    """The FLOPs of a layer, and the bytes that it moves."""

    flops: int = 0
    read: int = 0
    written: int = 0
    weights: int = 0

    @property
    def bytes(self) -> int:
        return self.read + self.written + self.weights

    @property
    def intensity(self) -> Fraction | None:
        """FLOPs a byte; None where nothing is moved."""
        return Fraction(self.flops, self.bytes) if self.bytes else None

    def bound(self, roof: Roof) -> str:
        """Return which takes longer: compute or memory; empty if nothing is done."""
        if not self.flops and not self.bytes:
            return ""
        return "compute" if self.flops * roof.bytes >= self.bytes * roof.flops else "memory"

    def seconds(self, roof: Roof) -> Fraction:
        """Return the least time: that of the slower of both."""
        return max(Fraction(self.flops, roof.flops), Fraction(self.bytes, roof.bytes))


def traffic(analysis: Analysis, formats: Formats, batch: int) -> tuple[Traffic, ...]:
    """Return what each layer computes and moves for a batch, in their order."""
    graph = analysis.graph
    home = {i: b for b in assign(graph, range(len(graph.nodes))) for i in b.nodes}
    found = []
    for index, layer in enumerate(analysis.layers):
        fresh = home[index].nodes[0] == index and index >= graph.inputs
        view = layer.node.operator.buffer == "view"
        sources = {} if view else {id(home[i]): i for i in layer.node.inputs}
        if not fresh:
            sources.pop(id(home[index]), None)
        read = [batch * int(graph.nodes[i].shape.values) for i in sources.values()]
        written = batch * int(layer.node.shape.values) if fresh else 0
        found.append(
            Traffic(
                2 * batch * int(layer.costs.multiplies),
                sum(int(bytes_of(values, formats.activations)) for values in read),
                int(bytes_of(written, formats.activations)),
                int(bytes_of(_weights(layer, batch), formats.weights)),
            )
        )
    return tuple(found)


def _weights(layer: Layer, batch: int) -> int:
    """Return the numbers that are read of its weights: of a table that is looked up those rows alone."""
    operator, values = layer.node.operator, int(layer.node.shape.values)
    if isinstance(operator, Embedding):
        return batch * values
    numbers = sum(int(weight.size) for weight in operator.weights(*layer.inputs))
    return min(numbers, values) if isinstance(operator, PosEmbed) else numbers
