"""Read the few messages of onnx.proto that counting needs, each on first access.

Names and field numbers are those of onnx.proto (IR version 13); other fields are skipped. Nodes are
read at once, attributes and metadata when a rule looks; weights are places in the file (`tensors`).
Proto3 writers leave zeros out, so an attribute's own `type` says which field is meant.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from copy import copy

from archcalc.interop.onnx.tensors import Place, Stored, entries, stored
from archcalc.interop.onnx.wire import WireFile, signed
from archcalc.tuples import NamedTuple

Dimension = int | str | None  # an extent, the name of a free one, or nothing at all


class ValueInfo(NamedTuple):
    """A value with its type: `shape` is None where the file gives none, `dtype` ONNX's number."""

    name: str
    dtype: int
    shape: tuple[Dimension, ...] | None
    kind: str  # "tensor", or what else it is: "sequence", "map", "optional", "sparse tensor"


class NodeProto:
    """One operation of the graph, as written."""

    __slots__ = (
        "_attributes",
        "_cached",
        "_metadata",
        "domain",
        "inputs",
        "name",
        "op",
        "outputs",
        "overload",
        "source",
    )

    def __init__(self, source: WireFile, low: int, high: int) -> None:
        self.source = source
        inputs: list[str] = []
        outputs: list[str] = []
        self.inputs, self.outputs = inputs, outputs
        self.name = self.op = self.domain = self.overload = ""
        self._attributes: list[Place] = []
        self._metadata: list[Place] = []
        self._cached: dict[str, Attribute] | None = None
        for tag, start, end in source.fields(low, high):
            if tag == 0x0A:
                inputs.append(source.text(start, end))
            elif tag == 0x12:
                outputs.append(source.text(start, end))
            elif tag == 0x2A:
                self._attributes.append((start, end))
            elif tag == 0x22:
                self.op = source.text(start, end)
            elif tag == 0x1A:
                self.name = source.text(start, end)
            elif tag == 0x4A:
                self._metadata.append((start, end))
            elif tag == 0x3A:
                self.domain = source.text(start, end)
            elif tag == 0x42:
                self.overload = source.text(start, end)
        if self.domain == "ai.onnx":
            self.domain = ""

    @property
    def attributes(self) -> dict[str, Attribute]:
        if self._cached is None:
            self._cached = {}
            for low, high in self._attributes:
                attribute = Attribute(self.source, low, high)
                self._cached[attribute.name] = attribute
        return self._cached

    def without(self, absent: set[str]) -> NodeProto:
        """Return the node without the inputs of these names."""
        other = copy(self)
        other.inputs = ["" if name in absent else name for name in self.inputs]
        return other

    @property
    def noted(self) -> bool:
        return bool(self._metadata)

    def metadata(self, wanted: frozenset[str]) -> dict[str, str]:
        """Return the exporter's metadata for the node under these keys."""
        return dict(entries(self.source, self._metadata, wanted))


_TAGS = {1: 0x15, 2: 0x18, 3: 0x22, 4: 0x2A, 5: 0x32, 6: 0x3D, 7: 0x40, 8: 0x4A}
_PACKED = {6: 0x3A, 7: 0x42}
_LARGEST = 3.4e38  # of 32 bits


class Attribute:
    """A named value of a node. `kind` is onnx.proto's AttributeType; `value` is Python's, by kind:

    1 float, 2 int, 3 str, 4 Stored, 5 Graph, 6 floats, 7 ints, 8 strs; others are None.
    `reference` names the attribute of the enclosing function that stands here.
    """

    __slots__ = ("kind", "name", "reference", "value")

    def __init__(self, source: WireFile, low: int, high: int) -> None:
        self.name = self.reference = ""
        self.kind = 0
        found: dict[int, list[Place]] = {}
        for tag, start, end in source.fields(low, high):
            if tag == 0x0A:
                self.name = source.text(start, end)
            elif tag == 0xA0:
                self.kind = start
            elif tag == 0xAA:
                self.reference = source.text(start, end)
            else:
                found.setdefault(tag, []).append((start, end))
        if not self.kind:  # the first IR versions wrote no type
            kinds = (k for k, tag in _TAGS.items() if tag in found or _PACKED.get(k) in found)
            self.kind = next(kinds, 0)
        single, packed = found.get(_TAGS.get(self.kind, 0), []), found.get(_PACKED.get(self.kind, 0), [])
        self.value = _value(source, self.kind, single, packed)


def _value(source: WireFile, kind: int, single: list[Place], packed: list[Place]) -> object:
    if kind == 2:
        return signed(single[-1][0]) if single else 0
    if kind == 7:
        return [signed(v) for v, _ in single] + [v for place in packed for v in source.integers(*place)]
    if kind == 3:
        return source.text(*single[-1]) if single else ""
    if kind == 8:
        return [source.text(*place) for place in single]
    if kind == 1:
        return shortest(source.floats(*single[-1])[0]) if single else 0.0
    if kind == 6:
        return [v for place in (*single, *packed) for v in source.floats(*place)]
    if kind == 4 and single:
        return stored(source, *single[-1])
    if kind == 5 and single:
        return GraphProto(source, *single[-1])
    return None


class GraphProto:
    """A graph: its nodes in order, what is stored in it, and what goes in and comes out."""

    __slots__ = (
        "_initializers",
        "_inputs",
        "_nodes",
        "_outputs",
        "_sparse",
        "_values",
        "name",
        "source",
    )

    def __init__(self, source: WireFile, low: int, high: int) -> None:
        self.source, self.name = source, ""
        self._nodes, self._initializers, self._sparse, self._inputs, self._outputs, self._values = (
            _empty() for _ in range(6)
        )
        kept = {
            0x0A: self._nodes,
            0x2A: self._initializers,
            0x7A: self._sparse,
            0x5A: self._inputs,
            0x62: self._outputs,
            0x6A: self._values,
        }
        for tag, start, end in source.fields(low, high):
            if tag in kept:
                kept[tag].append((start, end))
            elif tag == 0x12:
                self.name = source.text(start, end)

    def nodes(self) -> Iterator[NodeProto]:
        return (NodeProto(self.source, low, high) for low, high in self._nodes)

    def initializers(self) -> Iterator[Stored]:
        yield from (stored(self.source, low, high) for low, high in self._initializers)
        yield from (_sparse(self.source, low, high) for low, high in self._sparse)

    def inputs(self) -> list[ValueInfo]:
        return [_input(self.source, low, high) for low, high in self._inputs]

    def outputs(self) -> list[ValueInfo]:
        return [_input(self.source, low, high) for low, high in self._outputs]

    def values(self) -> list[ValueInfo]:
        """Return the values in between of which the file records a type."""
        return [_input(self.source, low, high) for low, high in self._values]


def _empty() -> list[Place]:
    return []


def _sparse(source: WireFile, low: int, high: int) -> Stored:
    """Return a sparse tensor: its name and type are those of its values, its shape stands beside."""
    values, dims = Stored(), list[int]()
    for tag, start, end in source.fields(low, high):
        if tag == 0x0A:
            values = stored(source, start, end)
        elif tag == 0x18:
            dims.append(signed(start))
        elif tag == 0x1A:
            dims += source.integers(start, end)
    return values.spread(tuple(dims))


_OTHER_TYPES = {
    0x22: "sequence",
    0x2A: "map",
    0x4A: "optional",
    0x42: "sparse tensor",
    0x3A: "opaque value",
}


def _input(source: WireFile, low: int, high: int) -> ValueInfo:
    name, kind, dtype = "", "tensor", 0
    shape: tuple[Dimension, ...] | None = None
    for tag, start, end in source.fields(low, high):
        if tag == 0x0A:
            name = source.text(start, end)
        elif tag == 0x12:
            for which, first, last in source.fields(start, end):
                if which == 0x0A:
                    dtype, shape = _tensor_type(source, first, last)
                kind = _OTHER_TYPES.get(which, kind)
    return ValueInfo(name, dtype, shape, kind)


def _tensor_type(source: WireFile, low: int, high: int) -> tuple[int, tuple[Dimension, ...] | None]:
    dtype, shape = 0, None
    for tag, start, end in source.fields(low, high):
        if tag == 0x08:
            dtype = start
        elif tag == 0x12:
            shape = tuple(
                _dimension(source, first, last)
                for which, first, last in source.fields(start, end)
                if which == 0x0A
            )
    return dtype, shape


_NAMELESS = frozenset(("", "?", "-1", "None"))  # what some exporters call a free extent


def _dimension(source: WireFile, low: int, high: int) -> Dimension:
    for tag, start, end in source.fields(low, high):
        if tag == 0x08:  # some exporters write 0 or -1 for a free one
            return signed(start) if signed(start) > 0 else None
        if tag == 0x12:
            name = source.text(start, end)
            return None if name in _NAMELESS else name
    return None


def shortest(value: float) -> float:
    """Return the shortest decimal that is this number in 32 bits: 1e-6, not 9.999999974752427e-7."""
    bits = struct.pack("<f", value)
    for digits in range(1, 9):
        near = float(f"{value:.{digits}g}")
        if abs(near) < _LARGEST and struct.pack("<f", near) == bits:
            return near
    return value
