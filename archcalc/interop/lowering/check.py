"""Compare a lowered graph with the tally, which is counted independently from the file."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from archcalc.errors import ArchError, Diagnostic
from archcalc.graph.model import Graph
from archcalc.interop.counts import Counts
from archcalc.operators.model import TRAINABLE


def parameters_of(graph: Graph) -> int:
    """Count the trainable numbers of all layers, shared ones once."""
    found = (w for node in graph.nodes for w in graph.weights(node) if w.role in TRAINABLE)
    return sum(prod(map(int, weight.shape)) for weight in found)


def multiplies_of(graph: Graph) -> int:
    """Count the multiplies of all layers: of weights with inputs, and inside attention."""
    return sum(
        int(work.total)
        for node in graph.nodes
        for work in node.operator.work(*graph.input_shapes(node))
        if work.kind == "products"
    )


def check(
    name: str, graph: Graph, counts: Counts, parameters: int, outputs: Iterable[tuple[int, int]]
) -> None:
    """Compare a graph's multiplies, parameters and output sizes with those of the file.

    Args:
        outputs: for each output its node, and its number of values in the file.

    Raises:
        ArchError: they differ.
    """
    pairs = [
        ("multiplies", multiplies_of(graph), counts.products),
        ("parameters", parameters_of(graph), parameters),
        *(("values of an output", int(graph.nodes[i].shape.values), n) for i, n in outputs),
    ]
    for what, have, want in pairs:
        if have != want:
            told = f"{have:,} {what} as layers, {want:,} as counted from its operations"
            help = "params and flops count it; its layers are not used for what they may get wrong"
            raise ArchError(Diagnostic(f"{name}: {told}", help=help))
