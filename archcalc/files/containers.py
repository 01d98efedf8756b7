"""Read files of tensors (safetensors, npz, npy), with checks against hostile files."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from math import prod
from typing import IO, Any

import numpy as np

from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.execution.model import Array
from archcalc.execution.weights import Dims
from archcalc.interop.safetensors import MOST_TENSORS, CorruptFileError, dims, header, word
from archcalc.regular import NotRegularFileError, open_regular
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

_LARGEST_DIRECTORY = 200 * MOST_TENSORS  # the most bytes of a zip's list of members
_LARGEST_NPY_HEADER = 10_000  # the most bytes of an npy header, as in numpy
CHUNK = 1 << 20  # bytes read, or values looked at, at a time
_FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}
_BAD = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, ValueError)


class FileTensor(NamedTuple):
    """A tensor of a file that is not read yet; `load` is None for data types that hold no weights."""

    dtype: str
    shape: Dims
    load: Any


def named(path: str) -> str:
    return f"`{printable(path)}`"


# ---- files of tensors


@contextmanager
def open_file(path: str, kind: str) -> Iterator[tuple[IO[bytes], int]]:
    """Yield a regular file and its size; turn any failure into a UsageError with the file's name."""
    try:
        with open_regular(path) as file:
            yield file, os.fstat(file.fileno()).st_size
    except CorruptFileError as fault:
        raise UsageError(f"{named(path)} is no sound {kind} file: {fault}") from None
    except NotRegularFileError as error:
        raise UsageError(f"{named(path)} is {error.strerror}") from None
    except MemoryError:
        raise UsageError(f"{named(path)} holds more than there is of memory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {named(path)}: {reason.lower()}") from None


@contextmanager
def opened(path: str) -> Iterator[dict[str, FileTensor]]:
    """Yield the tensors of a file; they can be loaded while the file is open."""
    kind = os.path.splitext(path)[1].lower().removeprefix(".")
    readers = {"safetensors": _safetensors, "npz": _npz}
    if kind not in readers:
        help = "a pickle is never read; torch writes `safetensors.torch.save_file(state_dict, FILE)`"
        raise UsageError(Diagnostic(f"{named(path)} is no .safetensors or .npz file", help=help))
    with open_file(path, kind) as (file, size):
        yield readers[kind](file, size)


def _fill(file: IO[bytes], values: Array, what: str) -> None:
    """Read a file's next bytes into a one-dimensional array."""
    view = memoryview(values.view(np.uint8))
    for begin in range(0, len(view), CHUNK):
        part = view[begin : begin + CHUNK]
        data = file.read(len(part))
        if len(data) < len(part):
            raise CorruptFileError(f"it ends within {what}")
        part[:] = data


def _safetensors(file: IO[bytes], size: int) -> dict[str, FileTensor]:
    entries, start, _ = header(file, size)
    return {
        name: FileTensor(
            entry.dtype,
            entry.shape,
            partial(_load, file, start + entry.begin, name, entry.dtype, entry.shape)
            if entry.dtype in _FLOATS
            else None,
        )
        for name, entry in entries.items()
    }


def _load(file: IO[bytes], at: int, name: str, dtype: str, shape: Dims) -> Array:
    values = np.empty(prod(shape), _FLOATS[dtype])
    file.seek(at)
    _fill(file, values, f"`{word(name)}`")
    if dtype == "BF16":  # the upper half of a float32
        values = values.astype(np.uint32)
        values <<= 16
        values = values.view(np.float32)
    return values.reshape(shape)


class _Npy(NamedTuple):
    """The header of an npy file; its values begin at byte `at` and take `size` bytes."""

    dtype: np.dtype[Any]
    shape: Dims
    fortran: bool
    at: int
    size: int


def npy_header(file: IO[bytes]) -> _Npy:
    """Parse the header of an npy file, after a check of its length.

    numpy's own reader would allocate as much memory as the header claims.
    """
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(file.read(8))
    if width is None:
        raise CorruptFileError("it does not begin like numpy's")
    size = file.read(width)
    length = int.from_bytes(size, "little")
    if length > _LARGEST_NPY_HEADER:
        raise CorruptFileError(
            f"a header of {grouped(length)} bytes; {grouped(_LARGEST_NPY_HEADER)} are allowed"
        )
    parse = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # files by Python 2 cause warnings
            shape, fortran, dtype = parse(BytesIO(size + file.read(length)))
    except Exception:  # Python's parser may raise any exception for hostile text
        raise CorruptFileError("its header cannot be read") from None
    if any(size < 0 for size in shape):
        raise CorruptFileError("its shape has a negative size")
    return _Npy(dtype, shape, fortran, 8 + width + length, prod(shape) * dtype.itemsize)


def require_size(header: _Npy, size: int, what: str = "it") -> None:
    if header.at + header.size != size and not header.dtype.hasobject:
        claim = f"{dims(header.shape)} of {header.dtype.name}, {shown(header.size)} bytes"
        raise CorruptFileError(f"{what} claims {claim}, and has {grouped(max(size - header.at, 0))}")


def read_npy(file: IO[bytes], header: _Npy, what: str = "its values") -> Array:
    values = np.empty(prod(header.shape), header.dtype)
    _fill(file, values, what)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _npz(file: IO[bytes], size: int) -> dict[str, FileTensor]:
    """Return the tensors of a zip of npy files; only stored and deflated members are allowed."""
    tensors: dict[str, FileTensor] = {}
    with _unzipping():
        _require_short_directory(file, size)
        archive = zipfile.ZipFile(file)
        if len(archive.infolist()) > MOST_TENSORS:
            raise CorruptFileError(f"it has more than {grouped(MOST_TENSORS)} members")
        for info in archive.infolist():
            name, dot, suffix = info.filename.rpartition(".")
            what = f"`{word(info.filename)}`"
            if dot + suffix != ".npy" or name in tensors:
                raise CorruptFileError(f"{what} {'comes twice' if name in tensors else 'is no .npy'}")
            stored = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if not stored or info.flag_bits & 1:
                raise CorruptFileError(
                    f"{what} is {'encrypted' if stored else 'neither stored nor deflated'}"
                )
            with archive.open(info) as member:
                header = npy_header(member)
            require_size(header, info.file_size, what)
            load = partial(_member, archive, info, header) if header.dtype.kind == "f" else None
            tensors[name] = FileTensor(header.dtype.name, header.shape, load)
    return tensors


def _require_short_directory(file: IO[bytes], size: int) -> None:
    """Check the length of the list of members, because `ZipFile` reads all of it at once.

    The length is in the record at the end of the file. A zip64 file has it in the record before that
    one, and zipfile prefers that record if it exists (APPNOTE.TXT, 4.3.14 to 4.3.16).
    """
    tail_size = min(size, (1 << 16) + 22 + 20 + 56)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    lengths = [
        int.from_bytes(tail[at + field : at + field + width], "little")
        for signature, field, width in ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8))
        if (at := tail.rfind(signature)) >= 0
    ]
    if any(length > _LARGEST_DIRECTORY and length != 2**32 - 1 for length in lengths):
        raise CorruptFileError(f"it has more than {grouped(MOST_TENSORS)} members, or very long names")
    file.seek(0)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Npy) -> Array:
    with _unzipping(), archive.open(info) as member:
        member.read(header.at)
        return read_npy(member, header, f"`{word(info.filename)}`")


@contextmanager
def _unzipping() -> Iterator[None]:
    try:
        yield
    except _BAD as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is damaged"
        raise CorruptFileError(printable(reason[:1].lower() + reason[1:])) from None
