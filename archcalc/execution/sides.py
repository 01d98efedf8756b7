"""Run one side of an identity: a small network on seeded values, in float64.

The result is its output, the pixels that an output sees, or the products of its layers.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from archcalc.execution.counted import loops
from archcalc.execution.forward import Forward
from archcalc.execution.model import Array, Weights
from archcalc.execution.weights import make, slots
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.tuples import NamedTuple


class Sides(NamedTuple):
    """What was executed, and its result."""

    left: str
    right: str
    values: Array
    others: Array


def network(input: str, layers: str, *blocks: str) -> Graph:
    """Return a network of one line, with blocks in TOML."""
    text = "\n".join([f'input = "{input}"', f'layers = "{layers}"', *blocks])
    spec = read(Source("identity", text))
    return build(spec, {})


def run(graph: Graph, weights: dict[str, Weights], x: Array) -> Array:
    """Return the output for images × height × width × channels, in float64.

    Each layer runs by itself, since it is watched: a fused chain would fold the batch norm.
    """
    forward = Forward(graph, weights, len(x), np.float64)
    return forward.run(x, lambda index, value: None)["output"].copy()


def seeded(graph: Graph) -> dict[str, Weights]:
    """Return values for every tensor, including biases and statistics; a variance is positive."""
    weights: dict[str, Weights] = {}
    for slot in slots(graph):
        values = _random(str(slot), *slot.shape)
        kept = np.abs(values) + 0.5 if slot.name in ("variance", "fixed") else values
        weights.setdefault(slot.node.path, {})[slot.name] = kept
    return weights


def image(graph: Graph, batch: int = 1) -> Array:
    """Return seeded input."""
    return _random("image", batch, *map(int, graph.input))


def _random(name: str, *shape: int) -> Array:
    return np.random.default_rng(crc32(name.encode())).standard_normal(shape)


def seen_pixels(layers: str, side: int) -> Array:
    """Return which pixels of a side × side input change the middle output, each changed alone."""
    graph = network(f"{side}x{side}x1", layers)
    weights = {path: {k: np.abs(w) for k, w in own.items()} for path, own in seeded(graph).items()}
    x = np.abs(image(graph))
    changed = x + np.eye(side * side).reshape(-1, side, side, 1)
    middle = [size // 2 for size in graph.nodes[graph.output].shape[:2]]
    before, after = (run(graph, weights, each)[:, middle[0], middle[1], 0] for each in (x, changed))
    return (after != before).reshape(side, side).astype(np.float64)


def counted_products(input: str, layers: str) -> int:
    """Return the products that the loops count in a chain of convolutions."""
    graph, products = network(input, layers), 0
    weights, x = make(graph), image(graph).astype(np.float32)
    for node in graph.nodes[graph.inputs :]:
        done = loops.run(node.operator, [x], weights[graph.holder(node).path])
        x, products = done.output, products + done.counts["products"]
    return products
