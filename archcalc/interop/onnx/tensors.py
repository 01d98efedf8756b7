"""Describe tensors in an ONNX file: shape, type, place; values only of small ones that shapes need."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator

from archcalc.errors import ArchError
from archcalc.interop.onnx.wire import WireFile, signed
from archcalc.tuples import NamedTuple

Place = tuple[int, int]
Number = int | float

MOST_AXES = 32
MOST_NUMBERS = 16_384  # of a constant that is looked into: positions, sizes, masks of a row

_MOST_SAMPLED = 512  # values of a row that is compared
_MOST_COMPARED = 1 << 20  # bytes of a tensor whose values are looked at as a whole


class Dtype(NamedTuple):
    name: str
    bits: int
    letter: str = ""  # struct's, where values of it can be looked into


DTYPES = {
    1: Dtype("float32", 32, "f"),
    2: Dtype("uint8", 8, "B"),
    3: Dtype("int8", 8, "b"),
    4: Dtype("uint16", 16, "H"),
    5: Dtype("int16", 16, "h"),
    6: Dtype("int32", 32, "i"),
    7: Dtype("int64", 64, "q"),
    8: Dtype("string", 0),
    9: Dtype("bool", 8, "?"),
    10: Dtype("float16", 16, "e"),
    11: Dtype("float64", 64, "d"),
    12: Dtype("uint32", 32, "I"),
    13: Dtype("uint64", 64, "Q"),
    14: Dtype("complex64", 64),
    15: Dtype("complex128", 128),
    16: Dtype("bfloat16", 16),
    17: Dtype("float8_e4m3fn", 8),
    18: Dtype("float8_e4m3fnuz", 8),
    19: Dtype("float8_e5m2", 8),
    20: Dtype("float8_e5m2fnuz", 8),
    21: Dtype("uint4", 4),
    22: Dtype("int4", 4),
    23: Dtype("float4_e2m1", 4),
    24: Dtype("float8_e8m0", 8),
    25: Dtype("uint2", 2),
    26: Dtype("int2", 2),
}
FLOAT, INT32, INT64, STRING, BOOL, FLOAT16 = 1, 6, 7, 8, 9, 10
FLOATS = frozenset((1, 10, 11, 16, 17, 18, 19, 20, 23, 24))
INTEGERS = frozenset((2, 3, 4, 5, 6, 7, 12, 13))

_PACKED = {0x22: 4, 0x52: 8}  # floats and doubles: bytes a value
_VARINTS = frozenset((0x2A, 0x3A, 0x5A))
_SINGLE = {0x25: 0x22, 0x28: 0x2A, 0x38: 0x3A, 0x51: 0x52, 0x58: 0x5A}


class Stored:
    """A tensor of the file. `external` names the file beside it that holds the values, if one does."""

    __slots__ = ("_fields", "_raw", "_source", "dtype", "external", "name", "place", "shape")

    def __init__(self) -> None:
        self.name, self.dtype, self.external = "", 0, ""
        self.place: tuple[int, int | None] = (0, None)  # first byte and length in the external file
        self.shape: tuple[int, ...] = ()
        self._source: WireFile | None = None
        self._raw: Place | None = None
        self._fields: list[tuple[int, int, int]] = []

    @property
    def empty(self) -> bool:
        """Whether the values are missing everywhere: the file was stripped of its weights."""
        return self._raw is None and not self._fields and not self.external and math.prod(self.shape) > 0

    def spread(self, shape: tuple[int, ...]) -> Stored:
        """Return the same as a sparse tensor of `shape`, whose values are few among zeros."""
        self.shape, self._fields, self._raw = _checked(self.name, shape), [(0, 0, 0)], None
        return self

    def numbers(self) -> list[Number] | None:
        """Return the values, if they lie in the file, are few, and are numbers."""
        count, dtype = math.prod(self.shape), DTYPES.get(self.dtype)
        if count > MOST_NUMBERS or not dtype or not dtype.letter or self._source is None:
            return None
        if self._raw is not None:
            low, high = self._raw
            return list(struct.unpack(f"<{count}{dtype.letter}", self._source.data[low:high]))
        found = [number for field in self._fields for number in self._unpacked(*field)]
        if self.dtype == FLOAT16:  # kept as their bits in integers
            found = [struct.unpack("<e", struct.pack("<H", int(bits) & 0xFFFF))[0] for bits in found]
        return found if len(found) == count else None

    def raw(self) -> bytes | None:
        """Return the values as bytes, the lowest first, if they lie in the file in one piece."""
        if self._raw is not None and self._source is not None and not self.external:
            return bytes(self._source.data[self._raw[0] : self._raw[1]])
        if len(self._fields) == 1 and self._fields[0][0] in _PACKED and self._source is not None:
            return bytes(self._source.data[self._fields[0][1] : self._fields[0][2]])
        return None

    @property
    def uniform(self) -> bool:
        """Whether all values are equal, as in an untrained layer. False if they cannot be read."""
        places = (
            [self._raw] if self._raw else [(low, high) for tag, low, high in self._fields if tag == 0x22]
        )
        dtype, count = DTYPES.get(self.dtype), math.prod(self.shape)
        if len(places) != 1 or not dtype or count < 2 or self._source is None:
            return False
        low, high = places[0]
        if high - low > _MOST_COMPARED or (high - low) * 8 != count * dtype.bits or dtype.bits < 8:
            return False
        data = self._source.data[low:high]
        return data == data[: dtype.bits // 8] * count

    def is_turned(self, other: Stored) -> bool:
        """Return whether this matrix is the transpose of another, by three rows: trained ones differ."""
        dtype, rows = DTYPES.get(self.dtype), self.shape[0] if self.shape else 0
        if not dtype or dtype.bits < 8 or self.dtype != other.dtype or self.shape != other.shape[::-1]:
            return False
        if self._raw is None or other._raw is None or len(self.shape) != 2 or self.uniform:
            return False
        assert self._source is not None and other._source is not None
        width, columns = dtype.bits // 8, min(self.shape[1], _MOST_SAMPLED)
        for row in {0, rows // 2, rows - 1}:
            start = self._raw[0] + row * self.shape[1] * width
            mine = self._source.data[start : start + columns * width]
            first, step = other._raw[0] + row * width, rows * width
            theirs = b"".join(
                other._source.data[at : at + width] for at in range(first, first + columns * step, step)
            )
            if mine != theirs:
                return False
        return rows > 0

    @property
    def elsewhere(self) -> bool:
        """The values are not in this file."""
        return bool(self.external) or self.empty

    def _unpacked(self, tag: int, low: int, high: int) -> Iterable[Number]:
        assert self._source is not None
        if tag in (0x28, 0x38, 0x58):
            return (signed(low),)
        if tag in _VARINTS:
            return self._source.integers(low, high)
        return self._source.floats(low, high, "d" if tag in (0x52, 0x51) else "f") if tag else ()


def stored(source: WireFile, low: int, high: int) -> Stored:
    """Return the TensorProto at `low:high`, its lengths checked against its shape."""
    tensor, dims = Stored(), list[int]()
    external: list[Place] = []
    tensor._source = source
    for tag, start, end in source.fields(low, high):
        if tag == 0x08:
            dims.append(signed(start))
        elif tag == 0x0A:
            dims += source.integers(start, end)
        elif tag == 0x10:
            tensor.dtype = start
        elif tag == 0x42:
            tensor.name = source.text(start, end)
        elif tag == 0x4A:
            tensor._raw = (start, end)
        elif tag == 0x6A:
            external.append((start, end))
        elif tag in _PACKED or tag in _VARINTS or tag in _SINGLE:
            tensor._fields.append((tag, start, end))
    tensor.shape = _checked(tensor.name, tuple(dims))
    if external:
        facts = dict(entries(source, external))
        tensor.external = _beside(tensor.name, facts)
        length = facts.get("length")
        tensor.place = int(facts.get("offset", 0)), None if length is None else int(length)
    _fits(tensor)
    return tensor


def _checked(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > MOST_AXES:
        raise ArchError(f"tensor '{name}' has {len(shape)} axes; at most {MOST_AXES} are read")
    if any(extent < 0 for extent in shape):
        raise ArchError(f"tensor '{name}' has a negative extent: {'×'.join(map(str, shape))}")
    return shape


def _fits(tensor: Stored) -> None:
    """Refuse a tensor that has other bytes in the file than its shape needs."""
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None:
        raise ArchError(f"tensor '{tensor.name}' has no type that is known (number {tensor.dtype})")
    count = math.prod(tensor.shape)
    if tensor._raw is not None:
        needed, held = -(-count * dtype.bits // 8), tensor._raw[1] - tensor._raw[0]
        if needed != held and not (held == 0 and tensor.external) and dtype.bits:
            raise ArchError(
                f"tensor '{tensor.name}' ({'×'.join(map(str, tensor.shape)) or 'scalar'} {dtype.name}) "
                f"needs {needed:,} bytes, the file holds {held:,}"
            )
    for tag, low, high in tensor._fields:
        most = (high - low) // _PACKED.get(tag, 1)
        if tag not in _SINGLE and len(tensor._fields) == 1 and dtype.bits in (32, 64) and most < count:
            raise ArchError(f"tensor '{tensor.name}' needs {count:,} values, the file holds {most:,}")


def _beside(name: str, facts: dict[str, str]) -> str:
    """Return the external file's name: a plain path below the model's folder. It is not opened here."""
    location = facts.get("location", "")
    parts = location.replace("\\", "/").split("/")
    if not location or parts[0] == "" or ".." in parts or ":" in parts[0] or "\0" in location:
        raise ArchError(f"tensor '{name}' lies in '{location}', outside of the model's own folder")
    for word in ("offset", "length"):
        if word in facts and not (
            facts[word].isascii() and facts[word].isdigit() and len(facts[word]) < 20
        ):
            raise ArchError(f"tensor '{name}' has no {word} in '{location}': '{facts[word]}'")
    return location


def entries(
    source: WireFile, places: list[Place], wanted: frozenset[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Return pairs of key and value of metadata or external data: all, or those of some keys."""
    for low, high in places:
        key = value = ""
        for tag, start, end in source.fields(low, high):
            if tag == 0x0A:
                key = source.text(start, end)
            elif tag == 0x12 and (wanted is None or key in wanted):
                value = source.text(start, end)
        if wanted is None or key in wanted:
            yield key, value
