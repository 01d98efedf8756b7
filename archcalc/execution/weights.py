"""List the tensors of a network, and draw seeded values for them.

Seeded weights depend on the seed and the layer's path only: a layer keeps them whatever is added
around it, and float64 has the same numbers as float32.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from heapq import heapify, heappop, heappush
from math import prod, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np

from archcalc.errors import Diagnostic, UsageError, listed, suggestion
from archcalc.execution.capacity import memory
from archcalc.execution.model import Array, Weights
from archcalc.graph.model import Graph, Node
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, printable

INITS = ("he", "xavier", "normal", "zeros", "zero-residual")
Precision = Literal["float32", "float64"]
Dims: TypeAlias = tuple[int, ...]

NORMAL = 0.01  # standard deviation of `normal`
EMBEDDING = 0.02  # of tokens, positions and relative places, as ViT and Swin have it
_BLOCK = 1 << 20  # values drawn at a time
_FACTORS = {"scale": 1, "factor": 1, "prelu": 0.25}  # a slope as He et al. 2015 have it
_CONSTANT = {"bias": 0, "shift": 0, "mean": 0, "variance": 1, "scale": 1}


class Slot(NamedTuple):
    """A tensor of a layer, under its name. `layer` is the index of the layer's node."""

    layer: int
    node: Node
    name: str
    shape: Dims
    role: str

    def __str__(self) -> str:
        return f"{self.node.path}.{self.name}"


def slots(graph: Graph) -> Iterator[Slot]:
    """Yield every tensor of the network, layer by layer."""
    for index, node in enumerate(graph.nodes):
        for weight in graph.weights(node):
            shape = tuple(int(size) for size in weight.shape)
            yield Slot(index, node, weight.name, shape, weight.role)


def make(
    graph: Graph, init: str = "he", seed: int = 0, dtype: Precision = "float32"
) -> dict[str, Weights]:
    """Draw seeded weights: layer path → role → array of the declared shape, for layers with weights.

    he: normal with variance 2 / fan-in (He et al. 2015); xavier: normal with variance
    2 / (fan-in + fan-out) (Glorot & Bengio 2010); normal: standard deviation 0.01; zeros;
    zero-residual: he, but `residual_ends` are zero. Fan-in is the number of products that an output
    sums up. Biases, shifts and means are 0, scales and variances 1, fixed patterns ±1, learned words,
    tokens and positions normal with 0.02, slopes 0.25. Queries carry the factor 1/√(channels of a head).

    Raises:
        UsageError: the init is unknown, the seed below 0, or the weights exceed the memory.
    """
    if init not in INITS:
        help = suggestion(init, INITS) or f"one of: {listed(INITS)}"
        raise UsageError(Diagnostic(f"unknown init `{printable(init)}`", help=help))
    if seed < 0:
        raise UsageError(Diagnostic(f"a seed of {seed}", help="a seed is an integer of 0 or more"))
    require_memory(graph, dtype)
    zero = residual_ends(graph) if init == "zero-residual" else frozenset()
    weights: dict[str, Weights] = {}
    try:
        for slot in slots(graph):
            silent = slot.layer in zero and slot.role != "variance"
            values = np.zeros(slot.shape, dtype) if silent else _values(slot, init, seed, dtype)
            weights.setdefault(slot.node.path, {})[slot.name] = values
    except MemoryError:
        weights.clear()
        raise UsageError(_too_much(graph, dtype)) from None
    return weights


def require_memory(graph: Graph, dtype: Precision) -> None:
    """Refuse weights that this machine cannot hold.

    Raises:
        UsageError: the weights need more than the physical memory.
    """
    there = memory()
    needed = sum(prod(slot.shape) for slot in slots(graph)) * np.dtype(dtype).itemsize
    if there is not None and needed > there:
        raise UsageError(_too_much(graph, dtype))


def _too_much(graph: Graph, dtype: Precision) -> Diagnostic:
    values = sum(prod(slot.shape) for slot in slots(graph))
    size = binary(values * np.dtype(dtype).itemsize)
    message = f"the weights take {size} of memory, more than there is"
    return Diagnostic(message, help=f"{grouped(values)} values of {dtype}")


def _values(slot: Slot, init: str, seed: int, dtype: Precision) -> Array:
    operator: Any = slot.node.operator
    if slot.role in _CONSTANT:
        return np.full(slot.shape, _CONSTANT[slot.role], dtype)
    if slot.role == "fixed":
        signs = _generator(seed, slot, 0).integers(0, 2, slot.shape, np.int8)
        return (2 * signs - 1).astype(dtype)
    if init == "zeros":
        return np.zeros(slot.shape, dtype)
    if operator.name in _FACTORS:
        return np.full(slot.shape, _FACTORS[operator.name], dtype)
    values = _normal(slot, seed, _deviation(slot, init))
    if slot.name == "query.weight":
        values *= np.float32(sqrt(operator.heads / slot.shape[-1]))
    return values.astype(dtype, copy=False)


def _generator(seed: int, slot: Slot, block: int) -> np.random.Generator:
    """Return the random stream of one block of a tensor; SFC64 is numpy's fastest."""
    digest = hashlib.sha256(str(slot).encode()).digest()
    return np.random.Generator(np.random.SFC64([seed, int.from_bytes(digest, "little"), block]))


def _normal(slot: Slot, seed: int, deviation: float) -> Array:
    """Draw blocks from streams of their own, so that all cores draw and values do not depend on them."""
    values = np.empty(slot.shape, np.float32)
    flat = values.reshape(-1)

    def draw(begin: int) -> None:
        block = flat[begin : begin + _BLOCK]
        _generator(seed, slot, begin // _BLOCK).standard_normal(dtype=np.float32, out=block)
        block *= np.float32(deviation)

    if flat.size <= _BLOCK:
        draw(0)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(draw, range(0, flat.size, _BLOCK)))
    return values


def _deviation(slot: Slot, init: str) -> float:
    if init == "normal":
        return NORMAL
    if slot.role == "position" or slot.node.operator.name in ("classtoken", "embedding", "offset"):
        return EMBEDDING
    fan_in, fan_out = _fans(slot)
    return sqrt(2 / (fan_in + fan_out) if init == "xavier" else 2 / fan_in)


def _fans(slot: Slot) -> tuple[float, float]:
    """Return how many products an output sums, and an input takes part in (at stride 1)."""
    operator: Any = slot.node.operator
    if operator.name == "conv" and operator.table is not None:
        sources = {channel for row in operator.table for channel in row}
        links = prod(slot.shape)
        return links / operator.filters, links / len(sources)
    taps, groups = prod(slot.shape[:-2]), getattr(operator, "g", 1)
    fan_in, fan_out = taps * slot.shape[-2], taps * slot.shape[-1] / groups
    if operator.name == "deconv":  # a window of the output is reached by one input in s·s
        return fan_in / prod(operator.s), fan_out
    return fan_in, fan_out


# ---- what `zero-residual` silences


def residual_ends(graph: Graph) -> frozenset[int]:
    """Return the layers that make every residual branch zero if their scale or weight is zero.

    Of the branches that end in an `add`, the one with the fewest weight layers is the shortcut, which
    stays (the last one among equals). In each other branch the layer to zero is the last norm with a
    scale, or else the last weight layer, among those that the whole branch passes through.
    """
    ends: set[int] = set()
    for node in graph.nodes:
        if node.operator.name != "add":
            continue
        branches = _branches(graph, node.inputs)
        depths = [sum(bool(graph.nodes[i].operator.weight_layer) for i in b.nodes) for b in branches]
        shortcut = max(i for i, depth in enumerate(depths) if depth == min(depths))
        for number, branch in enumerate(branches):
            end = _end(graph, branch) if number != shortcut else None
            ends |= set() if end is None else {end}
    return frozenset(ends)


class _Branch(NamedTuple):
    """One branch of a join: the nodes that only it needs, and those that all of it passes through."""

    nodes: list[int]
    passed: list[int]  # last first


def _branches(graph: Graph, inputs: tuple[int, ...]) -> list[_Branch]:
    """Walk back from all inputs of a join at once, as long as there are nodes that only one needs."""
    needed: dict[int, int] = {}  # node → bits of the inputs that need it
    for bit, index in enumerate(inputs):
        needed[index] = needed.get(index, 0) | 1 << bit
    queue = [-index for index in needed]
    heapify(queue)
    branches = [_Branch([], []) for _ in inputs]
    alone = sum(_single(bits) for bits in needed.values())
    while alone:
        index = -heappop(queue)
        bits = needed.pop(index)
        if _single(bits):
            alone -= 1
            branch = branches[bits.bit_length() - 1]
            branch.nodes.append(index)
            if not any(other & bits for other in needed.values()):  # no way around it
                branch.passed.append(index)
        for source in set(graph.nodes[index].inputs):
            before = needed.get(source, 0)
            if not before:
                heappush(queue, -source)
            needed[source] = before | bits
            alone += _single(before | bits) - _single(before)
    return branches


def _single(bits: int) -> bool:
    return bits.bit_count() == 1


def _end(graph: Graph, branch: _Branch) -> int | None:
    """Return the layer to silence, or None if nothing in the branch can be."""
    for index in branch.passed:
        node = graph.nodes[index]
        if any(w.role == "scale" for w in node.operator.weights(*graph.input_shapes(node))):
            return index
    return next((i for i in branch.passed if graph.nodes[i].operator.weight_layer), None)
