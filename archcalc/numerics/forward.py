"""The forward pass: a graph executed in one block of memory that was laid out beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from archcalc.analysis.arena import lay_out
from archcalc.analysis.memory import Memory, measure
from archcalc.graph.model import Graph
from archcalc.numerics.kernels import KERNELS, prepare, scratch
from archcalc.numerics.reference import Array, Weights

Watch = Callable[[int, Array], None]


class Forward:
    """A graph with its weights, ready to run on `batch` images of images × height × width × channels.

    All activations live in `block`, at the offsets of the arena of `archcalc memory`; `scratch` is what
    the kernels ask for besides. Nothing else of a size is allocated while it runs.
    """

    def __init__(
        self, graph: Graph, weights: Mapping[str, Weights], batch: int = 1, dtype: Any = np.float32
    ) -> None:
        self.graph, self.batch = graph, batch
        self.memory: Memory = measure(graph)
        arena = lay_out(self.memory.buffers, int(self.memory.peak))
        self.block = np.zeros(arena.size * batch, dtype)
        self.scratch = np.zeros(self._scratch_size(), dtype)
        self.values: list[Array] = [self.block] * len(graph.nodes)
        for offset, buffer in zip(arena.offsets, self.memory.buffers, strict=True):
            for index in buffer.nodes:
                self.values[index] = self._view(index, offset)
        self.weights = [
            prepare(node.operator, weights.get(node.path, {})) if node.inputs else {}
            for node in graph.nodes
        ]

    def run(self, image: Array, watch: Watch | None = None) -> dict[str, Array]:
        """The outputs by name, views into the block: copy what is to outlive the next run.

        `watch` is told of every node after it ran: its number and its output.
        """
        self.begin(image)
        with np.errstate(over="ignore", invalid="ignore"):  # a signal that explodes is a result
            for index in range(1, len(self.graph.nodes)):
                self.step(index)
                if watch is not None:
                    watch(index, self.values[index])
        named = dict(self.graph.side_outputs)
        return {
            "output": self.values[self.graph.output],
            **{k: self.values[i] for k, i in named.items()},
        }

    def begin(self, image: Array) -> None:
        """Put the images where the first layers read them."""
        self.values[0][...] = image

    def step(self, index: int) -> None:
        """Run one node; those before it have run."""
        node = self.graph.nodes[index]
        inputs = [self.values[i] for i in node.inputs]
        kernel = KERNELS[node.operator.name]
        kernel(node.operator, inputs, self.weights[index], self.values[index], self.scratch)

    def _view(self, index: int, offset: int) -> Array:
        """A node's output in the block: all images behind each other."""
        shape = tuple(map(int, self.graph.nodes[index].shape))
        begin = offset * self.batch
        size = int(np.prod(shape)) * self.batch
        return self.block[begin : begin + size].reshape(self.batch, *shape)

    def _scratch_size(self) -> int:
        sizes = [0]
        for node in self.graph.nodes:
            if node.inputs:
                x = tuple(map(int, self.graph.nodes[node.inputs[0]].shape))
                sizes.append(scratch(node.operator, x, tuple(map(int, node.shape))))
        return max(sizes)
