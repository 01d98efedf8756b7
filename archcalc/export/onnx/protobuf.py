"""Write the part of protobuf's wire format that an ONNX file needs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

FLOAT, INT64 = 1, 7  # ONNX's numbers of these data types
_WORD = (1 << 64) - 1


def varint(value: int) -> bytes:
    """Return a number in groups of seven bits; a negative number takes ten bytes."""
    value &= _WORD
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def field(number: int, value: int | str | bytes) -> bytes:
    """Return a field: a number, or text or a message with its length before it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def attribute(name: str, value: Any) -> bytes:
    """Return an AttributeProto: an integer, a float, text, or a list of integers."""
    head = field(1, name)
    if isinstance(value, float):
        return head + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, str):
        return head + field(4, value) + field(20, 3)
    if isinstance(value, int):
        return head + field(3, value) + field(20, 2)
    return head + b"".join(field(8, int(item)) for item in value) + field(20, 7)


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], name: str, **options: Any) -> bytes:
    """Return a NodeProto."""
    parts = [*(field(1, read) for read in inputs), *(field(2, made) for made in outputs)]
    parts += [field(3, name), field(4, kind)]
    return b"".join([*parts, *(field(5, attribute(key, value)) for key, value in options.items())])


def value(name: str, shape: Sequence[int], dtype: int = FLOAT) -> bytes:
    """Return a ValueInfoProto: a name with its type and shape."""
    sizes = b"".join(field(1, field(1, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, sizes)))


def tensor_head(name: str, shape: Sequence[int], dtype: int, size: int) -> bytes:
    """Return the bytes of a TensorProto before its values, which take `size` bytes."""
    dims = b"".join(field(1, extent) for extent in shape)
    return dims + field(2, dtype) + field(8, name) + varint(9 << 3 | 2) + varint(size)
