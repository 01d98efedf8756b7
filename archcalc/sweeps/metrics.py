"""Report the metrics of a point, from the same analyses that the other commands print."""

from __future__ import annotations

from functools import reduce

from archcalc.analysis.costs import analyze
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure
from archcalc.arithmetic import maximum, minimum
from archcalc.formats import Formats, bytes_of
from archcalc.graph.model import Graph
from archcalc.symbols import Int

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


def metrics(graph: Graph, formats: Formats) -> dict[str, Int]:
    """Return the metrics of a graph by name, in these types."""
    total, memory, fields = analyze(graph).total, measure(graph), receptive_fields(graph)
    field = fields.of_network
    seen = reduce(maximum, [axis.size for axis in field.sides] or graph.input.extents)
    return {
        "parameters": total.parameters,
        "multiplies": total.multiplies,
        "weights": in_bytes("weights", total.stored_numbers, formats),
        "stored": in_bytes("stored", memory.stored, formats),
        "peak": in_bytes("peak", memory.peak, formats),
        "field": seen,
        "output": reduce(minimum, graph.nodes[fields.network].shape.extents),
    }


def in_bytes(metric: str, values: Int, formats: Formats) -> Int:
    """Return the bytes of so many values for a metric in bytes; for others their number."""
    if metric not in IN_BYTES:
        return values
    return bytes_of(values, formats.weights if metric == "weights" else formats.activations)
