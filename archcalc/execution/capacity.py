"""Check that this machine can hold what a run needs, before any work is done."""

from __future__ import annotations

import os
from math import prod
from typing import Any

from archcalc.analysis.memory import measure
from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Graph, Node
from archcalc.operators import ATTENTION
from archcalc.units import binary

FLOAT = 4  # bytes of a float32
TEMPORARIES = 6  # arrays of its output's size that the definition of an elementwise layer makes


def memory() -> int | None:
    """Return the bytes of physical memory, None where the system does not say (Windows)."""
    if not hasattr(os, "sysconf"):
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def needed(graph: Graph, batch: int = 1, proof: bool = False, itemsize: int = FLOAT) -> int:
    """Return the bytes of a run: weights, activations, and the definitions' temporaries with `proof`."""
    values = int(measure(graph).peak) * batch + _weights(graph)
    if proof:  # of one layer at a time
        values += max(_proof(graph, node) for node in graph.nodes)
    return values * itemsize


def require_room(graph: Graph, batch: int = 1, proof: bool = False, itemsize: int = FLOAT) -> None:
    """Refuse a run that does not fit in memory.

    Raises:
        UsageError: the run needs more than the physical memory.
    """
    need, there = needed(graph, batch, proof, itemsize), memory()
    if there is not None and need > there:
        message = f"the run takes {binary(need)} of memory, more than there is"
        raise UsageError(Diagnostic(message, help=_advice(graph, batch, proof, itemsize, there)))


def _advice(graph: Graph, batch: int, proof: bool, itemsize: int, there: int) -> str:
    weights = _weights(graph) * itemsize
    if weights > there:
        return f"the weights alone take {binary(weights)}, whatever the input"
    if proof:
        return "--quick verifies at a small input"
    return "a smaller --batch or --input" if batch > 1 else "a smaller --input"


def _weights(graph: Graph) -> int:
    """Count the values of all weights."""
    return sum(int(weight.size) for node in graph.nodes for weight in graph.weights(node))


def _proof(graph: Graph, node: Node) -> int:
    """Count a second copy of a layer's inputs, several of its output, and a convolution's patches."""
    inputs = sum(int(shape.values) for shape in graph.input_shapes(node))
    patches = 0
    if node.operator.name == "conv":
        operator: Any = node.operator
        kernel = int(prod(operator.k))
        patches = int(node.shape.positions) * kernel * int(graph.input_shapes(node)[0].channels)
    elif node.operator.name in ATTENTION:
        patches = _attended(node.operator, *graph.input_shapes(node))
    return inputs + TEMPORARIES * int(node.shape.values) + patches


def _attended(operator: Any, *inputs: Any) -> int:
    """Count queries, keys, values and their sums; scores, shifted, exponentiated and normalized.

    Heads of keys that several share are copied for each, and what is turned is made anew.
    """
    inside = operator.inside(*inputs)
    return 4 * int(inside.scores) + 4 * int(inside.projected + inside.mixed)
