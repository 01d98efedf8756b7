"""Read the tensors in the archive of a `.pt2` file with numpy; pickles are never opened."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from archcalc.errors import ArchError, Diagnostic
from archcalc.execution.model import Array
from archcalc.interop.archive import Archive
from archcalc.interop.trace import Trace
from archcalc.regular import open_regular

_TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", 12: "?"}
_BFLOAT16 = 13
_LARGEST = 64 << 30  # the most bytes of one tensor
_LARGEST_TABLE = 64 << 20


def archived(path: str, trace: Trace) -> dict[str, Array]:
    """Return the stored tensors of a trace, by their names in the trace.

    Raises:
        ArchError: the file holds no values, or they contradict the table that describes them.
    """
    with open_regular(path) as file:
        archive = Archive(file, trace.name)
        table = {**_table(archive, "weights"), **_table(archive, "constants")}
        held = [weight for weight in trace.weights if weight.name in table]
        return {w.tensor: _tensor(archive, w.name, *table[w.name]) for w in held}


def _table(archive: Archive, kind: str) -> dict[str, tuple[str, Any]]:
    """Return for each tensor its member of the archive, and its description."""
    found = {}
    for member in archive.members:
        if f"data/{kind}/" in member and member.endswith(f"_{kind}_config.json"):
            folder = member.rpartition("/")[0]
            try:
                config = json.loads(archive.read(member, _LARGEST_TABLE))["config"]
                for name, payload in config.items():
                    if payload["tensor_meta"] is not None and not payload["use_pickle"]:
                        found[name] = (f"{folder}/{payload['path_name']}", payload["tensor_meta"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ArchError(
                    f"{archive.label}: {member} is not written as torch writes it"
                ) from error
    return found


def _tensor(archive: Archive, name: str, member: str, meta: Any) -> Array:
    try:
        code, device = int(meta["dtype"]), meta["device"]["type"]
        sizes = [int(size["as_int"]) for size in meta["sizes"]]
        strides = [int(stride["as_int"]) for stride in meta["strides"]]
        offset = int(meta["storage_offset"]["as_int"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArchError(f"{archive.label}: {name} is not described as torch does") from error
    if device == "meta" or member not in archive.members:
        help = "export the trained model, not one on the meta device; `--init` draws weights"
        raise ArchError(Diagnostic(f"{archive.label} holds no numbers: {name} has none", help=help))
    values = _values(archive.read(member, _LARGEST), code, f"{archive.label}: {name}")
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    empty = 0 in sizes
    if min((*sizes, *strides, offset)) < 0 or (not empty and last >= values.size):
        raise ArchError(f"{archive.label}: {name} reaches beyond its {values.size:,} numbers")
    steps = [stride * values.itemsize for stride in strides]
    return np.array(np.lib.stride_tricks.as_strided(values[offset:], sizes, steps))


def _values(data: bytes, code: int, label: str) -> Array:
    if code == _BFLOAT16:
        halves = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return halves.view(np.float32)
    if code not in _TYPES or len(data) % np.dtype(_TYPES[code]).itemsize:
        raise ArchError(f"{label} is of a type that is not read, or cut off")
    return np.frombuffer(data, _TYPES[code])
