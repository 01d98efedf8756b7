"""The shapes of a graph's inputs: those of the file, with what it leaves free given by the caller."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.errors import ArchError, Diagnostic, listed, shown, suggestion
from archcalc.interop.fixed import fixed, free_ones
from archcalc.interop.onnx.messages import Dimension, ValueInfo
from archcalc.interop.onnx.tensors import FLOAT, INTEGERS, MOST_AXES
from archcalc.interop.onnx.values import Value, sized

Given = Mapping[str, tuple[int, ...]]

_LARGEST = 1 << 40


def feed(
    declared: list[ValueInfo], inputs: Given, dims: Mapping[str, int]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the inputs by name with all their extents, and notes on them.

    `inputs` gives whole shapes by input, `dims` free sizes by name; the name of an input that is one
    integer gives its value there. A name that is the first axis of every input, and no other, is the
    batch: 1. Raises ArchError: names that the file does not have, all that is free.
    """
    for declaration in declared:
        if declaration.kind != "tensor":
            raise ArchError(
                f"input '{declaration.name}' is a {declaration.kind}, which cannot be counted"
            )
    _refuse_strangers(declared, inputs, dims)
    known = dict(dims)
    notes: list[str] = []
    for declaration in declared:
        if declaration.name in inputs:
            _fit(declaration, inputs[declaration.name], known)
    left = [d for d in declared if d.name not in inputs]
    nameless = _batch(left, known, notes)
    shapes = {d.name: _extents(d.shape, known, nameless) for d in left}
    if None in shapes.values():
        raise _all_free(left, known)
    found = {d.name: inputs.get(d.name) or shapes.get(d.name) or () for d in declared}
    return {d.name: _value(d, found[d.name], dims) for d in declared}, tuple(notes)


def _fit(declaration: ValueInfo, shape: tuple[int, ...], known: dict[str, int]) -> None:
    """Set the sizes of named axes from a given shape; refuse one that changes a fixed size."""
    name, own = declaration.name, declaration.shape
    if own is None:
        return
    if len(own) != len(shape):
        raise ArchError(
            Diagnostic(
                f"input '{name}' has {len(own)} axes ({_shown(own)}), batch included, not {len(shape)}",
                help=f"give it as {_example(declaration)}",
            )
        )
    for axis, (extent, size) in enumerate(zip(own, shape, strict=True)):
        if isinstance(extent, int) and extent != size:
            raise ArchError(fixed("", name, axis, extent, size))
        if isinstance(extent, str) and known.setdefault(extent, size) != size:
            raise ArchError(f"`{shown(extent)}` is {known[extent]}, and {size} in '{name}'")


def _batch(left: list[ValueInfo], known: dict[str, int], notes: list[str]) -> int | None:
    """Set the batch to 1; the extent of first axes that have no name, where they alone are free."""
    shapes = [d.shape for d in left if d.shape != ()]
    if not shapes or any(shape is None for shape in shapes):
        return None
    first = {shape[0] for shape in shapes if shape}
    others = {extent for shape in shapes if shape for extent in shape[1:] if not isinstance(extent, int)}
    if len(first) != 1:
        return None
    (name,) = first
    if name is None and not others - set(known):
        notes.append("the first axis of every input is taken for the batch and set to 1")
        return 1
    if isinstance(name, str) and name not in others and name not in known:
        known[name] = 1
        notes.append(
            f"{shown(name)}, the first axis of every input, is taken for the batch and set to 1"
        )
    return None


def _extents(
    shape: tuple[Dimension, ...] | None, known: Mapping[str, int], nameless: int | None
) -> tuple[int, ...] | None:
    if shape is None:
        return None
    found = [
        known.get(extent) if isinstance(extent, str) else nameless if extent is None else extent
        for extent in shape
    ]
    whole = tuple(size for size in found if size is not None)
    return whole if len(whole) == len(shape) else None


def _value(declaration: ValueInfo, shape: tuple[int, ...], dims: Mapping[str, int]) -> Value:
    value = Value(shape, declaration.dtype or FLOAT)
    number = dims.get(declaration.name)
    if number is None or not _one_integer(declaration) or value.size != 1:
        return value
    return Value(shape, declaration.dtype, [number])


def _one_integer(declaration: ValueInfo) -> bool:
    return declaration.dtype in INTEGERS and set(declaration.shape or ()) <= {1}


def _refuse_strangers(declared: list[ValueInfo], inputs: Given, dims: Mapping[str, int]) -> None:
    names = [declaration.name for declaration in declared]
    free = list(dict.fromkeys(e for d in declared for e in d.shape or () if isinstance(e, str)))
    decide = [d.name for d in declared if _one_integer(d)]
    for name, shape in inputs.items():
        if name not in names:
            help = suggestion(name, names) or f"inputs: {listed(names)}"
            raise ArchError(Diagnostic(f"it has no input `{shown(name)}`", help=help))
        if len(shape) > MOST_AXES or not all(1 <= extent <= _LARGEST for extent in shape):
            raise ArchError(f"input '{name}' cannot be {sized(shape)}")
    for name, size in dims.items():
        if name not in (*free, *decide):
            all_names = free + decide
            help = suggestion(name, all_names) or free_ones(all_names)
            raise ArchError(Diagnostic(f"it has no free dimension `{shown(name)}`", help=help))
        if name in free and not 1 <= size <= _LARGEST:
            raise ArchError(f"dimension {shown(name)} must be a positive integer, not {shown(size)}")


def _all_free(left: list[ValueInfo], known: Mapping[str, int]) -> ArchError:
    """Return every size that is free, and how each is given."""
    words: dict[str, str] = {}
    ways: dict[str, None] = {}
    for declaration in left:
        if declaration.shape is None:
            words[f"the shape of {declaration.name}"] = ""
            ways[f"--input {_example(declaration)}"] = None
        for axis, extent in enumerate(declaration.shape or ()):
            at = f"axis {axis} of {declaration.name}"
            if extent is None:
                words[at] = ""
                ways[f"--input {_example(declaration)}"] = None
            elif isinstance(extent, str) and extent not in known:
                words.setdefault(extent, at)
                ways[f"--dim {shown(extent)}=8"] = None
    told = [f"{shown(word)} ({at})" if at else word for word, at in words.items()]
    return ArchError(
        Diagnostic(f"it leaves sizes free: {listed(told)}", help=f"give each one: {' '.join(ways)}")
    )


def _shown(shape: tuple[Dimension, ...]) -> str:
    return "×".join("?" if extent is None else shown(extent) for extent in shape) or "a scalar"


def _example(declaration: ValueInfo) -> str:
    if declaration.shape is None:
        return f"{declaration.name}=1x3x224x224"
    extents = (str(e) if isinstance(e, int) else "N" for e in declaration.shape)
    return f"{declaration.name}={'x'.join(extents)}"
