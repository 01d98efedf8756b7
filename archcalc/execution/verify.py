"""Verify predictions against execution, layer by layer.

A layer runs three times on the same inputs: by its definition on arrays that count, by compiled loops
that count every step, and by the fast kernel of the forward pass, in the arena that the memory
analysis laid out. Each execution must confirm the predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, Literal
from zlib import crc32

import numpy as np

from archcalc.analysis.arena import lay_out
from archcalc.analysis.costs import Layer, analyze, count
from archcalc.analysis.memory import measure
from archcalc.execution import reference
from archcalc.execution.capacity import FLOAT
from archcalc.execution.counted import loops
from archcalc.execution.counted.arrays import Counter, counted
from archcalc.execution.fast.operators import KERNELS
from archcalc.execution.forward import Forward
from archcalc.execution.inputs import seeded_input
from archcalc.execution.model import Array, Weights
from archcalc.graph.model import Graph
from archcalc.operators.model import STATISTICS, TRAINABLE
from archcalc.tuples import NamedTuple

TOLERANCE = 1e-4  # of the largest value, between two ways to compute a layer in float32
LARGEST = 2.0**40  # of an output that the next layers read; a residual network doubles its variance a
# unit, and after 600 of them float32 is infinite, of which no loop can count the steps


class Check(NamedTuple):
    """One comparison: its subject, what executed it, and both values."""

    what: str
    by: str
    predicted: Any
    executed: Any

    @property
    def holds(self) -> bool:
        return bool(self.predicted == self.executed)


class LayerVerdict(NamedTuple):
    """All checks of a layer.

    `skipped` gives the reason if it was not executed; `uncounted` if no compiled loops count it.
    """

    path: str
    operator: str
    checks: tuple[Check, ...]
    skipped: str = ""
    uncounted: str = ""

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.holds)


class Proof(NamedTuple):
    """A network's verdicts, the checks of the arena as a whole, and the seconds that all took.

    `skipped` gives the reason if nothing was executed.
    """

    verdicts: tuple[LayerVerdict, ...]
    arena: tuple[Check, ...]
    seconds: float
    skipped: str = ""

    @property
    def checks(self) -> int:
        return sum(len(verdict.checks) for verdict in self.verdicts) + len(self.arena)

    @property
    def left_out(self) -> tuple[LayerVerdict, ...]:
        """The layers that were not executed."""
        return tuple(verdict for verdict in self.verdicts if verdict.skipped)

    @property
    def failures(self) -> tuple[tuple[str, Check], ...]:
        """The failed checks, with the layer's path ('' for the arena)."""
        named = [(verdict.path, check) for verdict in self.verdicts for check in verdict.failures]
        return (*named, *(("", check) for check in self.arena if not check.holds))

    @property
    def verdict(self) -> Literal["verified", "skipped", "NOT verified"]:
        """Whether the network was skipped, as it is if one of its layers is."""
        if self.failures:
            return "NOT verified"
        return "skipped" if self.skipped or self.left_out else "verified"


class Verification:
    """A network on one image; iteration runs it and yields a verdict per layer, in execution order."""

    def __init__(self, graph: Graph, weights: Mapping[str, Weights], image: Array) -> None:
        self.graph, self.layers, self.weights = graph, analyze(graph).layers, weights
        self.forward = Forward(graph, weights)
        self.forward.begin(image)
        self._size, self._places = _layout(graph)
        self._digests = {i: crc32(self.forward.values[i]) for i in range(graph.inputs)}
        self._reached = 0

    def __iter__(self) -> Iterator[LayerVerdict]:
        for index, layer in enumerate(self.layers):
            if layer.node.inputs:
                yield self._skip(index) if _inexecutable(layer) else self._verdict(index)

    def _verdict(self, index: int) -> LayerVerdict:
        layer, values = self.layers[index], self.forward.values
        inputs = [values[i].copy() for i in layer.node.inputs]
        intact = self._intact(layer.node.inputs)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self.forward.step(index)
            verdict = judge(
                layer, inputs, self.weights.get(self.graph.holder(layer.node).path, {}), values[index]
            )
        self._tame(index)
        return verdict._replace(
            checks=(*verdict.checks, self._place(index), Check("inputs", "arena", "intact", intact))
        )

    def _skip(self, index: int) -> LayerVerdict:
        """Replace the output by seeded values, so that the layers after it can be verified."""
        layer = self.layers[index]
        self.forward.values[index][...] = seeded_input(layer.node.shape, 1, index)
        self._tame(index)
        return LayerVerdict(layer.path, layer.node.operator.name, (), _inexecutable(layer))

    def _tame(self, index: int) -> None:
        """Keep the output within float32's range for products; a power of two rounds nothing."""
        value = self.forward.values[index]
        largest = float(np.max(np.abs(value), initial=0))
        if LARGEST < largest < np.inf:
            value *= np.float32(LARGEST / 2.0 ** np.ceil(np.log2(largest)))
        self._digests[index] = crc32(value)

    def _place(self, index: int) -> Check:
        """Return first and last byte of the output, from the beginning of the block."""
        value = self.forward.values[index]
        begin = value.ctypes.data - self.forward.block.ctypes.data
        self._reached = max(self._reached, begin + value.nbytes)
        return Check("bytes", "arena", self._places[index], (begin, begin + value.nbytes))

    def arena(self) -> tuple[Check, ...]:
        """Return checks of the block after all layers ran: its size, its use, outputs intact."""
        size = self._size
        inputs = (self._places[i][1] for i in range(self.graph.inputs))
        return (
            Check("bytes", "arena", size, self.forward.block.nbytes),
            Check("bytes used", "arena", size, max(self._reached, *inputs)),
            Check("outputs", "arena", "intact", self._intact(self.graph.outputs)),
        )

    def _intact(self, nodes: Iterable[int]) -> str:
        """Return whether the outputs of these nodes are unchanged, and not overwritten by another's."""
        lost = [i for i in nodes if crc32(self.forward.values[i]) != self._digests[i]]
        return f"overwritten: {self.layers[lost[0]].path}" if lost else "intact"


def prove(graph: Graph, weights: Mapping[str, Weights], image: Array) -> Proof:
    """Return the whole network."""
    began = monotonic()
    verification = Verification(graph, weights, image)
    verdicts = tuple(verification)
    return Proof(verdicts, verification.arena(), monotonic() - began)


def _layout(graph: Graph) -> tuple[int, dict[int, tuple[int, int]]]:
    """Return the bytes of the arena of `archcalc memory`, and first and last of each float32 output."""
    memory = measure(graph)
    arena, places = lay_out(memory.buffers, int(memory.peak)), {}
    for offset, buffer in zip(arena.offsets, memory.buffers, strict=True):
        for index in buffer.nodes:
            size = int(graph.nodes[index].shape.values)
            places[index] = (FLOAT * offset, FLOAT * (offset + size))
    return FLOAT * arena.size, places


def _inexecutable(layer: Layer) -> str:
    """Return why a layer cannot be executed, '' if it can."""
    name = layer.node.operator.name
    runs = name in KERNELS and name in reference.REFERENCE
    return "" if runs else f"`{name}` cannot be executed yet"


def judge(layer: Layer, inputs: list[Array], weights: Weights, fast: Array) -> LayerVerdict:
    """Return the checks of one layer, whose fast kernel computed `fast` from these inputs."""
    operator, images = layer.node.operator, len(fast)
    counter = Counter()
    watched = [counted(x, counter) for x in inputs]
    read = _Read(weights)
    oracle = np.asarray(reference.run(operator, watched, read))
    checks = [
        Check("shape", "definition", tuple(map(int, layer.node.shape)), oracle.shape[1:]),
        *_numbers(layer, read),
        *_counts(layer, counter.counts, "definition", images),
        _values("kernel", oracle, fast),
    ]
    reason = loops.REFUSED.get(operator.name, "")
    if not reason:
        executed = loops.run(operator, inputs, weights)
        checks += _counts(layer, executed.counts, "loops", images)
        checks.append(_values("loops", oracle, executed.output))
    return LayerVerdict(layer.path, operator.name, tuple(checks), uncounted=reason)


class _Read(dict[str, Array]):
    """Weights that record which of them were read."""

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Array:
        self.names.add(name)
        return super().__getitem__(name)


def _numbers(layer: Layer, read: _Read) -> Iterator[Check]:
    """Yield the numbers that the execution consumed, by role."""
    roles = {weight.name: weight.role for weight in layer.node.operator.weights(*layer.inputs)}
    consumed = {"parameters": 0, "statistics": 0, "fixed": 0}
    for name in sorted(read.names):
        role = roles.get(name)
        kind = "statistics" if role in STATISTICS else "parameters" if role in TRAINABLE else "fixed"
        consumed[kind] += int(read[name].size)
    shared = layer.node.shares >= 0
    costs = count(layer.node.operator, layer.inputs) if shared else layer.costs
    for kind, size in consumed.items():
        predicted = int(getattr(costs, kind))
        if kind == "parameters" or predicted or size:
            yield Check(f"shared {kind}" if shared else kind, "definition", predicted, size)


def _counts(layer: Layer, counts: dict[str, int], by: str, images: int) -> Iterator[Check]:
    """Yield every kind of the census, and the headline, for this many images."""
    census = {kind: int(steps) for kind, steps in layer.costs.census._asdict().items()}
    predicted = {"products": int(layer.costs.multiplies), **census}
    for kind, steps in predicted.items():
        if steps or counts.get(kind):
            yield Check(kind, by, steps * images, counts.get(kind, 0))


def _values(by: str, oracle: Array, other: Array) -> Check:
    """Return whether two ways to compute a layer agree; the value is the largest difference."""
    if oracle.shape != other.shape:
        return Check("values", by, oracle.shape, other.shape)
    scale = float(np.max(np.abs(oracle))) if oracle.size else 0.0
    worst = float(np.max(np.abs(oracle - other))) if oracle.size else 0.0
    agrees = worst <= TOLERANCE * scale
    return Check("values", by, "equal", "equal" if agrees else f"off by {worst:.3g} of {scale:.3g}")
