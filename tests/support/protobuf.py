"""Protobuf written by hand, for files that no writer would write."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Write a number; a negative one as ten bytes, as int64 has it."""
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | str | bytes) -> bytes:
    """Write a field: a varint, or text or a message with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, dims: tuple[int, ...], dtype: int = 1, **more: bytes) -> bytes:
    """Write a TensorProto; `raw` are its values."""
    found = b"".join(field(1, extent) for extent in dims) + field(2, dtype) + field(8, name)
    return found + (field(9, more["raw"]) if "raw" in more else b"")


def node(op: str, inputs: str, output: str, *attributes: bytes) -> bytes:
    names = b"".join(field(1, name) for name in inputs.split())
    return (
        names
        + field(2, output)
        + field(3, output)
        + field(4, op)
        + b"".join(field(5, a) for a in attributes)
    )


def value(name: str, *dims: int | str, dtype: int = 1) -> bytes:
    extents = b"".join(field(1, field(2 if isinstance(d, str) else 1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, extents)))


def graph(
    nodes: list[bytes], inputs: list[bytes], output: str, tensors: tuple[bytes, ...] = ()
) -> bytes:
    found = b"".join(field(1, n) for n in nodes) + b"".join(field(5, t) for t in tensors)
    return found + b"".join(field(11, i) for i in inputs) + field(12, field(1, output))


def model(
    nodes: list[bytes],
    inputs: list[bytes] | None = None,
    output: str = "y",
    tensors: tuple[bytes, ...] = (),
    opset: int = 17,
    more: bytes = b"",
) -> bytes:
    """Write a ModelProto with an input x of 1×3×8×8, if no other is given."""
    held = graph(nodes, [value("x", 1, 3, 8, 8)] if inputs is None else inputs, output, tensors)
    return field(7, held) + field(8, field(2, opset)) + more


def integer(name: str, number: int) -> bytes:
    """Write an attribute, as those below."""
    return field(1, name) + field(3, number) + field(20, 2)


def ints(name: str, *numbers: int) -> bytes:
    return field(1, name) + b"".join(field(8, n) for n in numbers) + field(20, 7)


def real(name: str, number: float) -> bytes:
    return field(1, name) + b"\x15" + struct.pack("<f", number) + field(20, 1)


def text(name: str, words: str) -> bytes:
    return field(1, name) + field(4, words) + field(20, 3)


def int64s(name: str, *numbers: int) -> bytes:
    """Write a tensor of integers, a list of them."""
    return tensor(name, (len(numbers),), 7, raw=struct.pack(f"<{len(numbers)}q", *numbers))


def scalar(name: str, number: int) -> bytes:
    return tensor(name, (), 7, raw=struct.pack("<q", number))


def floats(name: str, *numbers: float) -> bytes:
    return tensor(name, (len(numbers),), 1, raw=struct.pack(f"<{len(numbers)}f", *numbers))
