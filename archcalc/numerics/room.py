"""Whether this machine can hold what a run needs; asked before any work is done."""

from __future__ import annotations

import os
from typing import Any

from archcalc.analysis.memory import measure
from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Graph, Node
from archcalc.units import binary

FLOAT = 4  # bytes of a float32


def require_room(graph: Graph, batch: int, proof: bool) -> None:
    """Refuse a run whose activations, and with `proof` the definitions' patches, do not fit in memory.

    Raises:
        UsageError: they take more than there is of physical memory.
    """
    need = int(measure(graph).peak) * batch
    if proof:  # a layer's inputs once more, its output three times, and all patches of a convolution
        need += max(_proof(graph, node) for node in graph.nodes)
    if hasattr(os, "sysconf"):  # not on Windows
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if need * FLOAT > memory:
            message = f"the run takes {binary(need * FLOAT)} of memory, more than there is"
            raise UsageError(Diagnostic(message, help="a smaller --input or --batch"))


def _proof(graph: Graph, node: Node) -> int:
    inputs = sum(int(shape.values) for shape in graph.input_shapes(node))
    patches = 0
    if node.operator.name == "conv":
        operator: Any = node.operator
        kernel = int(operator.k[0] * operator.k[1])
        patches = int(node.shape.positions) * kernel * int(graph.input_shapes(node)[0].channels)
    return inputs + 3 * int(node.shape.values) + patches
