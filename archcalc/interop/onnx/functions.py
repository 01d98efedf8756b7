"""The outermost message of an ONNX file: graph, operators' versions, functions of its own."""

from __future__ import annotations

from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.onnx.messages import Attribute, GraphProto, NodeProto
from archcalc.interop.onnx.tensors import Place, entries
from archcalc.interop.onnx.wire import Field, WireFile, signed
from archcalc.tuples import NamedTuple

_READ = "`.pt2` of torch.export, ONNX, and Keras' `.keras` or JSON are read, known by their content"


class Function(NamedTuple):
    """An operation that the model defines by nodes."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    defaults: dict[str, Attribute]
    nodes: tuple[NodeProto, ...]
    opsets: dict[str, int]


def _function(source: WireFile, low: int, high: int) -> tuple[tuple[str, str, str], Function]:
    text: dict[int, str] = {}
    names: dict[int, list[str]] = {0x22: [], 0x2A: []}
    nodes: list[NodeProto] = []
    defaults: dict[str, Attribute] = {}
    opsets: dict[str, int] = {}
    for tag, start, end in source.fields(low, high):
        if tag in names:
            names[tag].append(source.text(start, end))
        elif tag in (0x0A, 0x52, 0x6A):
            text[tag] = source.text(start, end)
        elif tag == 0x3A:
            nodes.append(NodeProto(source, start, end))
        elif tag == 0x5A:
            attribute = Attribute(source, start, end)
            defaults[attribute.name] = attribute
        elif tag == 0x4A:
            opsets.update([_opset(source, start, end)])
    key = (text.get(0x52, ""), text.get(0x0A, ""), text.get(0x6A, ""))
    return key, Function(tuple(names[0x22]), tuple(names[0x2A]), defaults, tuple(nodes), opsets)


def _opset(source: WireFile, low: int, high: int) -> tuple[str, int]:
    domain, version = "", 1
    for tag, start, end in source.fields(low, high):
        if tag == 0x0A:
            domain = source.text(start, end)
        elif tag == 0x10:
            version = signed(start)
    return ("" if domain == "ai.onnx" else domain), version


class Opened(NamedTuple):
    producer: str
    opsets: dict[str, int]
    graph: GraphProto
    functions: dict[tuple[str, str, str], Function]
    metadata: dict[str, str]


def _outermost(source: WireFile) -> list[Field]:
    try:
        return source.fields(0, source.size)
    except ArchError as error:
        what = f"this is no ONNX model, or its end is missing: {error}"
        raise ArchError(Diagnostic(what, help=_READ)) from error


def read_model(source: WireFile) -> Opened:
    """Return the outermost message. Raises ArchError where the bytes are no ONNX model."""
    producer, version = "", ""
    graph: GraphProto | None = None
    opsets: dict[str, int] = {}
    functions: dict[tuple[str, str, str], Function] = {}
    metadata: list[Place] = []
    for tag, start, end in _outermost(source):
        if tag == 0x3A:
            graph = GraphProto(source, start, end)
        elif tag == 0x12:
            producer = source.text(start, end)
        elif tag == 0x1A:
            version = source.text(start, end)
        elif tag == 0x42:
            opsets.update([_opset(source, start, end)])
        elif tag == 0x72:
            metadata.append((start, end))
        elif tag == 0xCA:
            functions.update([_function(source, start, end)])
    if graph is None:
        raise ArchError(Diagnostic("this is no ONNX model: it holds no graph", help=_READ))
    return Opened(
        f"{producer} {version}".strip(), opsets, graph, functions, dict(entries(source, metadata))
    )
