"""Write recurrent layers as ONNX nodes, with the gates in ONNX's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archcalc.export.onnx.draft import Draft, Held, Values
from archcalc.export.onnx.joins import cut
from archcalc.export.onnx.layers import LayerNodes
from archcalc.export.onnx.protobuf import FLOAT
from archcalc.export.refusal import ExportError
from archcalc.graph.model import Node

_ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}  # indices of our i f g o and r z n


def recurrent(kind: str) -> LayerNodes:
    def write(d: Draft, index: int, node: Node) -> None:
        op: Any = node.operator
        if op.proj is not None:
            raise ExportError("a projection of the state")
        _, steps, width = d.shape_of(node.inputs[0], "last")
        units, ways = int(op.units), int(op.directions)
        made = d.get(node.inputs[0], "last", node.path)
        made = d.op("Transpose", [made], (steps, 1, width), node.path, perm=(1, 0, 2))
        options: dict[str, Any] = {"hidden_size": units}
        options["direction"] = "bidirectional" if ways == 2 else "forward"
        if kind == "GRU":
            options["linear_before_reset"] = int(not op.before)
        for layer in range(op.layers):
            weights = _weights(d, node, kind, layer, width)
            if kind == "RNN" and op.act == "relu":
                raise ExportError("an activation other than tanh")
            out = (steps, ways, 1, units)
            made = d.op(kind, [made, *weights], out, node.path, **options)
            moved = (steps, 1, ways, units)
            made = d.op("Transpose", [made], moved, node.path, perm=(0, 2, 1, 3))
            width = ways * units
            made = d.reshape(made, (steps, 1, width), node.path)
        if op.last:
            d.put(index, "flat", _last(d, node, made, units, ways))
            return
        batch = d.shape_of(index, "last")
        d.put(index, "last", d.op("Transpose", [made], batch, node.path, perm=(1, 0, 2)))

    return write


def _last(d: Draft, node: Node, made: str, units: int, ways: int) -> str:
    """Return the forward direction's last state joined with the backward direction's state of step 0."""
    steps = d.shapes[made][0]
    parts = [cut(d, node.path, made, [0, 2], [steps - 1, 0], [steps, units])]
    if ways == 2:
        parts.append(cut(d, node.path, made, [0, 2], [0, units], [1, 2 * units]))
        parts = [d.op("Concat", parts, (1, 1, 2 * units), node.path, axis=2)]
    return d.reshape(parts[0], (1, ways * units), node.path)


def _weights(d: Draft, node: Node, kind: str, layer: int, width: int) -> list[str]:
    """Return the names of a layer's two matrices [directions, rows, columns], and of its biases."""
    op: Any = node.operator
    if op.bias_count == 1:
        raise ExportError("a single bias of a gate")
    path, ways = d.graph.holder(node).path, int(op.directions)
    rows = len(_ORDER[kind]) * int(op.units)
    wanted: list[tuple[str, tuple[int, ...], tuple[str, ...]]] = [
        ("weight_ih", (rows, width), ("weight_ih",)),
        ("weight_hh", (rows, int(op.units)), ("weight_hh",)),
    ]
    if op.bias_count:
        wanted.append(("bias", (2 * rows,), ("bias_ih", "bias_hh")))
    found = []
    for name, shape, parts in wanted:
        full = f"{path}.{name}_l{layer}"
        make = _stacked(path, _ORDER[kind], [f"{part}_l{layer}" for part in parts], ways)
        d.held.setdefault(full, Held(full, (ways, *shape), FLOAT, make))
        found.append(full)
    return found


def _stacked(path: str, order: tuple[int, ...], names: list[str], ways: int) -> Callable[[Values], Any]:
    """Return a function that makes a weight: rows first, gates in ONNX's order, directions stacked."""

    def gates(own: Mapping[str, Any], name: str) -> Any:
        import numpy as np

        parts = np.split(np.asarray(own[name]), len(order), axis=-1)
        return np.concatenate([parts[i] for i in order], axis=-1).T

    def make(values: Values) -> Any:
        import numpy as np

        ends, own = ("", "_reverse")[:ways], values[path]
        return np.stack([np.concatenate([gates(own, name + end) for name in names]) for end in ends])

    return make


RECURRENT: dict[str, LayerNodes] = {
    "lstm": recurrent("LSTM"),
    "gru": recurrent("GRU"),
    "rnn": recurrent("RNN"),
}
