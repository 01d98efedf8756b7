"""Real weights and inputs from files: safetensors, npz and npy, never a pickle, and nothing trusted.

What a file claims (lengths, offsets, shapes, types) is checked against its size and against what the
network wants before memory is taken for it; then one tensor is read at a time.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from itertools import pairwise
from math import prod
from typing import IO, Any, NamedTuple

import numpy as np

from archcalc.errors import Diagnostic, UsageError, shown
from archcalc.graph.model import Graph
from archcalc.numerics import layouts
from archcalc.numerics import weights as ours
from archcalc.numerics.layouts import Form, Match
from archcalc.numerics.reference import Array, Weights
from archcalc.numerics.weights import Dims, Precision, Slot
from archcalc.operators.model import Shape
from archcalc.units import grouped, printable

LARGEST_HEADER = 100_000_000  # bytes, as safetensors has it
LARGEST_MAP = 8 * 2**20
_MOST_PARTS = {b"{": 1_000_002, b"[": 2_000_002, b",": 12_000_000}  # of a header: a million tensors
_LARGEST_NPY_HEADER = 10_000  # as numpy has it
_FEW = 4  # tensors that a message lists
_CHUNK = 1 << 20  # bytes read, or values looked at, at a time
_NEEDLESS = ("num_batches_tracked", "relative_position_index")  # torch's, and nothing at inference

# bits of a value, by safetensors' names
_BITS = {f"{kind}{bits}": bits for kind in "IU" for bits in (8, 16, 32, 64)}
_BITS |= {f"F8_{kind}": 8 for kind in ("E5M2", "E4M3", "E8M0", "E4M3FNUZ", "E5M2FNUZ")}
_BITS |= {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F16": 16, "BF16": 16, "F32": 32}
_BITS |= {"F64": 64, "C64": 64}
_FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}
_BAD = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, ValueError)


class _Unsound(Exception):
    """What is wrong with a file as such."""


class Tensor(NamedTuple):
    """A tensor of a file, which nobody has read yet. `load` is None for types that hold no weights."""

    dtype: str
    shape: Dims
    load: Any


def read(
    path: str,
    graph: Graph,
    mapping: Mapping[str, str] | None = None,
    dtype: Precision = "float32",
    torch: bool | None = None,
) -> dict[str, Weights]:
    """The weights of a `.safetensors` or `.npz` file: layer path → role → array of the declared shape.

    Tensors are named `stage1/conv.weight`, `stage1/bn.variance`, …, or as torch does in modules of the
    same path: `stage1.conv.weight`, `stage1.bn.running_var`; `mapping` gives layers, or what they are
    in, another prefix. Torch's layouts are converted; shapes tell them, and else `torch`.

    Raises:
        UsageError: no sound file; missing, surplus or misshapen tensors; values that are not finite.
    """
    ours.require_memory(graph, dtype)
    wanted = list(layouts.stored_forms(graph))
    layouts.check_map(mapping or {}, [slot for slot, _ in wanted])
    weights: dict[str, Weights] = {}
    with _opened(path) as tensors:
        found = _found(path, tensors, wanted, mapping or {})
        for slot, names, form in layouts.settle(found, torch):
            if form is None:
                message = (
                    f"{_of(names[0], path)} may have our layout or torch's, and nothing tells which"
                )
                raise UsageError(Diagnostic(message, help="say --layout torch or --layout archcalc"))
            parts = [_finite(_of(name, path), tensors[name].load(), dtype) for name in names]
            values = np.ascontiguousarray(form.convert(*parts))
            if slot.name == "variance" and values.min() < 0:
                raise UsageError(f"{_of(names[0], path)} holds a variance below 0")
            weights.setdefault(slot.node.path, {})[slot.name] = values
    return weights


def read_array(path: str, shape: Shape, dtype: Precision = "float32") -> Array:
    """The images of an `.npy` file: images × height × width × channels, or one without the first axis.

    A vector may be images × channels, or channels. `shape`: the network's input.

    Raises:
        UsageError: no sound file; another shape; no real numbers; values that are not finite.
    """
    one = tuple(int(size) for size in shape)
    fitting = (one, one[2:]) if one[:2] == (1, 1) else (one,)
    with _file(path, "npy") as (file, size):
        header = _npy_header(file)
        found = header.shape
        if 0 in found or not (found in fitting or found[1:] in fitting):
            help = f"axes are images × height × width × channels; an image is {_dims(one)}"
            raise UsageError(
                Diagnostic(f"{_named(path)} is {_dims(found)}, not {_dims(one)}", help=help)
            )
        if header.dtype.kind not in "fiu":
            message = f"{_named(path)} holds {header.dtype.name} values, no real numbers"
            raise UsageError(Diagnostic(message, help="a pickle is never read"))
        _require_size(header, size)
        return _finite(_named(path), _read_npy(file, header), dtype).reshape(-1, *one)


def read_map(path: str) -> dict[str, str]:
    """The lines `our/path = their.prefix` of a text file; empty ones and `# comments` are skipped.

    Raises:
        UsageError: cannot be read, not UTF-8, too large, a line of another form, a path twice.
    """
    with _file(path, "map") as (file, size):
        if size > LARGEST_MAP:
            raise _Unsound(f"it is larger than {LARGEST_MAP >> 20} MiB")
        try:
            lines = file.read(size).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise _Unsound("it is not UTF-8") from None
    mapping: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        layer, _, theirs = (word.strip() for word in line.partition("="))
        if not line.strip() or layer.startswith("#"):
            continue
        if not (layer and theirs) or layer in mapping:
            what = f"`{_word(layer)}` again" if layer in mapping else f"`{_word(line.strip())}`"
            message = f"line {number} of {_named(path)} maps nothing: {what}"
            raise UsageError(
                Diagnostic(message, help="lines are `our/path = their.prefix`, each path once")
            )
        mapping[layer] = theirs
    return mapping


def _found(
    path: str,
    tensors: Mapping[str, Tensor],
    wanted: Sequence[tuple[Slot, list[Form]]],
    mapping: Mapping[str, str],
) -> list[Match]:
    """For every tensor of the network what the file has under one of its names.

    Raises:
        UsageError: missing, surplus or misshapen ones, or such that hold no floats.
    """
    found, taken, missing, misshapen = [], set[str](), [], []
    for slot, forms in wanted:
        named = list(layouts.named_forms(slot, forms, mapping))
        there = next((n for n, _ in named if all(name in tensors for name in n)), None)
        if there is None:
            theirs = [(n, f) for n, f in named if f.torch is not False and "/" not in n[0]]
            others = [f"`{_word(' and '.join(n))}` ({_dims(*f.shapes)})" for n, f in theirs[:1]]
            missing.append((f"`{_word(str(slot))}` ({_dims(slot.shape)})", *others))
            continue
        taken.update(there)
        shapes = tuple(tensors[name].shape for name in there)
        forms = [form for n, form in named if n == there]
        found.append(Match(slot, there, [form for form in forms if form.shapes == shapes]))
        if not found[-1].forms:
            asked = " or ".join(list(dict.fromkeys(_dims(*form.shapes) for form in forms))[:2])
            misshapen.append(f"`{_word(there[0])}` is {_dims(*shapes)} instead of {asked}")
    surplus = [name for name in tensors if name not in taken and not name.endswith(_NEEDLESS)]
    if mistakes := _mistakes(path, tensors, missing, misshapen, surplus, taken):
        raise UsageError(*mistakes)
    return found


def _mistakes(
    path: str,
    tensors: Mapping[str, Tensor],
    missing: list[tuple[str, ...]],
    misshapen: list[str],
    surplus: list[str],
    taken: set[str],
) -> list[Diagnostic]:
    """What does not fit, each with the first few of its kind."""
    others = [f"the first may also be {other}; " for _, *more in missing[:1] for other in more]
    unread = [
        f"`{_word(n)}` ({_word(t.dtype)})" for n, t in tensors.items() if n in taken and not t.load
    ]
    useless = [f"`{_word(name)}` ({_dims(tensors[name].shape)})" for name in surplus]
    rename = f"{''.join(others)}a map gives layers other names"
    kinds = (
        ("lacks {}", [first for first, *_ in missing], rename),
        ("has {} of another shape", misshapen, ""),
        ("has {} without floats", unread, "a pickle is never read, and integers are no weights"),
        ("has {} that no layer wants", useless, "leave them out, or map layers to their names"),
    )
    mistakes = []
    for verb, items, help in kinds:
        count = verb.format(f"{grouped(len(items))} tensor{'s' if len(items) != 1 else ''}")
        few = ", ".join([*items[:_FEW], "…"] if len(items) > _FEW else items)
        if items:
            mistakes.append(Diagnostic(f"{_named(path)} {count}: {few}", help=help))
    return mistakes


def _dims(*shapes: Dims) -> str:
    """`3×3×64×64`, or several with `and`."""
    texts = []
    for shape in shapes:
        sizes = [shown(size) for size in shape[:6]]
        texts.append("×".join([*sizes, "…"] if len(shape) > 6 else sizes) or "a single number")
    return " and ".join(texts)


def _word(text: str) -> str:
    return printable(shown(text))


def _named(path: str) -> str:
    return f"`{printable(path)}`"


def _of(name: str, path: str) -> str:
    return f"`{_word(name)}` of {_named(path)}"


def _finite(what: str, values: Array, dtype: Precision) -> Array:
    """The values in `dtype`, none of them NaN or infinite."""
    with np.errstate(over="ignore"):
        values = values.astype(dtype, copy=False)
    flat = (values if values.flags.c_contiguous else values.T).reshape(-1)
    for begin in range(0, flat.size, _CHUNK):
        chunk = flat[begin : begin + _CHUNK]
        if not np.isfinite(chunk).all():
            kind = "NaN" if np.isnan(chunk).any() else f"values that are infinite in {dtype}"
            raise UsageError(f"{what} holds {kind}")
    return values


# ---- files of tensors


@contextmanager
def _file(path: str, kind: str) -> Iterator[tuple[IO[bytes], int]]:
    """A regular file and its size; what is wrong with it or in it becomes a UsageError with its name."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # a pipe would make us wait, a device never ends
            what = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            raise UsageError(f"{_named(path)} is {what}")
        with open(path, "rb") as file:
            yield file, os.fstat(file.fileno()).st_size
    except _Unsound as fault:
        raise UsageError(f"{_named(path)} is no sound {kind} file: {fault}") from None
    except MemoryError:
        raise UsageError(f"{_named(path)} holds more than there is of memory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {_named(path)}: {reason.lower()}") from None


@contextmanager
def _opened(path: str) -> Iterator[dict[str, Tensor]]:
    """The tensors of a file, which can be loaded as long as it is open."""
    kind = os.path.splitext(path)[1].lower().removeprefix(".")
    readers = {"safetensors": _safetensors, "npz": _npz}
    if kind not in readers:
        help = "a pickle is never read; torch writes `safetensors.torch.save_file(state_dict, FILE)`"
        raise UsageError(Diagnostic(f"{_named(path)} is no .safetensors or .npz file", help=help))
    with _file(path, kind) as (file, size):
        yield readers[kind](file, size)


def _fill(file: IO[bytes], values: Array, what: str) -> None:
    """Read the bytes of a one-dimensional array."""
    view = memoryview(values.view(np.uint8))
    for begin in range(0, len(view), _CHUNK):
        part = view[begin : begin + _CHUNK]
        data = file.read(len(part))
        if len(data) < len(part):
            raise _Unsound(f"it ends within {what}")
        part[:] = data


def _safetensors(file: IO[bytes], size: int) -> dict[str, Tensor]:
    """Eight bytes of length, a header in JSON, and the values, side by side up to the end."""
    header, start = _header(file, size)
    tensors: dict[str, Tensor] = {}
    places = [(0, 0, ""), (size - start, size - start, "")]
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape, (begin, end) = _entry(name, entry)
        if (end - begin) * 8 != prod(shape) * _BITS[dtype]:
            given = f"{shown(end - begin)} bytes for {_dims(shape)} of {dtype}"
            raise _Unsound(f"`{_word(name)}` has {given}")
        places.append((begin, end, name))
        load = partial(_load, file, start + begin, name, dtype, shape) if dtype in _FLOATS else None
        tensors[name] = Tensor(dtype, shape, load)
    for (_, before, first), (begin, end, second) in pairwise(sorted(places)):
        if end > size - start:
            raise _Unsound(f"`{_word(second)}` ends at byte {shown(end)} of {grouped(size - start)}")
        if begin < before:
            raise _Unsound(f"`{_word(first)}` and `{_word(second)}` overlap")
        if begin > before:
            raise _Unsound(f"bytes {grouped(before)} to {grouped(begin)} belong to no tensor")
    return tensors


def _header(file: IO[bytes], size: int) -> tuple[dict[str, Any], int]:
    """The header, and where the values begin."""
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        claim = f"a header of {grouped(length)} bytes" if size >= 8 else "8 bytes of length"
        raise _Unsound(f"{claim} in a file of {grouped(size)}")
    if length > LARGEST_HEADER:
        raise _Unsound(f"a header of {grouped(length)} bytes; {grouped(LARGEST_HEADER)} are allowed")
    data = file.read(length)
    if any(data.count(part) > most for part, most in _MOST_PARTS.items()):
        raise _Unsound("its header has more than a million entries")
    try:
        header = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _Unsound("its header is no JSON object")
    return header, 8 + length


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in pairs:
        if name in named:
            raise _Unsound(f"its header has `{_word(name)}` twice")
        named[name] = value
    return named


def _entry(name: str, entry: Any) -> tuple[str, Dims, Dims]:
    try:
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        sound = isinstance(dtype, str) and len(entry) == 3 and len(offsets) == 2 and len(shape) <= 64
        sound = sound and all(type(n) is int and n >= 0 for n in (*shape, *offsets))
    except (TypeError, KeyError):
        sound = False
    if not sound:
        raise _Unsound(f"`{_word(name)}` needs a dtype, a shape and two offsets")
    if dtype not in _BITS:
        raise _Unsound(f"`{_word(name)}` has the unknown type `{_word(dtype)}`")
    return dtype, tuple(shape), tuple(offsets)


def _load(file: IO[bytes], at: int, name: str, dtype: str, shape: Dims) -> Array:
    values = np.empty(prod(shape), _FLOATS[dtype])
    file.seek(at)
    _fill(file, values, f"`{_word(name)}`")
    if dtype == "BF16":  # the upper half of a float32
        values = values.astype(np.uint32)
        values <<= 16
        values = values.view(np.float32)
    return values.reshape(shape)


class _Npy(NamedTuple):
    """The header of an npy file; the values begin `at` a byte and take `size` bytes."""

    dtype: np.dtype[Any]
    shape: Dims
    fortran: bool
    at: int
    size: int


def _npy_header(file: IO[bytes]) -> _Npy:
    """Numpy's own reader would take as much memory as the header's length claims."""
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(file.read(8))
    if width is None:
        raise _Unsound("it does not begin like numpy's")
    size = file.read(width)
    length = int.from_bytes(size, "little")
    if length > _LARGEST_NPY_HEADER:
        raise _Unsound(
            f"a header of {grouped(length)} bytes; {grouped(_LARGEST_NPY_HEADER)} are allowed"
        )
    parse = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = parse(BytesIO(size + file.read(length)))
    except Exception:  # whatever Python's parser says to hostile text
        raise _Unsound("its header cannot be read") from None
    if any(size < 0 for size in shape):
        raise _Unsound("its shape has a negative size")
    return _Npy(dtype, shape, fortran, 8 + width + length, prod(shape) * dtype.itemsize)


def _require_size(header: _Npy, size: int, what: str = "it") -> None:
    if header.at + header.size != size and not header.dtype.hasobject:
        claim = f"{_dims(header.shape)} of {header.dtype.name}, {shown(header.size)} bytes"
        raise _Unsound(f"{what} claims {claim}, and has {grouped(max(size - header.at, 0))}")


def _read_npy(file: IO[bytes], header: _Npy, what: str = "its values") -> Array:
    values = np.empty(prod(header.shape), header.dtype)
    _fill(file, values, what)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _npz(file: IO[bytes], size: int) -> dict[str, Tensor]:
    """A zip of npy files, stored or deflated: other methods unpack without bounds."""
    tensors: dict[str, Tensor] = {}
    with _unzipping():
        archive = zipfile.ZipFile(file)
        for info in archive.infolist():
            name, dot, suffix = info.filename.rpartition(".")
            what = f"`{_word(info.filename)}`"
            if dot + suffix != ".npy" or name in tensors:
                raise _Unsound(f"{what} {'comes twice' if name in tensors else 'is no .npy'}")
            stored = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if not stored or info.flag_bits & 1:
                raise _Unsound(f"{what} is {'encrypted' if stored else 'neither stored nor deflated'}")
            with archive.open(info) as member:
                header = _npy_header(member)
            _require_size(header, info.file_size, what)
            load = partial(_member, archive, info, header) if header.dtype.kind == "f" else None
            tensors[name] = Tensor(header.dtype.name, header.shape, load)
    return tensors


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Npy) -> Array:
    with _unzipping(), archive.open(info) as member:
        member.read(header.at)
        return _read_npy(member, header, f"`{_word(info.filename)}`")


@contextmanager
def _unzipping() -> Iterator[None]:
    try:
        yield
    except _BAD as error:
        reason = getattr(error, "strerror", None) or str(error) or "it is damaged"
        raise _Unsound(printable(reason[:1].lower() + reason[1:])) from None
