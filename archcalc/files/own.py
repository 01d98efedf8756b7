"""Read the weights of a model file as the weights of its lowered layers."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from archcalc.errors import ArchError, Diagnostic
from archcalc.execution.model import Array, Weights
from archcalc.execution.weights import slots
from archcalc.files.archived import archived
from archcalc.files.folded import folded
from archcalc.files.initialized import initialized
from archcalc.graph.model import Graph
from archcalc.imported import Model
from archcalc.interop.archive import Archive
from archcalc.interop.lowering.model import Lowered, PlacedWeight
from archcalc.interop.prune import prune
from archcalc.interop.trace import Operation
from archcalc.regular import open_regular


def weights_of(model: Model, lowered: Lowered) -> dict[str, Weights]:
    """Return the weights of all layers, by path and name, read from the file.

    Raises:
        ArchError: the file holds no weights; a weight is computed by an unknown operation; or a layer
            computes other values than the file.
    """
    for path, why in lowered.otherwise.items():
        help = "`memory`, `field` and all that counts hold; `run` of a spec has values of its own"
        raise ArchError(Diagnostic(f"{model.name}: {path} computes other values here: {why}", help=help))
    read = initialized if model.trace.source.startswith("ONNX") else archived
    tensors = read(model.name, model.trace)
    operations = {name: op for op in prune(model.trace).folded for name in op.outputs}
    made = _Folded(model, tensors, operations)
    graph, found = lowered.graph, dict[str, dict[str, Array]]()
    shapes = {(slot.layer, slot.name): slot.shape for slot in slots(graph)}
    for placed in lowered.weights:
        if (placed.node, placed.weight) not in shapes:
            continue
        values = _laid(made.value(placed.tensor), placed).reshape(shapes[placed.node, placed.weight])
        how = lowered.numbers.get(placed.node, (None, ""))[1]
        values = -values if how == "sub" else 1 / values if how == "div" else values
        path = graph.nodes[placed.node].path
        found.setdefault(path, {})[placed.weight] = np.ascontiguousarray(values, np.float32)
    _numbers(graph, lowered, found)
    _complete(model.name, graph, found)
    return {path: found[path] for path in (node.path for node in graph.nodes) if path in found}


def _laid(values: Array, placed: PlacedWeight) -> Array:
    if placed.blocks is not None:
        count, chosen = placed.blocks
        values = values.reshape(count, -1)[list(chosen)]
    if placed.rows is not None:
        values = values.reshape(-1, *placed.split[1:])[placed.rows[0] : placed.rows[1]]
    return placed.factor * values.reshape(placed.split).transpose(placed.order)


def _numbers(graph: Graph, lowered: Lowered, found: dict[str, dict[str, Array]]) -> None:
    for index, (value, how) in lowered.numbers.items():
        if value is not None:
            number = -value if how == "sub" else 1 / value if how == "div" else value
            shape = tuple(int(n) for n in graph.weights(graph.nodes[index])[-1].shape)
            found.setdefault(graph.nodes[index].path, {})["fixed"] = np.full(shape, number, np.float32)


def _complete(name: str, graph: Graph, found: dict[str, dict[str, Array]]) -> None:
    """Check that all weights are there; fill those that a fixed table makes unnecessary with zeros."""
    for slot in slots(graph):
        layer = found.setdefault(slot.node.path, {})
        if slot.name in layer:
            continue
        if slot.node.operator.name not in ("offset", "factor") or "fixed" not in layer:
            raise ArchError(f"{name} holds no numbers for {slot}")
        layer[slot.name] = np.zeros(slot.shape, np.float32)


class _Folded:
    """The tensors of the file, and those that are computed from them alone."""

    def __init__(
        self, model: Model, tensors: Mapping[str, Array], operations: Mapping[str, Operation]
    ) -> None:
        self.model, self.known, self.operations = model, dict(tensors), operations

    def value(self, name: str) -> Array:
        if name not in self.known:
            operation = self.operations.get(name)
            if operation is None:
                raise ArchError(f"{self.model.name} holds no numbers for {name}")
            self.known[name] = self._made(operation, name)
        return self.known[name]

    def _made(self, op: Operation, name: str) -> Array:
        values = [self.value(read) for read in op.inputs if read is not None]
        made = folded(op, values, self.model.trace.tensors[name].shape)
        if made is not None:
            return made
        help = "without `--verify` nothing is executed; `run` of the layers takes `--init` weights"
        what = f"{self.model.name}: {op.place} makes a weight, in a way that is not computed here"
        raise ArchError(Diagnostic(what, help=help))


def holds_weights(model: Model) -> bool:
    """Return whether the file, or a data file that it names, holds weights (never for Keras)."""
    written = model.trace.source.startswith(("ONNX", "torch.export"))
    if not written or not os.path.isfile(model.name):
        return False
    if model.trace.source.startswith("ONNX"):
        return not any("not their values" in note for note in model.trace.notes)
    with open_regular(model.name) as file:
        members = Archive(file, model.trace.name).members
    return any(m.size and "/data/weights/weight_" in name for name, m in members.items())
