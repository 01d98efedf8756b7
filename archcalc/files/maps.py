"""Draw activation maps: the channels of a layer side by side in one PNG, without Pillow."""

from __future__ import annotations

import math
import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from archcalc.errors import UsageError
from archcalc.execution.model import Array
from archcalc.files.writing import replacing, require_writable
from archcalc.units import printable

MOST_CHANNELS = 256  # the most channels that are drawn
SMALLEST = 32  # the least pixels of a map's side; smaller maps are enlarged by a whole factor
GAP = 1  # pixels between maps
LONGEST_NAME = 100  # the most characters of a file name


def prepare(folder: str) -> None:
    """Make the folder, and check that files can be written there, before anything is computed.

    Raises:
        UsageError: files cannot be written there.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        require_writable(folder)
    except (OSError, ValueError) as error:
        raise _refusal(folder, error) from None


def write_grid(array: Array, folder: str, name: str) -> str:
    """Draw the first 256 channels of positions × channels as a gray PNG; return the file's path.

    Each channel is scaled from its smallest value (black) to its largest (white); NaN is black. The
    maps form a grid that is about square, in row-major order. The values of a vector form one map.
    `name` is one of `file_names`. A picture of an earlier run is replaced.

    Raises:
        UsageError: the file cannot be written.
    """
    if array.ndim != 3:  # a sequence is drawn upright: one row per position
        array = array.reshape(-1, array.shape[-2] if array.ndim > 3 else 1, array.shape[-1])
    if array.shape[0] * array.shape[1] == 1:
        array = _square(array.reshape(-1))
    path = file_path(folder, name)
    try:
        with replacing(path) as file:
            _write_png(file, array[..., :MOST_CHANNELS])
    except (OSError, ValueError) as error:
        raise _refusal(folder, error) from None
    return path


def file_path(folder: str, name: str) -> str:
    """Return the path to which `write_grid` writes."""
    return os.path.join(folder, f"{name}.png")


def file_names(layer_paths: Iterable[str]) -> dict[str, str]:
    """Return the name of each layer's picture; a number distinguishes equal names."""
    names: dict[str, str] = {}
    used: set[str] = set()  # in lower case: some file systems ignore case
    counts: dict[str, int] = {}  # the last number of each name, so that the search is not quadratic
    for path in layer_paths:
        name = plain = safe_name(path)
        while name.lower() in used:
            counts[plain.lower()] = counts.get(plain.lower(), 1) + 1
            name = f"{plain}-{counts[plain.lower()]}"
        used.add(name.lower())
        names[path] = name
    return names


def safe_name(layer_path: str) -> str:
    """Return 'stage1-conv2' for 'stage1/conv2': plain characters, short, no folders, not hidden."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", layer_path[: 2 * LONGEST_NAME].replace("/", "-"))
    return plain.strip(".-")[:LONGEST_NAME].rstrip(".") or "layer"


def _square(values: Array) -> Array:
    """Return a vector as one map, padded with NaN."""
    width = math.ceil(math.sqrt(values.size))
    filled = np.full((-(-values.size // width), width, 1), np.nan)
    filled.reshape(-1)[: values.size] = values
    return filled


def _refusal(folder: str, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(f"cannot write maps to `{printable(folder)}`: {reason.lower()}")


def _write_png(file: IO[bytes], array: Array) -> None:
    """Write an 8-bit gray PNG, compressed one row of maps at a time."""
    height, width, count = array.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    factor = max(SMALLEST // max(height, width), 1)
    size = (columns * (width * factor + GAP) - GAP, rows * (height * factor + GAP) - GAP)
    file.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    packer = zlib.compressobj()
    for pixels in _bands(array, columns, factor, size):
        for line in pixels:  # each line begins with the number of its filter: 0, none
            packed = packer.compress(b"\0" + line.tobytes())
            if packed:
                _write_chunk(file, b"IDAT", packed)
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(kind + data)))


def _bands(array: Array, columns: int, factor: int, size: tuple[int, int]) -> Iterator[Array]:
    """Yield the picture one row of maps at a time, each with the gap below it."""
    height, width, count = array.shape
    for first in range(0, count, columns):
        last = first + columns >= count
        pixels = np.zeros((height * factor + (0 if last else GAP), size[0]), np.uint8)
        for place, channel in enumerate(range(first, min(first + columns, count))):
            left = place * (width * factor + GAP)
            large = _gray(array[..., channel]).repeat(factor, axis=0).repeat(factor, axis=1)
            pixels[: height * factor, left : left + width * factor] = large
        yield pixels


def _gray(channel: Array) -> Array:
    """Scale the finite values to 0…255; infinities get the ends, a constant channel is black."""
    values = channel.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    scaled = (values / 2 - low / 2) / (high / 2 - low / 2 or 1.0)  # halves keep the span finite
    scaled = np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0)
    return np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
