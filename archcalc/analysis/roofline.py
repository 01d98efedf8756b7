"""How fast each layer can be at most: by its operations, or by the bytes that it moves.

What overwrites an input that nobody else needs, by the rule of the peak, is done where that was made: it
reads its other inputs and its weights. Views move nothing. All others read every input and all weights
once, and write their output. What is inside attention layers stays where it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import gcd

from archcalc.analysis.costs import Analysis, Layer
from archcalc.analysis.memory import assign
from archcalc.arithmetic import maximum, minimum
from archcalc.formats import Formats, bytes_of
from archcalc.operators.embedding import Embedding
from archcalc.operators.tokens import PosEmbed
from archcalc.symbols import Int
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
    return tuple(Traffic(*map(int, layer)) for layer in _moved(analysis, formats, batch))


def _moved(analysis: Analysis, formats: Formats, batch: int) -> Iterator[tuple[Int, Int, Int, Int]]:
    """Yield the numbers of `Traffic` of each layer."""
    graph = analysis.graph
    home = {i: b for b in assign(graph, range(len(graph.nodes))) for i in b.nodes}
    for index, layer in enumerate(analysis.layers):
        fresh = home[index].nodes[0] == index and index >= graph.inputs
        view = layer.node.operator.buffer == "view"
        sources = {} if view else {id(home[i]): i for i in layer.node.inputs}
        if not fresh:
            sources.pop(id(home[index]), None)
        read = [batch * graph.nodes[i].shape.values for i in sources.values()]
        written = batch * layer.node.shape.values if fresh else 0
        yield (
            2 * batch * layer.costs.multiplies,
            sum(bytes_of(values, formats.activations) for values in read),
            bytes_of(written, formats.activations),
            bytes_of(_weights(layer, batch), formats.weights),
        )


def nanoseconds(analysis: Analysis, formats: Formats, batch: int, roof: Roof) -> Int:
    """Return the least time of a batch, each layer at the slower of both, rounded down.

    A layer takes max(F/f, B/b) seconds: max(F·b', B·f') / (f'·b'·g), where g = gcd(f, b), f = f'·g and
    b = b'·g. So the sum is one of integers, alike on symbols.
    """
    common = gcd(roof.flops, roof.bytes)
    flops, bytes = roof.flops // common, roof.bytes // common
    times = analysis.graph.times()
    found: list[Int] = [
        maximum(count * bytes, sum(moved) * flops) * times.get(i, 1)
        for i, (count, *moved) in enumerate(_moved(analysis, formats, batch))
    ]
    scale = Fraction(10**9, flops * bytes * common)
    return sum(found) * scale.numerator // scale.denominator


def _weights(layer: Layer, batch: int) -> Int:
    """Return the numbers that are read of its weights: of a table that is looked up those rows alone."""
    operator, values = layer.node.operator, layer.node.shape.values
    if isinstance(operator, Embedding):
        return batch * values
    numbers = sum(weight.size for weight in operator.weights(*layer.inputs))
    return minimum(numbers, values) if isinstance(operator, PosEmbed) else numbers
