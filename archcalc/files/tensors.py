"""Read weights and inputs from safetensors, npz and npy files; pickles are never read.

A file's lengths, offsets, shapes and types are checked against its size and the network's tensors
before memory is allocated. Then one tensor is read at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution import weights as ours
from archcalc.execution.model import Array, Weights
from archcalc.execution.weights import Precision, Slot
from archcalc.files import layouts
from archcalc.files.containers import (
    CHUNK,
    FileTensor,
    named,
    npy_header,
    open_file,
    opened,
    read_npy,
    require_size,
)
from archcalc.files.layouts import Storage, TensorMatch
from archcalc.files.matching import match
from archcalc.files.modules import NEEDLESS
from archcalc.graph.model import Graph
from archcalc.interop.safetensors import CorruptFileError, dims, word
from archcalc.operators.shape import Shape
from archcalc.units import grouped

LARGEST_MAP = 8 * 2**20
_FEW = 4  # the most tensors that a message lists


def read(
    path: str,
    graph: Graph,
    mapping: Mapping[str, str] | None = None,
    dtype: Precision = "float32",
    torch: bool | None = None,
) -> dict[str, Weights]:
    """Return the weights of a `.safetensors` or `.npz` file: layer path → role → array.

    Tensors are named `stage1/conv.weight`, `stage1/bn.variance`, …, or as in torch modules of the same
    path: `stage1.conv.weight`, `stage1.bn.running_var`. `mapping` gives layers or groups another
    prefix. Other names are matched by shape and order, if there is exactly one way. Torch's layouts
    are converted; they are recognized by shapes, else by `torch`.

    Raises:
        UsageError: the file is damaged; tensors are missing, surplus, misshapen or ambiguous; values
            are not finite.
    """
    ours.require_memory(graph, dtype)
    wanted = list(layouts.stored_forms(graph))
    layouts.check_map(mapping or {}, [slot for slot, _ in wanted])
    weights: dict[str, Weights] = {}
    with opened(path) as tensors:
        matched = match(path, tensors, wanted, mapping or {}) if torch is not False else None
        found = _found(path, tensors, wanted, matched or mapping or {})
        torch = True if matched else torch
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
    """Return the images of an `.npy` file: images × height × width × channels, or one image.

    Vectors may be images × channels, or channels. `shape` is the network's input.

    Raises:
        UsageError: the file is damaged, has another shape, or holds values that are not real or finite.
    """
    one = tuple(int(size) for size in shape)
    fitting = (one, one[2:]) if one[:-1] == (1, 1) else (one,)
    with open_file(path, "npy") as (file, size):
        header = npy_header(file)
        found = header.shape
        if 0 in found or not (found in fitting or found[1:] in fitting):
            help = f"axes are images × {' × '.join(shape.axes)} × channels; an image is {dims(one)}"
            raise UsageError(Diagnostic(f"{named(path)} is {dims(found)}, not {dims(one)}", help=help))
        if header.dtype.kind not in "fiu":
            message = f"{named(path)} holds {header.dtype.name} values, no real numbers"
            raise UsageError(Diagnostic(message, help="a pickle is never read"))
        require_size(header, size)
        return _finite(named(path), read_npy(file, header), dtype).reshape(-1, *one)


def read_map(path: str) -> dict[str, str]:
    """Return the lines `our/path = their.prefix` of a text file, without empty lines and `# comments`.

    Raises:
        UsageError: the file is unreadable, too large or not UTF-8; a line is malformed or a path
            repeated.
    """
    with open_file(path, "map") as (file, size):
        if size > LARGEST_MAP:
            raise CorruptFileError(f"it is larger than {LARGEST_MAP >> 20} MiB")
        try:
            lines = file.read(size).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise CorruptFileError("it is not UTF-8") from None
    mapping: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        layer, _, theirs = (word.strip() for word in line.partition("="))
        if not line.strip() or layer.startswith("#"):
            continue
        if not (layer and theirs) or layer in mapping:
            what = f"`{word(layer)}` again" if layer in mapping else f"`{word(line.strip())}`"
            message = f"line {number} of {named(path)} maps nothing: {what}"
            raise UsageError(
                Diagnostic(message, help="lines are `our/path = their.prefix`, each path once")
            )
        mapping[layer] = theirs
    return mapping


def _found(
    path: str,
    tensors: Mapping[str, FileTensor],
    wanted: Sequence[tuple[Slot, list[Storage]]],
    mapping: Mapping[str, str],
) -> list[TensorMatch]:
    """Find for each tensor of the network the file's tensor under one of its names.

    Raises:
        UsageError: tensors are missing, surplus or misshapen, or hold no floats.
    """
    found, taken, missing, misshapen = [], set[str](), [], []
    for slot, forms in wanted:
        named = list(layouts.named_forms(slot, forms, mapping))
        there = next((n for n, _ in named if all(name in tensors for name in n)), None)
        if there is None:
            theirs = [(n, f) for n, f in named if f.torch is not False and n != (str(slot),)]
            theirs = [(n, f) for n, f in theirs if "/" not in n[0]]
            others = [f"`{word(' and '.join(n))}` ({dims(*f.shapes)})" for n, f in theirs[:1]]
            missing.append((f"`{word(str(slot))}` ({dims(slot.shape)})", *others))
            continue
        taken.update(there)
        shapes = tuple(tensors[name].shape for name in there)
        forms = [form for n, form in named if n == there]
        found.append(TensorMatch(slot, there, [form for form in forms if form.shapes == shapes]))
        if not found[-1].forms:
            asked = " or ".join(list(dict.fromkeys(dims(*form.shapes) for form in forms))[:2])
            misshapen.append(f"`{word(there[0])}` is {dims(*shapes)} instead of {asked}")
    surplus = [name for name in tensors if name not in taken and not name.endswith(NEEDLESS)]
    if mistakes := _mistakes(path, tensors, missing, misshapen, surplus, taken):
        raise UsageError(*mistakes)
    return found


def _mistakes(
    path: str,
    tensors: Mapping[str, FileTensor],
    missing: list[tuple[str, ...]],
    misshapen: list[str],
    surplus: list[str],
    taken: set[str],
) -> list[Diagnostic]:
    """Return the mismatches by kind; each lists its first few tensors."""
    others = [f"the first may also be {other}; " for _, *more in missing[:1] for other in more]
    unread = [f"`{word(n)}` ({word(t.dtype)})" for n, t in tensors.items() if n in taken and not t.load]
    useless = [f"`{word(name)}` ({dims(tensors[name].shape)})" for name in surplus]
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
            mistakes.append(Diagnostic(f"{named(path)} {count}: {few}", help=help))
    return mistakes


def _of(name: str, path: str) -> str:
    return f"`{word(name)}` of {named(path)}"


def _finite(what: str, values: Array, dtype: Precision) -> Array:
    """Return the values in `dtype`, none of them NaN or infinite."""
    with np.errstate(over="ignore"):
        values = values.astype(dtype, copy=False)
    flat = (values if values.flags.c_contiguous else values.T).reshape(-1)
    for begin in range(0, flat.size, CHUNK):
        chunk = flat[begin : begin + CHUNK]
        if not np.isfinite(chunk).all():
            kind = "NaN" if np.isnan(chunk).any() else f"values that are infinite in {dtype}"
            raise UsageError(f"{what} holds {kind}")
    return values
