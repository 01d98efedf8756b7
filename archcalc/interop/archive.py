"""Read zip files that others wrote, member by member, into memory: nothing is unpacked to disk.

Python's `zipfile` would do, but its import takes longer than reading a model, and it trusts the
directory: here every offset and length is checked against the file, and every member against a limit.
"""

from __future__ import annotations

import struct
from typing import IO

from archcalc.errors import ArchError
from archcalc.tuples import NamedTuple

_END, _END64, _LOCATOR64, _ENTRY, _LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
_LONGEST_END = 22 + 0xFFFF  # bytes: the end record and its comment
_LARGEST_DIRECTORY = 64 << 20  # bytes
_MOST_MEMBERS = 300_000
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1
_FULL32 = 0xFFFFFFFF


class Member(NamedTuple):
    """One file in the zip: its offset, compression, and declared size."""

    name: str
    start: int  # of its local header
    packed: int
    size: int
    method: int
    flags: int


class Archive:
    """The members of a zip file by name; messages call the file `label`.

    Raises:
        ArchError: the file is no zip, ends early, or its directory contradicts it.
    """

    def __init__(self, file: IO[bytes], label: str) -> None:
        self.file, self.label = file, label
        self.length = file.seek(0, 2)
        self.members = {member.name: member for member in self._directory()}

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a member, up to a limit.

        Raises:
            ArchError: the member is larger, damaged, encrypted, or compressed in a way torch never uses.
        """
        import zlib

        member = self.members[name]
        if member.size > most or member.packed > most:
            raise self._error(f"its member {name} of {member.size:,} bytes is too large")
        if member.flags & _ENCRYPTED or member.method not in (_STORED, _DEFLATED):
            raise self._error(f"its member {name} is encrypted or packed in an unknown way")
        header = self._bytes(member.start, 30)
        if header[:4] != _LOCAL:
            raise self._error(f"its member {name} is not where the directory says")
        crc = struct.unpack_from("<L", header, 14)[0]
        names, extra = struct.unpack_from("<HH", header, 26)
        data = self._bytes(member.start + 30 + names + extra, member.packed)
        if member.method == _DEFLATED:
            data = self._inflated(data, name, most)
        described = member.flags & 8  # the checksum follows the data then
        if len(data) != member.size or (not described and crc and zlib.crc32(data) != crc):
            raise self._error(f"its member {name} is damaged")
        return data

    def _inflated(self, data: bytes, name: str, most: int) -> bytes:
        import zlib

        try:
            unpacked = zlib.decompressobj(-15).decompress(data, most + 1)
        except zlib.error as error:
            raise self._error(f"its member {name} is damaged") from error
        if len(unpacked) > most:
            raise self._error(f"its member {name} unpacks to more than {most:,} bytes")
        return unpacked

    def _directory(self) -> list[Member]:
        start, size, count = self._end()
        if count > _MOST_MEMBERS or size > _LARGEST_DIRECTORY:
            raise self._error(f"its directory of {count:,} members is too large")
        directory, members, at = self._bytes(start, size), [], 0
        for _ in range(count):
            if directory[at : at + 4] != _ENTRY or at + 46 > size:
                raise self._error("its directory is damaged")
            member, at = self._entry(directory, at)
            members.append(member)
        return members

    def _entry(self, directory: bytes, at: int) -> tuple[Member, int]:
        flags, method = struct.unpack_from("<HH", directory, at + 8)
        packed, size, names, extra, comment = struct.unpack_from("<LLHHH", directory, at + 20)
        (start,) = struct.unpack_from("<L", directory, at + 42)
        end = at + 46 + names
        name = directory[at + 46 : end].decode("utf-8", "replace")
        wide = _wide(directory[end : end + extra])
        size, packed, start = (
            wide.pop(0) if value == _FULL32 and wide else value for value in (size, packed, start)
        )
        return Member(name, start, packed, size, method, flags), end + extra + comment

    def _end(self) -> tuple[int, int, int]:
        """Return start, bytes and number of members of the directory."""
        start = max(0, self.length - _LONGEST_END)
        tail = self._bytes(start, self.length - start)
        at = tail.rfind(_END)
        if at < 0 or at + 22 > len(tail):
            raise self._error("it is no whole zip file: its directory is missing", "is it cut off?")
        count, size, offset = struct.unpack_from("<HLL", tail, at + 10)
        if tail[at - 20 : at - 16] == _LOCATOR64 and at >= 20:
            (offset64,) = struct.unpack_from("<Q", tail, at - 12)
            record = self._bytes(offset64, 56)
            if record[:4] != _END64:
                raise self._error("its directory is damaged")
            count, size, offset = struct.unpack_from("<QQQ", record, 32)
        return offset, size, count

    def _bytes(self, start: int, count: int) -> bytes:
        if start + count > self.length:
            raise self._error(f"it ends early: {self.length:,} bytes, where {start + count:,} are named")
        self.file.seek(start)
        return self.file.read(count)

    def _error(self, what: str, help: str = "") -> ArchError:
        from archcalc.errors import Diagnostic

        return ArchError(Diagnostic(f"{self.label}: {what}", help=help))


def _wide(extra: bytes) -> list[int]:
    """Return the 64-bit sizes of an entry's extra field, in their order."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + size]
            return [value for (value,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8])]
        at += 4 + size
    return []
