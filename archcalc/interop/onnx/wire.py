"""Protobuf's wire format, as much of it as ONNX needs: fields are places in the file, nothing is copied.

A message is a run of fields, each a tag (its number and wire type) and a value. Here a field is a triple
`(tag, low, high)`: of bytes (wire type 2) and of fixed 4 and 8 bytes, `data[low:high]` is the value; of
a varint, `low` is the value itself. A tag that a message does not know is passed over, as protobuf does,
so a field of another wire type than the one declared is no field. Each length is checked against what is
left of the message around it, so a claim of 10⁹ bytes costs nothing.
"""

from __future__ import annotations

import mmap
import struct
from typing import IO

from archcalc.errors import ArchError

Data = mmap.mmap | bytes
Field = tuple[int, int, int]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 3_000_000  # of one file; a transformer of 10⁴ nodes has 2·10⁵
_TOO_MANY = (
    f"the file has more than {MOST_FIELDS:,} fields and numbers, which no model needs; it is not read on"
)
_LONGEST = 1 << 16  # bytes of a text that are looked at
_SIGN = 1 << 63
_WORD = 1 << 64


class WireFile:
    """The bytes of one file, and how many more of its fields are read before it is refused."""

    __slots__ = ("data", "left", "size")

    def __init__(self, data: Data, most: int = MOST_FIELDS) -> None:
        self.data, self.size, self.left = data, len(data), most

    def fields(self, low: int, high: int) -> list[Field]:
        """Return the fields of the message at `low:high`. Raises ArchError if they are malformed."""
        data, at = self.data, low
        found: list[Field] = []
        for _ in range(self.left + 1):
            if at >= high:
                self.left -= len(found)
                return found
            tag = data[at]
            at += 1
            if tag > 127:
                tag, at = self.varint(at - 1, high)
            kind = tag & 7
            if kind == BYTES:
                length = data[at] if at < high else self._ends(at)
                at += 1
                if length > 127:
                    length, at = self.varint(at - 1, high)
                start, at = at, at + length
                if at > high:
                    raise ArchError(
                        f"a field at byte {start} claims {length:,} bytes, {high - start:,} are left"
                    )
                found.append((tag, start, at))
            elif kind == VARINT:
                value = data[at] if at < high else self._ends(at)
                at += 1
                if value > 127:
                    value, at = self.varint(at - 1, high)
                found.append((tag, value, at))
            else:
                at = self._fixed(tag, at, high)
                found.append((tag, at - (8 if kind == FIXED64 else 4), at))
        raise ArchError(_TOO_MANY)

    def spend(self, fields: int) -> None:
        """Count values packed in one field. Raises ArchError if they are too many."""
        self.left -= fields
        if self.left < 0:
            raise ArchError(_TOO_MANY)

    def varint(self, at: int, high: int) -> tuple[int, int]:
        """Return the unsigned number that starts at byte `at`, and where it ends: at most ten bytes."""
        value = shift = 0
        while at < high and shift < 70:
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        if shift == 70:
            raise ArchError(f"the number at byte {at - 10} is longer than 64 bits")
        return self._ends(at), at

    def integers(self, low: int, high: int) -> list[int]:
        """Return packed signed numbers."""
        found: list[int] = []
        for _ in range(self.left + 1):
            if low >= high:
                self.left -= len(found)
                return found
            value, low = self.varint(low, high)
            found.append(signed(value))
        raise ArchError(_TOO_MANY)

    def floats(self, low: int, high: int, letter: str = "f") -> list[float]:
        """Return packed floats, or doubles (`d`); one unpacked is a pack of one."""
        count, rest = divmod(high - low, 4 if letter == "f" else 8)
        if rest:
            raise ArchError(f"the {high - low} bytes at byte {low} are no whole number of values")
        self.spend(count)
        return list(struct.unpack(f"<{count}{letter}", self.data[low:high]))

    def text(self, low: int, high: int) -> str:
        """Return a name, as much of it as a name can have."""
        return self.data[low : min(high, low + _LONGEST)].decode("utf-8", "replace")

    def _fixed(self, tag: int, at: int, high: int) -> int:
        kind = tag & 7
        if kind not in (FIXED32, FIXED64):
            raise ArchError(f"byte {at - 1} is no field of a protobuf message (wire type {kind})")
        end = at + (8 if kind == FIXED64 else 4)
        return end if end <= high else self._ends(at)

    def _ends(self, at: int) -> int:
        raise ArchError(f"the message ends at byte {at:,}, in the middle of a field")


def signed(value: int) -> int:
    """Return a varint as ONNX's int64 and int32 mean it: −1 is ten bytes long."""
    value &= _WORD - 1
    return value - _WORD if value >= _SIGN else value


def mapped(file: IO[bytes]) -> WireFile:
    """Return the bytes of an open file: what is not looked at is not read. Raises OSError."""
    empty = not file.seek(0, 2)
    return WireFile(b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
