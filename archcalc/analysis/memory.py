"""Activation memory by rule: what a framework would store, and what is alive at once.

A *buffer* holds the output of one operator, and of all that may overwrite it or look at it differently:
elementwise operators take over an input of the same size whose last reader they are, views share their
input. The network's input counts while it is needed; outputs live to the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from archcalc import garbage
from archcalc.analysis.notebook import Rows
from archcalc.arithmetic import maximum
from archcalc.graph.model import Graph, Node
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

Kernel = Literal["", "fused", "plain"]


class Buffer(NamedTuple):
    """`size` values, alive from step `born` to step `dies`; `nodes` live in it, one after another.

    `inside`: it holds what its one node makes on the way to its output.
    """

    size: Int
    born: int
    dies: int
    nodes: tuple[int, ...]
    inside: bool = False


class MemoryStep(NamedTuple):
    """One operator's turn: the node, and the values alive while it runs."""

    node: int
    live: Int


class Memory(NamedTuple):
    """Activation memory of one image, in values (not bytes).

    `stored` sums the input and every map that is made anew; `peak` is the most alive at once in the
    order of `steps`.
    """

    graph: Graph
    stored: Int
    peak: Int
    steps: tuple[MemoryStep, ...]
    buffers: tuple[Buffer, ...]

    @property
    def rows(self) -> Rows:
        """A flat dict a step: the layer, its output, and the values alive while it runs."""
        nodes = [(self.graph.nodes[step.node], int(step.live)) for step in self.steps]
        return Rows(
            {"path": n.path, "output": str(n.shape), "values": int(n.shape.values), "alive": live}
            for n, live in nodes
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: both totals and the rows, in values, 4 bytes each as float32."""
        return {"stored": int(self.stored), "peak": int(self.peak), "steps": list(self.rows)}

    def _repr_html_(self) -> str:
        return self.rows._repr_html_()

    def __repr__(self) -> str:
        return (
            f"<Memory of {len(self.steps)} layers: {self.stored} values stored, {self.peak} at the peak>"
        )

    @property
    def peak_step(self) -> int:
        """The number of the first step at which the most is alive."""
        return next(i for i, step in enumerate(self.steps) if step.live == self.peak)

    def alive(self, step: int) -> tuple[Buffer, ...]:
        """Return the buffers alive at a step, in the order of their birth."""
        return tuple(b for b in self.buffers if b.born <= step <= b.dies)

    def held(self) -> Iterator[list[Buffer]]:
        """Yield the buffers alive at each step, one step after another."""
        born: list[list[Buffer]] = [[] for _ in self.steps]
        for buffer in self.buffers:
            born[buffer.born].append(buffer)
        alive: list[Buffer] = []
        for step, more in enumerate(born):
            alive = [buffer for buffer in alive if buffer.dies >= step] + more
            yield alive


def stored(graph: Graph) -> Int:
    """Return the values of the input and of every map made anew: the sum of the lecture tables.

    Layers that compute, join or move values make one: conv, linear, attention, pools, joins, products of
    matrices, reductions, slice, shuffle, upsampling, padded channels, space to depth, transposes, rolls,
    class tokens. Activations, norms, scale, dropout and position embeddings change values where they
    are; flatten, tokens and reshape only call the same values by another shape.
    """
    times = graph.times()
    return sum(
        node.shape.values * times.get(index, 1)
        for index, node in enumerate(graph.nodes)
        if node.operator.stored
    )


@garbage.paused()
def measure(graph: Graph, order: Sequence[int] | None = None, attention: Kernel = "") -> Memory:
    """Measure the memory of a graph whose nodes run in `order` (that of the spec if not given).

    `attention` says what is alive inside an attention, if that is to count: its queries, keys and
    values, and the scores where the kernel is plain; a fused one (FlashAttention) never has all of them.
    """
    order = range(len(graph.nodes)) if order is None else order
    buffers = assign(graph, order)
    if attention:
        buffers = (*buffers, *_inside(graph, order, buffers, attention))
    changes: list[Int] = [0] * (len(order) + 1)
    for buffer in buffers:
        changes[buffer.born] = changes[buffer.born] + buffer.size
        changes[buffer.dies + 1] = changes[buffer.dies + 1] - buffer.size
    steps: list[MemoryStep] = []
    live: Int = 0
    peak: Int = 0
    for node, change in zip(order, changes, strict=False):
        live = live + change
        peak = maximum(peak, live)
        steps.append(MemoryStep(node, live))
    return Memory(graph, stored(graph), peak, tuple(steps), buffers)


def assign(graph: Graph, order: Sequence[int]) -> tuple[Buffer, ...]:
    """Assign buffers to a run in `order`: which nodes share one, and when each is alive."""
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


def _inside(
    graph: Graph, order: Sequence[int], buffers: Sequence[Buffer], attention: Kernel
) -> Iterator[Buffer]:
    """Return what each attention needs beside its input and output when it needs most.

    First its inputs and the three projections are alive; then, the inputs only if somebody else reads
    them, the projections and the scores (in which the softmax is done) or, fused, the mixed values.
    """
    from archcalc.operators.attention import Attention, WindowAttention  # others do without

    home = {index: buffer for buffer in buffers for index in buffer.nodes}
    for step, index in enumerate(order):
        node = graph.nodes[index]
        if isinstance(node.operator, Attention | WindowAttention):
            sums = (sum(m.values()) for m in moments(graph, node, home, step, attention))
            around = sum(b.size for b in _read(node, home)) + node.shape.values
            yield Buffer(maximum(*sums) - around, step, step, (index,), inside=True)


def moments(
    graph: Graph, node: Node, home: Mapping[int, Buffer], step: int, attention: Kernel
) -> tuple[dict[str, Int], dict[str, Int]]:
    """Return what an attention holds of its own while it projects, and while it mixes.

    `home`: the buffer of each node. An input stays if another layer reads it later.
    """
    from archcalc.operators.attention import Attention, WindowAttention

    assert isinstance(node.operator, Attention | WindowAttention)
    projected, scores, mixed = node.operator.inside(*graph.input_shapes(node))
    read = _read(node, home)
    its = "its input" if len(read) == 1 else "its inputs"
    arrived = sum(buffer.size for buffer in read)
    beside = {"scores": scores} if attention == "plain" else {"mixed values": mixed}
    if getattr(node.operator, "bare", False):  # its inputs are queries, keys and values
        scores = scores if attention == "plain" else 0
        return {its: arrived}, {its: arrived, "scores": scores, "its output": node.shape.values}
    before: dict[str, Int] = {its: arrived, "q, k, v": projected}
    return before, {**before, its: sum(b.size for b in read if b.dies > step), **beside}


def _read(node: Node, home: Mapping[int, Buffer]) -> list[Buffer]:
    return list({id(home[i]): home[i] for i in node.inputs}.values())


def last_reads(graph: Graph, order: Sequence[int]) -> list[int]:
    """Return each node's last reader as a step; its own if nobody reads it, past the end for outputs."""
    last = [0] * len(graph.nodes)
    for step, index in enumerate(order):
        for i in (index, *graph.nodes[index].inputs):
            last[i] = step
    for index in graph.outputs:
        last[index] = len(order)
    return last


def _shared(
    graph: Graph, index: int, home: dict[int, int], dies: Sequence[int], step: int
) -> int | None:
    """Return the buffer of an input that the node can live in, or None if it needs its own."""
    node = graph.nodes[index]
    if node.operator.buffer == "view":
        return home[node.inputs[0]]
    if node.operator.buffer == "in place":
        for i in node.inputs:
            if dies[home[i]] == step and graph.nodes[i].shape.values == node.shape.values:
                return home[i]
    return None
