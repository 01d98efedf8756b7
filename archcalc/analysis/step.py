"""Measure the memory of a training step in bytes: state, kept tensors, and temporary tensors.

Nodes run forward in order, then backward in reverse. A value lives until its last reader has run or, if
it is kept, until the last layer of the backward pass that needs it. Its derivative lives from the
backward turn of its last reader to that of its own node. Nothing works in place; views take no memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from archcalc.analysis.costs import Analysis
from archcalc.analysis.kept import KeptTensor, viewed
from archcalc.analysis.training import gradients
from archcalc.arithmetic import maximum
from archcalc.errors import Diagnostic, UsageError
from archcalc.formats import BITS, Formats
from archcalc.graph.model import Graph
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}  # values of state per parameter
SINGLE = 4  # the bytes of a float32


class Bytes(NamedTuple):
    """A number of bytes: `each` per image, plus `once` per batch."""

    each: Int = 0
    once: Int = 0

    def of(self, batch: int) -> Int:
        """Return the bytes for a batch of so many images."""
        return batch * self.each + self.once

    def plus(self, other: Bytes) -> Bytes:
        """Return the sum of both."""
        return Bytes(self.each + other.each, self.once + other.once)


class State(NamedTuple):
    """The bytes that stay allocated from step to step."""

    weights: Int
    gradients: Int
    optimizer: Int
    master: Int

    @property
    def total(self) -> Int:
        """The bytes of all parts."""
        return sum(self)


class TrainingStep(NamedTuple):
    """The memory of a step: kept after the forward pass, and alive at each turn of the two passes."""

    state: State
    kept: Bytes
    alive: tuple[Bytes, ...]
    recomputed: Int  # the multiplies per image that are repeated

    def peak(self, batch: int) -> Int:
        """Return the most bytes allocated at once."""
        return self.state.total + reduce(maximum, (turn.of(batch) for turn in self.alive))

    def largest_batch(self, limit: int) -> int:
        """Return the largest batch that fits in `limit` bytes; 0 if not even one image does."""
        left = limit - self.state.total
        return max(0, min(int((left - turn.once) // turn.each) for turn in self.alive if turn.each))


class _Lifetime(NamedTuple):
    """A tensor's size, and the first and last turn at which it is alive."""

    size: Bytes
    born: int
    dies: int


def step(
    analysis: Analysis,
    kept: Sequence[KeptTensor],
    formats: Formats,
    optimizer: str,
    checkpointed: Mapping[int, int] | None = None,
) -> TrainingStep:
    """Return the memory of a step; `checkpointed` maps nodes of checkpointed blocks to block numbers."""
    graph, blocks = analysis.graph, checkpointed or {}
    held, redone = _checkpointed(graph, kept, blocks)
    lifetimes = [*_values(graph, held, formats), *_derivatives(analysis, formats)]
    lifetimes += [
        _Lifetime(size_of(t, graph, formats), t.node, _turn_back(graph, min(t.by))) for t in held
    ]
    for tensor in kept:
        if tensor not in held and tensor.node in redone:
            last = max(i for i, block in blocks.items() if block == blocks[tensor.node])
            size = size_of(tensor, graph, formats)
            lifetimes.append(_Lifetime(size, _turn_back(graph, last), _turn_back(graph, min(tensor.by))))
    total = reduce(Bytes.plus, (size_of(tensor, graph, formats) for tensor in held), Bytes())
    again: Int = sum(analysis.layers[i].costs.multiplies for i in redone)
    return TrainingStep(_state(analysis, formats, optimizer), total, _turns(graph, lifetimes), again)


def require_floats(formats: Formats) -> None:
    """Check that weights and activations are floating-point numbers, as derivatives have to be.

    Raises:
        UsageError: one of them is not.
    """
    for name in formats[:2]:
        if "float" not in name:
            help = "float32, float16, bfloat16, or float32xfloat16: weights and activations"
            raise UsageError(Diagnostic(f"derivatives are no `{name}`", help=help))


def size_of(tensor: KeptTensor, graph: Graph, formats: Formats) -> Bytes:
    """Return the bytes of a tensor: integers in the fewest bytes, sums at least in float32."""
    made, values = tensor.made, tensor.size(graph)
    width = BITS[formats.activations] // 8
    if made is not None and made.places:
        width = next(w for w in (1, 2, 4, 8) if made.places <= 1 << 8 * w)
    elif made is not None and made.sums:
        width = max(width, SINGLE)
    once = made is not None and made.once
    return Bytes(0, width * values) if once else Bytes(width * values)


def _state(analysis: Analysis, formats: Formats, optimizer: str) -> State:
    width = BITS[formats.weights] // 8
    trained, numbers = analysis.total.trainable, analysis.total.stored_numbers
    wide = max(width, SINGLE)
    return State(
        width * numbers,
        width * trained,
        wide * OPTIMIZERS[optimizer] * trained,
        SINGLE * trained if width < SINGLE else 0,
    )


def _turn_back(graph: Graph, node: int) -> int:
    """Return the turn at which the backward pass visits a node."""
    return 2 * len(graph.nodes) - 1 - node


def _readers(graph: Graph) -> dict[int, int]:
    """Return the last reader of each tensor that is no view; for outputs, the last node."""
    last = {i: i for i in range(len(graph.nodes)) if viewed(graph, i) == i}
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            last[viewed(graph, i)] = max(last[viewed(graph, i)], index)
    for index in graph.outputs:
        last[viewed(graph, index)] = len(graph.nodes) - 1
    return last


def _values(graph: Graph, held: Sequence[KeptTensor], formats: Formats) -> list[_Lifetime]:
    """Return the lifetimes of the outputs of nodes that are not kept."""
    own = {tensor.node for tensor in held if tensor.made is None}
    width = BITS[formats.activations] // 8
    return [
        _Lifetime(Bytes(width * graph.nodes[node].shape.values), node, last)
        for node, last in _readers(graph).items()
        if node not in own
    ]


def _derivatives(analysis: Analysis, formats: Formats) -> list[_Lifetime]:
    """Return the lifetimes of the derivatives of nodes' outputs."""
    graph, needed = analysis.graph, gradients(analysis)
    width = BITS[formats.activations] // 8
    return [
        _Lifetime(
            Bytes(width * graph.nodes[node].shape.values),
            _turn_back(graph, max(last, node)),
            _turn_back(graph, node),
        )
        for node, last in _readers(graph).items()
        if needed[node]
    ]


def _turns(graph: Graph, lifetimes: Sequence[_Lifetime]) -> tuple[Bytes, ...]:
    """Return the bytes alive at each turn: forward in order, then backward."""
    changes = [Bytes()] * (2 * len(graph.nodes) + 1)
    for size, born, dies in lifetimes:
        changes[born] = changes[born].plus(size)
        changes[dies + 1] = changes[dies + 1].plus(Bytes(-size.each, -size.once))
    turns = [changes[0]]
    for change in changes[1:-1]:
        turns.append(turns[-1].plus(change))
    return tuple(turns)


def _checkpointed(
    graph: Graph, kept: Sequence[KeptTensor], blocks: Mapping[int, int]
) -> tuple[list[KeptTensor], set[int]]:
    """Return the tensors that are still kept in the forward pass, and the nodes that run again.

    A checkpointed block keeps only its inputs, and the tensors that other blocks need. The nodes that
    make its other tensors run again in the backward pass.
    """
    inner = [t for t in kept if t.node in blocks and all(blocks.get(i) == blocks[t.node] for i in t.by)]
    redone: set[int] = set()
    waiting = [t.node for t in inner]
    needed_by: dict[int, set[int]] = {}
    while waiting:
        node = waiting.pop()
        if node in redone:
            continue
        redone.add(node)
        for i in graph.nodes[node].inputs:
            if blocks.get(i) == blocks[node]:
                waiting.append(i)
            else:
                needed_by.setdefault(viewed(graph, i), set()).add(node)
    held = {(t.node, t.made): t for t in kept if t not in inner}
    for node, by in needed_by.items():
        old = held.get((node, None), KeptTensor(node, None, ()))
        found = next((t.by for t in inner if (t.node, t.made) == (node, None)), ())
        held[node, None] = old._replace(by=tuple({*old.by, *by, *found}))
    return sorted(held.values(), key=lambda t: t.node), redone
