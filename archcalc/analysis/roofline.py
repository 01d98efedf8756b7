"""Bound each layer's time from below, by its operations and memory traffic (Williams et al. 2009).

A layer that overwrites its input (by the rule of `peak`) is fused with the layer before: it only reads
its other inputs and its weights. A view moves nothing. Every other layer reads each input and all
weights once, and writes its output. Values inside attention layers cause no traffic.
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
    """The peak rates of a device, per second."""

    flops: int
    bytes: int


class Traffic(NamedTuple):
    """The FLOPs of a layer, and the bytes that it reads and writes."""

    flops: int = 0
    read: int = 0
    written: int = 0
    weights: int = 0

    @property
    def bytes(self) -> int:
        """All bytes that are moved."""
        return self.read + self.written + self.weights

    @property
    def intensity(self) -> Fraction | None:
        """FLOPs per byte; None if nothing is moved."""
        return Fraction(self.flops, self.bytes) if self.bytes else None

    def bound(self, roof: Roof) -> str:
        """Return what takes longer, 'compute' or 'memory'; '' if the layer does nothing."""
        if not self.flops and not self.bytes:
            return ""
        return "compute" if self.flops * roof.bytes >= self.bytes * roof.flops else "memory"

    def seconds(self, roof: Roof) -> Fraction:
        """Return the least time in seconds: the longer of computing and moving."""
        return max(Fraction(self.flops, roof.flops), Fraction(self.bytes, roof.bytes))


def traffic(analysis: Analysis, formats: Formats, batch: int) -> tuple[Traffic, ...]:
    """Return the traffic of each layer for a batch, in the order of the layers."""
    return tuple(Traffic(*map(int, layer)) for layer in _moved(analysis, formats, batch))


def _moved(analysis: Analysis, formats: Formats, batch: int) -> Iterator[tuple[Int, Int, Int, Int]]:
    """Yield the values of `Traffic` for each layer."""
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
    """Return the sum of the layers' least times for a batch, in nanoseconds, rounded down.

    A layer with F FLOPs and B bytes takes max(F/f, B/b) seconds on a device with f FLOPs and b bytes per
    second. With g = gcd(f, b), f = f'·g and b = b'·g, this is max(F·b', B·f') / (f'·b'·g). So the sum
    needs only integers, and works on symbols too.
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
    """Return how many weight values a layer reads: of an embedding's table only the rows it looks up."""
    operator, values = layer.node.operator, layer.node.shape.values
    if isinstance(operator, Embedding):
        return batch * values
    numbers = sum(weight.size for weight in operator.weights(*layer.inputs))
    return minimum(numbers, values) if isinstance(operator, PosEmbed) else numbers
