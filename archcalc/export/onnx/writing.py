"""Write the ONNX file of a network: first its nodes, then its weights one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import IO, Any

from archcalc.errors import Diagnostic, UsageError
from archcalc.export.onnx.attention import ATTENTION
from archcalc.export.onnx.draft import Draft, Held, Values
from archcalc.export.onnx.functions import FUNCTIONS
from archcalc.export.onnx.joins import JOINS
from archcalc.export.onnx.layers import LAYERS
from archcalc.export.onnx.moves import MOVES
from archcalc.export.onnx.protobuf import FLOAT, INT64, field, node, tensor_head, value, varint
from archcalc.export.onnx.recurrent import RECURRENT
from archcalc.export.refusal import ExportError, refused
from archcalc.graph.model import Graph
from archcalc.units import binary

OPSET, IR_VERSION = 21, 10
MOST_BYTES = (1 << 31) - 1  # the size limit of a protobuf message
NODES: dict[str, Callable[..., None]] = {
    **LAYERS,
    **FUNCTIONS,
    **JOINS,
    **MOVES,
    **ATTENTION,
    **RECURRENT,
}


def drafted(graph: Graph) -> Draft:
    """Return the nodes and weights of a network.

    Raises:
        UsageError: ONNX cannot express a layer, or the weights exceed the limit of 2 GiB.
    """
    draft = Draft(graph)
    for index in range(graph.inputs):
        _input(draft, index)
    found = []
    for index, layer in enumerate(graph.nodes):
        if not layer.inputs:
            continue
        try:
            make = NODES.get(layer.operator.name)
            if make is None:
                raise ExportError("ONNX has no such operator")
            make(draft, index, layer)
        except ExportError as reason:
            found.append((layer, str(reason)))
            draft.put(index, "last", "")
            draft.shapes[""] = draft.shape_of(index, "last")
        except KeyError:
            if not found:
                raise
    if found:
        raise refused("ONNX", found)
    size = sum(_size(held) for held in draft.held.values())
    if size > MOST_BYTES:
        message = f"the weights take {binary(size)}, and an ONNX file may have 2 GiB"
        raise UsageError(Diagnostic(message, help="`-o net.py` writes the network without weights"))
    return draft


def takes_ids(graph: Graph, index: int) -> bool:
    """Return whether only embeddings read an input, so that it holds ids."""
    readers = [layer.operator.name for layer in graph.nodes if index in layer.inputs]
    return bool(readers) and set(readers) == {"embedding"}


def _input(draft: Draft, index: int) -> None:
    own = draft.graph.nodes[index]
    name = own.path
    if takes_ids(draft.graph, index):
        draft.shapes[name] = (1, *map(int, own.shape.extents))
        draft.put(index, "flat", name)  # ids have no channel axis
        return
    draft.shapes[name] = draft.shape_of(index, "first")
    draft.put(index, "first", name)


def write(draft: Draft, name: str, file: IO[bytes], values: Values) -> None:
    """Write a model; only one weight is in memory at a time."""
    from archcalc import __version__

    graph = draft.graph
    outputs, aliases = [], []
    for label, index in (("output", graph.output), *graph.side_outputs):
        made = draft.get(index, draft.forms(index)[0], label)
        aliases.append(field(1, _identity(made, label)))
        outputs.append(field(12, value(label, draft.shapes[made])))
    head = b"".join([*draft.nodes, *aliases, field(2, name)])
    inputs = [
        field(
            11,
            value(
                graph.nodes[i].path,
                draft.shapes[graph.nodes[i].path],
                INT64 if takes_ids(graph, i) else FLOAT,
            ),
        )
        for i in range(graph.inputs)
    ]
    tail = b"".join([*inputs, *outputs, *(field(13, info) for info in draft.infos)])
    length = len(head) + len(tail) + sum(_length(held) for held in draft.held.values())
    model = field(1, IR_VERSION) + field(2, "archcalc") + field(3, __version__)
    file.write(model + field(8, field(1, "") + field(2, OPSET)) + varint(7 << 3 | 2) + varint(length))
    file.write(head)
    for held in draft.held.values():
        for part in _tensor(held, values):
            file.write(part)
    file.write(tail)


def _identity(source: str, label: str) -> bytes:
    return node("Identity", [source], [label], f"{label}/Identity")


def _size(held: Held) -> int:
    return prod(held.shape) * (4 if held.dtype == FLOAT else 8)


def _length(held: Held) -> int:
    """Return the bytes that a stored tensor's field takes."""
    inner = len(tensor_head(held.name, held.shape, held.dtype, _size(held))) + _size(held)
    return 1 + len(varint(inner)) + inner


def _tensor(held: Held, values: Values) -> Iterator[Any]:
    import numpy as np

    head = tensor_head(held.name, held.shape, held.dtype, _size(held))
    yield varint(5 << 3 | 2) + varint(len(head) + _size(held)) + head
    kind = "<f4" if held.dtype == FLOAT else "<i8"
    yield np.ascontiguousarray(held.make(values), dtype=kind).reshape(held.shape).tobytes()
