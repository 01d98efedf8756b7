"""Read `.safetensors`: the tensors of a file and their places; the index of a large model's files.

A header of JSON, then the values side by side. Its claims are checked against the file's size first;
no value is read here.
"""

from __future__ import annotations

import json
from itertools import pairwise
from math import prod
from typing import IO, Any

from archcalc.errors import ArchError, Diagnostic, shown
from archcalc.regular import open_regular
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

Dims = tuple[int, ...]

LARGEST_HEADER = 100_000_000  # bytes, as safetensors has it
MOST_TENSORS = 20_000  # ten times those of a network of a thousand layers
_MOST_PARTS = {  # of a header, by what an entry of it is written with
    b"{": MOST_TENSORS + 2,
    b"[": 2 * MOST_TENSORS + 2,
    b",": 12 * MOST_TENSORS,
}
_MOST_FILES = 10_000  # of an index
# bits of a value, by safetensors' names
_BITS = {f"{kind}{bits}": bits for kind in "IU" for bits in (8, 16, 32, 64)}
_BITS |= {f"F8_{kind}": 8 for kind in ("E5M2", "E4M3", "E8M0", "E4M3FNUZ", "E5M2FNUZ")}
_BITS |= {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F16": 16, "BF16": 16, "F32": 32}
_BITS |= {"F64": 64, "C64": 64}


class CorruptFileError(Exception):
    """A defect of the file itself."""


class TensorEntry(NamedTuple):
    """A tensor by the header: its type, its shape, and the bytes `begin:end` of the values."""

    dtype: str
    shape: Dims
    begin: int
    end: int


class TensorTable(NamedTuple):
    """All tensors of a model's files by name, and names that stand for another tensor of them (tied)."""

    tensors: dict[str, TensorEntry]
    same: dict[str, str]

    @property
    def numbers(self) -> int:
        """Values of all tensors."""
        return sum(prod(entry.shape) for entry in self.tensors.values())

    @property
    def bytes(self) -> int:
        """Bytes of all values."""
        return sum(entry.end - entry.begin for entry in self.tensors.values())


def dims(*shapes: Dims) -> str:
    """`3×3×64×64`, or several with `and`."""
    texts = []
    for shape in shapes:
        sizes = [shown(size) for size in shape[:6]]
        texts.append("×".join([*sizes, "…"] if len(shape) > 6 else sizes) or "a single number")
    return " and ".join(texts)


def word(text: str) -> str:
    """Return a name from the file for a message."""
    return printable(shown(text))


def header(file: IO[bytes], size: int) -> tuple[dict[str, TensorEntry], int, dict[str, str]]:
    """Return the tensors in the order of the header, the offset of the values, and the metadata.

    Raises:
        CorruptFileError: lengths, types or places contradict each other or the file.
    """
    written, start = _written(file, size)
    metadata = written.pop("__metadata__", {})
    tensors = {name: _entry(name, entry) for name, entry in written.items()}
    for name, entry in tensors.items():
        if (entry.end - entry.begin) * 8 != prod(entry.shape) * _BITS[entry.dtype]:
            given = f"{shown(entry.end - entry.begin)} bytes for {dims(entry.shape)} of {entry.dtype}"
            raise CorruptFileError(f"`{word(name)}` has {given}")
    _require_side_by_side(tensors, size - start)
    known = metadata if isinstance(metadata, dict) else {}
    return tensors, start, {str(key): str(value) for key, value in known.items()}


def _require_side_by_side(tensors: dict[str, TensorEntry], size: int) -> None:
    places = [(0, 0, ""), (size, size, "")]
    places += [(entry.begin, entry.end, name) for name, entry in tensors.items()]
    for (_, before, first), (begin, end, second) in pairwise(sorted(places)):
        if end > size:
            raise CorruptFileError(f"`{word(second)}` ends at byte {shown(end)} of {grouped(size)}")
        if begin < before:
            raise CorruptFileError(f"`{word(first)}` and `{word(second)}` overlap")
        if begin > before:
            raise CorruptFileError(f"bytes {grouped(before)} to {grouped(begin)} belong to no tensor")


def _written(file: IO[bytes], size: int) -> tuple[dict[str, Any], int]:
    """Return the header as written, and the offset of the values."""
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        claim = f"a header of {grouped(length)} bytes" if size >= 8 else "8 bytes of length"
        raise CorruptFileError(f"{claim} in a file of {grouped(size)}")
    if length > LARGEST_HEADER:
        raise CorruptFileError(
            f"a header of {grouped(length)} bytes; {grouped(LARGEST_HEADER)} are allowed"
        )
    data = file.read(length)
    if any(data.count(part) > most for part, most in _MOST_PARTS.items()):
        raise CorruptFileError(f"its header has more than {grouped(MOST_TENSORS)} tensors")
    try:
        written = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        written = None
    if not isinstance(written, dict):
        raise CorruptFileError("its header is no JSON object")
    return written, 8 + length


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in pairs:
        if name in named:
            raise CorruptFileError(f"its header has `{word(name)}` twice")
        named[name] = value
    return named


def _entry(name: str, entry: Any) -> TensorEntry:
    try:
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        sound = isinstance(dtype, str) and len(entry) == 3 and len(offsets) == 2 and len(shape) <= 64
        sound = sound and all(type(n) is int and n >= 0 for n in (*shape, *offsets))
    except (TypeError, KeyError):
        sound = False
    if not sound:
        raise CorruptFileError(f"`{word(name)}` needs a dtype, a shape and two offsets")
    if dtype not in _BITS:
        raise CorruptFileError(f"`{word(name)}` has the unknown type `{word(dtype)}`")
    return TensorEntry(dtype, tuple(shape), *offsets)


def read(path: str) -> TensorTable:
    """Return the tensors of a `.safetensors` file, or of all files that an index of shards names.

    Raises:
        ArchError: the file or index is unsound, or a shard is missing or outside of the folder.
    """
    with _opened(path) as file:
        if file.read(1) != b"{":
            return _table(path)
        file.seek(0)
        weight_map = _weight_map(path, file)
    found: dict[str, TensorEntry] = {}
    same: dict[str, str] = {}
    for shard in sorted(set(weight_map.values())):
        table = _table(_beside(path, shard))
        found |= table.tensors
        same |= table.same
    missing = [name for name in weight_map if name not in found and name not in same]
    if missing:
        raise ArchError(f"{_label(path)}: its shards do not hold `{word(missing[0])}`")
    return TensorTable(found, same)


def _opened(path: str) -> IO[bytes]:
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise ArchError(f"{_label(path)} cannot be read: {reason.lower()}") from None


def _table(path: str) -> TensorTable:
    with _opened(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        try:
            tensors, _, metadata = header(file, size)
        except CorruptFileError as fault:
            raise ArchError(f"{_label(path)} is no sound safetensors file: {fault}") from None
    same = {name: kept for name, kept in metadata.items() if kept in tensors and name not in tensors}
    return TensorTable(tensors, same)


def _weight_map(path: str, file: IO[bytes]) -> dict[str, str]:
    data = file.read(LARGEST_HEADER + 1)
    try:
        if len(data) > LARGEST_HEADER or data.count(b",") > _MOST_PARTS[b","] or data.count(b"[") > 1000:
            raise ValueError
        weight_map = json.loads(data)["weight_map"]
        sound = all(isinstance(name, str) for pair in weight_map.items() for name in pair)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound or len(set(weight_map.values())) > _MOST_FILES:
        help = "a Keras model has a `class_name`, an index of shards a `weight_map`: tensor → file"
        what = f"{_label(path)} is JSON, but neither a Keras model nor an index of shards"
        raise ArchError(Diagnostic(what, help=help))
    return dict(weight_map)


def _beside(path: str, shard: str) -> str:
    """Return a file in the folder of the index; refuse any other."""
    import os

    if os.path.basename(shard) != shard or shard in ("", ".", "..") or "\\" in shard:
        raise ArchError(f"{_label(path)}: its shard `{word(shard)}` is no plain name of a file")
    return os.path.join(os.path.dirname(path), shard)


def _label(path: str) -> str:
    import os

    return printable(os.path.basename(path))
