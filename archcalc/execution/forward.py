"""Run the forward pass: a graph executed in one block of memory laid out beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from archcalc.analysis.arena import lay_out
from archcalc.analysis.memory import Memory, measure
from archcalc.execution.fast.finish import ELEMENTWISE
from archcalc.execution.fast.operators import KERNELS, prepare, scratch
from archcalc.execution.inputs import seeded
from archcalc.execution.model import Array, Prepared, Weights
from archcalc.graph.model import Graph

Watch = Callable[[int, Array], None]


class Forward:
    """A graph with its weights, ready to run on `batch` images of images × positions × channels.

    All activations are in `block`, at the offsets of the arena of `archcalc memory`; `scratch` is for
    the kernels. Nothing else of a relevant size is allocated while it runs.
    """

    def __init__(
        self,
        graph: Graph,
        weights: Mapping[str, Weights],
        batch: int = 1,
        dtype: Any = np.float32,
        release: bool = False,
    ) -> None:
        """With `release`, `weights` is a dictionary that is emptied, so that none is held twice."""
        self.graph, self.batch = graph, batch
        self.memory: Memory = measure(graph)
        arena = lay_out(self.memory.buffers, int(self.memory.peak))
        self.block = np.zeros(arena.size * batch, dtype)
        self.scratch = np.zeros(self._scratch_size(), dtype)
        self.values: list[Array] = [self.block] * len(graph.nodes)
        for offset, buffer in zip(arena.offsets, self.memory.buffers, strict=True):
            for index in buffer.nodes:
                self.values[index] = self._view(index, offset)
        self.weights = self._prepare(weights if release else dict(weights), dtype)
        self.chains = self._chains()

    def run(self, image: Array, watch: Watch | None = None) -> dict[str, Array]:
        """Return the outputs by name, as views into the block: copy what must outlive the next run.

        `watch` is called for every node after it ran, with its number and output. Without it, chains of
        elementwise layers run as one.
        """
        self.begin(image)
        with np.errstate(over="ignore", invalid="ignore"):  # a signal that explodes is a result
            if watch is None:
                for index, (last, weights) in self.chains.items():
                    self._execute(index, weights, self.values[last])
            else:
                for index in range(self.graph.inputs, len(self.graph.nodes)):
                    self.step(index)
                    watch(index, self.values[index])
        named = dict(self.graph.side_outputs)
        return {
            "output": self.values[self.graph.output],
            **{k: self.values[i] for k, i in named.items()},
        }

    def begin(self, image: Array) -> None:
        """Copy the images to where the first layers read them; further inputs get seeded values."""
        self.values[0][...] = image
        for index in range(1, self.graph.inputs):
            self.values[index][...] = seeded(self.graph, index, self.batch, index)

    def step(self, index: int) -> None:
        """Run one node after those before it."""
        self._execute(index, self.weights[index], self.values[index])

    def _execute(self, index: int, weights: Prepared, out: Array) -> None:
        node = self.graph.nodes[index]
        inputs = [self.values[i] for i in node.inputs]
        KERNELS[node.operator.name](node.operator, inputs, weights, out, self.scratch)

    def _prepare(self, weights: Any, dtype: Any) -> list[Prepared]:
        """Return each node's weights as its kernel wants them, taken from `weights`."""
        held = {node.shares for node in self.graph.nodes}
        prepared: list[Prepared] = []
        kept: dict[int, Weights] = {}
        for index, node in enumerate(self.graph.nodes):
            if node.shares >= 0 and node.operator is self.graph.holder(node).operator:
                prepared.append(prepared[node.shares])
                continue
            own = weights.pop(node.path, {})
            if node.shares >= 0:
                own = kept[node.shares]
            if index in held:
                kept[index] = own
            prepared.append(prepare(node.operator, own, int(node.shape.channels), dtype))
        return prepared

    def _chains(self) -> dict[int, tuple[int, Prepared]]:
        """Return the fused chains: each first node with the last one whose work it does.

        An elementwise operator is fused into the one before if it overwrites its result, which no other
        node reads, and if both together still have the form of a Finish.
        """
        chains: dict[int, tuple[int, Prepared]] = {}
        first_of: dict[int, int] = {}
        home = {i: number for number, b in enumerate(self.memory.buffers) for i in b.nodes}
        readers = Counter(i for node in self.graph.nodes for i in node.inputs)
        begin = self.graph.inputs
        for index, node in enumerate(self.graph.nodes[begin:], begin):
            weights, source = self.weights[index], node.inputs[0]
            if (
                node.operator.name in ELEMENTWISE
                and readers[source] == 1
                and home[source] == home[index]
            ):
                first = first_of.get(source, 0)
                before = chains.get(first, (0, {}))[1]
                both = before["finish"].then(weights["finish"]) if "finish" in before else None
                if both is not None:
                    chains[first], first_of[index] = (index, {**before, "finish": both}), first
                    continue
            chains[index], first_of[index] = (index, weights), index
        return chains

    def _view(self, index: int, offset: int) -> Array:
        """Return a node's output in the block: all images in sequence."""
        shape = tuple(map(int, self.graph.nodes[index].shape))
        begin = offset * self.batch
        size = int(np.prod(shape)) * self.batch
        return self.block[begin : begin + size].reshape(self.batch, *shape)

    def _scratch_size(self) -> int:
        shapes = [(self.batch, *map(int, node.shape)) for node in self.graph.nodes]
        layers = list(zip(self.graph.nodes, shapes, strict=True))[self.graph.inputs :]
        read = (([shapes[i] for i in n.inputs], n.operator, shape) for n, shape in layers)
        return max((scratch(op, first, shape, *rest) for (first, *rest), op, shape in read), default=0)
