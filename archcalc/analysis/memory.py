"""Activation memory by rule: what a framework would store, and what is alive at once.

A *buffer* holds the output of one operator, and of all that may overwrite it or look at it differently:
elementwise operators take over an input of the same size whose last reader they are, views share their
input. The network's input counts while it is needed; outputs live to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc import collector
from archcalc.graph.model import Graph
from archcalc.symbols import Int, maximum


class Buffer(NamedTuple):
    """`size` values, alive from step `born` to step `dies`; `nodes` live in it, one after another."""

    size: Int
    born: int
    dies: int
    nodes: tuple[int, ...]


class Step(NamedTuple):
    """One operator's turn: the node, and the values alive while it runs."""

    node: int
    live: Int


class Memory(NamedTuple):
    """Activation memory of one image, in values (not bytes).

    `stored` sums the maps that conv, linear, pool, add, mul and concat make, and the input; `peak` is
    the most alive at once in the order of `steps`.
    """

    stored: Int
    peak: Int
    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]

    @property
    def peak_step(self) -> int:
        """The number of the first step at which the most is alive."""
        return next(i for i, step in enumerate(self.steps) if step.live == self.peak)

    def alive(self, step: int) -> tuple[Buffer, ...]:
        """The buffers alive at a step, in the order of their birth."""
        return tuple(b for b in self.buffers if b.born <= step <= b.dies)


def stored(graph: Graph) -> Int:
    """Values of the input and of every map that is made: the sum of the lecture tables."""
    return sum(node.shape.values for node in graph.nodes if node.operator.stored)


@collector.paused()
def measure(graph: Graph, order: Sequence[int] | None = None) -> Memory:
    """The memory of a graph whose nodes run in `order` (that of the spec if not given)."""
    order = range(len(graph.nodes)) if order is None else order
    buffers = assign(graph, order)
    changes: list[Int] = [0] * (len(order) + 1)
    for buffer in buffers:
        changes[buffer.born] = changes[buffer.born] + buffer.size
        changes[buffer.dies + 1] = changes[buffer.dies + 1] - buffer.size
    steps: list[Step] = []
    live: Int = 0
    peak: Int = 0
    for node, change in zip(order, changes, strict=False):
        live = live + change
        peak = maximum(peak, live)
        steps.append(Step(node, live))
    return Memory(stored(graph), peak, tuple(steps), buffers)


def assign(graph: Graph, order: Sequence[int]) -> tuple[Buffer, ...]:
    """The buffers of a run in `order`: which nodes share one, and when each is alive."""
    last_read = last_reads(graph, order)
    end = len(order) - 1
    home: dict[int, int] = {}  # node → number of its buffer
    born: list[int] = []
    dies: list[int] = []
    members: list[list[int]] = []
    for step, index in enumerate(order):
        shared = _shared(graph, index, home, dies, step)
        if shared is None:
            shared = len(born)
            born.append(step)
            dies.append(step)
            members.append([])
        home[index] = shared
        members[shared].append(index)
        dies[shared] = max(dies[shared], last_read[index])
    sizes = [graph.nodes[nodes[0]].shape.values for nodes in members]
    rows = zip(sizes, born, dies, members, strict=True)
    return tuple(Buffer(size, b, min(d, end), tuple(nodes)) for size, b, d, nodes in rows)


def last_reads(graph: Graph, order: Sequence[int]) -> list[int]:
    """The step of each node's last reader; its own if nobody reads it, past the end for outputs."""
    step_of = {index: step for step, index in enumerate(order)}
    last = [step_of[index] for index in range(len(graph.nodes))]
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            last[i] = max(last[i], step_of[index])
    for index in graph.outputs:
        last[index] = len(order)
    return last


def _shared(
    graph: Graph, index: int, home: dict[int, int], dies: Sequence[int], step: int
) -> int | None:
    """The buffer of an input that the node can live in, or None if it needs its own."""
    node = graph.nodes[index]
    if node.operator.buffer == "view":
        return home[node.inputs[0]]
    if node.operator.buffer == "in place":
        for i in node.inputs:
            if dies[home[i]] == step and graph.nodes[i].shape.values == node.shape.values:
                return home[i]
    return None
