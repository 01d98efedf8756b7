"""Compute the metrics of a point or of its blocks, by the analyses of the other commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce

from archcalc.analysis.arena import lay_out
from archcalc.analysis.costs import Analysis, Layer, analyze
from archcalc.analysis.deployment import deployed
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.kept import kept
from archcalc.analysis.memory import Memory, measure
from archcalc.analysis.roofline import Roof, nanoseconds
from archcalc.analysis.step import step
from archcalc.arithmetic import maximum, minimum
from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.formats import Formats, bytes_of
from archcalc.graph.model import Graph
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

MEANING = {
    "parameters": "what training can change",
    "multiplies": "products of a weight and an input value (MACs)",
    "weights": "bytes of all parameters and statistics",
    "stored": "bytes of the input and of every map made",
    "peak": "most bytes of activations alive at once",
    "field": "receptive field, the larger side; the image's where it is seen whole",
    "output": "the last map before the head, its smaller side",
}
IN_BYTES = ("weights", "stored", "peak")
# aliases, unless a spec has a variable of that name
ALIASES = {"params": "parameters", "macs": "multiplies"}
# counted only where a condition or a goal names them
OTHERS = {
    "deployed": "bytes of weights, batch norms folded into the layers before them",
    "arena": "bytes of a layout of the activations in one block",
    "training": "most bytes alive in a step of training",
    "roofline": "nanoseconds on a device, each layer at the slower of compute and memory",
}
OF_BLOCKS = ("parameters", "multiplies", "weights", "stored", "peak")


class NamedLayers(NamedTuple):
    """The layers whose paths begin with a path like 'stage4/unit2'.

    With `anywhere`, the path may stand anywhere in theirs: '5x5' in '3a/5x5/conv'.
    """

    path: str
    anywhere: bool = False

    def holds(self, path: str) -> bool:
        own = f"{path}/"
        return f"/{self.path}/" in f"/{own}" if self.anywhere else own.startswith(f"{self.path}/")

    def nodes(self, graph: Graph) -> list[int]:
        return [i for i, node in enumerate(graph.nodes) if self.holds(node.path)]


class BlockCount(NamedTuple):
    """A metric of a block, written multiplies('stage4'). A block that a point lacks counts 0."""

    metric: str
    layers: NamedLayers

    def __str__(self) -> str:
        return block_count(self.metric, self.layers.path)


class NetworkCount(NamedTuple):
    """One of the other metrics of a network.

    Training uses `batch` and `optimizer`, the roofline `batch` and `roof`.
    """

    metric: str
    batch: int = 1
    optimizer: str = "sgd"
    roof: Roof | None = None

    def __str__(self) -> str:
        return self.metric


Count = BlockCount | NetworkCount


def block_count(metric: str, path: str) -> str:
    """Return the name of a block's metric."""
    return f"{metric}('{path}')"


def block_named(text: str) -> tuple[str, str] | None:
    """Return the metric and path of a text like multiplies('stage4'); None if it is no such text."""
    found = re.fullmatch(r"\s*(\w+)\s*\(\s*(['\"])(.*)\2\s*\)\s*", text, re.DOTALL)
    if found is None:
        return None
    metric = {"flops": "multiplies", **ALIASES}.get(found[1].lower(), found[1])
    return (metric, found[3]) if metric in OF_BLOCKS else None


def named_layers(graph: Graph, path: str) -> NamedLayers:
    """Return the layers at a path; if there are none, those with the path inside their own.

    Raises:
        UsageError: no layer has this path.
    """
    for layers in (NamedLayers(path), NamedLayers(path, anywhere=True)):
        if path and any(layers.holds(node.path) for node in graph.nodes):
            return layers
    words = [node.path.split("/") for node in graph.nodes]
    blocks = {"/".join(path[:end]) for path in words for end in range(1, len(path) + 1)}
    blocks.update(word for path in words for word in path)
    tops = dict.fromkeys(path[0] for node, path in zip(graph.nodes, words, strict=True) if node.inputs)
    known = f"{listed(tops)}; `archcalc show SPEC --all` lists all layers"
    help = suggestion(path, sorted(blocks)) or known
    raise UsageError(Diagnostic(f"no layer or block is called `{shown(path)}`", help=help))


def metrics(graph: Graph, formats: Formats, counts: Sequence[Count] = ()) -> dict[str, Int]:
    """Return the metrics of a graph in these data types, by name, and the values of other counts."""
    analysis, memory, fields = analyze(graph), measure(graph), receptive_fields(graph)
    total, field = analysis.total, fields.of_network
    seen = reduce(maximum, [axis.size for axis in field.sides] or graph.input.extents)
    return {
        "parameters": total.parameters,
        "multiplies": total.multiplies,
        "weights": in_bytes("weights", total.stored_numbers, formats),
        "stored": in_bytes("stored", memory.stored, formats),
        "peak": in_bytes("peak", memory.peak, formats),
        "field": seen,
        "output": reduce(minimum, graph.nodes[fields.network].shape.extents),
        **{str(count): _counted(count, analysis, memory, formats) for count in counts},
    }


def _counted(count: Count, analysis: Analysis, memory: Memory, formats: Formats) -> Int:
    if isinstance(count, BlockCount):
        return in_bytes(count.metric, _of_block(count, analysis, memory), formats)
    if count.metric == "deployed":
        weights, biases = deployed(analysis.graph)
        return bytes_of(weights, formats.weights) + bytes_of(biases, formats.accumulators)
    if count.metric == "arena":
        return bytes_of(lay_out(memory.buffers, int(memory.peak)).size, formats.activations)
    if count.roof is not None:
        return nanoseconds(analysis, formats, count.batch, count.roof)
    kept_then = kept(analysis, "fused")
    return step(analysis, kept_then, formats, count.optimizer).peak(count.batch)


def of_block(analysis: Analysis, count: BlockCount, formats: Formats) -> Int:
    """Return a metric of a block."""
    values = _of_block(count, analysis, measure(analysis.graph))
    return in_bytes(count.metric, values, formats)


def _of_block(count: BlockCount, analysis: Analysis, memory: Memory) -> Int:
    found = count.layers.nodes(analysis.graph)
    if count.metric == "peak":
        own = set(found)
        lives: list[Int] = [0, *(step.live for step in memory.steps if step.node in own)]
        return reduce(maximum, lives)
    times = analysis.graph.times()
    return sum(weight(analysis.layers[i], count.metric) * times.get(i, 1) for i in found)


def weight(layer: Layer, metric: str) -> Int:
    """Return a layer's share of a metric that is a sum, in values."""
    if metric == "stored":
        return layer.node.shape.values if layer.node.operator.stored else 0
    found: Int = getattr(layer.costs, "stored_numbers" if metric == "weights" else metric)
    return found


def in_bytes(metric: str, values: Int, formats: Formats) -> Int:
    """Return the bytes of a number of values for a metric in bytes; for others the number."""
    if metric not in IN_BYTES:
        return values
    return bytes_of(values, formats.weights if metric == "weights" else formats.activations)
