"""Make inputs from a seed."""

from __future__ import annotations

import numpy as np

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution.model import Array
from archcalc.graph.model import Graph
from archcalc.operators.embedding import Embedding
from archcalc.operators.shape import Shape


def seeded_input(shape: Shape, batch: int, seed: int) -> Array:
    """Return images × positions × channels of standard normal values."""
    sizes = (batch, *map(int, shape))
    return np.random.default_rng(seed).standard_normal(sizes, dtype=np.float32)


def seeded(graph: Graph, index: int, batch: int, seed: int) -> Array:
    """Return values for an input of the network: ids of words, if an embedding reads it.

    Raises:
        UsageError: an embedding reads what a layer computes.
    """
    shape, words = graph.nodes[index].shape, vocabularies(graph).get(index)
    if words is None:
        return seeded_input(shape, batch, seed)
    sizes = (batch, *map(int, shape))
    return np.random.default_rng(seed).integers(words, size=sizes).astype(np.float32)


def vocabularies(graph: Graph) -> dict[int, int]:
    """Return for each input that holds ids how many words they may name: the fewest of its embeddings.

    What lies between both may move ids, as `slice` does, and compute nothing.

    Raises:
        UsageError: an embedding reads what a layer computes.
    """
    found: dict[int, int] = {}
    for node in graph.nodes:
        if isinstance(node.operator, Embedding):
            for index in _origins(graph, node.inputs[0]):
                origin = graph.nodes[index]
                if origin.inputs:
                    message = (
                        f"{node.path} (`{node.operator}`) reads no ids: {origin.path} computes values"
                    )
                    raise UsageError(Diagnostic(message, help="let it read an input, or a slice of one"))
                found[index] = min(int(node.operator.words), found.get(index, int(node.operator.words)))
    return found


def _origins(graph: Graph, index: int) -> set[int]:
    """Return the inputs, or layers that compute, from which values come to a node."""
    waiting, origins = [index], set[int]()
    while waiting:
        number = waiting.pop()
        node = graph.nodes[number]
        shapes = graph.input_shapes(node)
        if node.inputs and not node.operator.weights(*shapes) and not node.operator.work(*shapes):
            waiting += node.inputs
        else:
            origins.add(number)
    return origins
