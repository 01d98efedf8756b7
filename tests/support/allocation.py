"""What a forward pass allocates beside its arena and its scratch memory, as tracemalloc sees it."""

from __future__ import annotations

import tracemalloc

from archcalc.execution.forward import Forward
from archcalc.execution.inputs import seeded
from archcalc.execution.weights import make
from archcalc.graph.model import Graph

MIB = 1 << 20


def allocated_beside(graph: Graph) -> int:
    """Return the bytes at the worst moment of a pass whose kernels are compiled."""
    forward, image = Forward(graph, make(graph)), seeded(graph, 0, 1, 1)
    forward.run(image)
    tracemalloc.start()
    try:
        forward.run(image)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
