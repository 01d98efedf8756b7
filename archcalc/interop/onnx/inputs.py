"""The shapes of a graph's inputs: those of the file, with what it leaves free given by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archcalc.errors import ArchError, Diagnostic, listed, suggestion
from archcalc.interop.onnx.messages import Dimension, Input
from archcalc.interop.onnx.tensors import FLOAT, INTEGERS, MOST_AXES
from archcalc.interop.onnx.values import Value, sized

Given = Mapping[str, tuple[int, ...]]


def feed(
    declared: Iterable[Input], inputs: Given, dims: Mapping[str, int]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Inputs by name with all their extents, and what has to be said of them.

    `inputs` gives whole shapes by input, `dims` free extents by name; the name of an input that is one
    integer gives its value there. Raises ArchError: names that the file does not have, all that is free.
    """
    found: dict[str, Value] = {}
    free: list[str] = []
    notes: list[str] = []
    known = list(declared)
    _refuse_strangers(known, inputs, dims)
    for declaration in known:
        if declaration.kind != "tensor":
            raise ArchError(
                f"input '{declaration.name}' is a {declaration.kind}, which cannot be counted"
            )
        shape = inputs.get(declaration.name)
        if shape is None:
            extents = _extents(declaration.shape, dims)
            free += [_open(declaration)] if extents is None else []
            shape = extents or ()
        else:
            notes += _overruled(declaration, shape)
        found[declaration.name] = _value(declaration, shape, dims)
    if free:
        raise ArchError(
            Diagnostic(f"its inputs leave extents free: {listed(free)}", help=_way_out(known))
        )
    return found, tuple(notes)


def _extents(shape: tuple[Dimension, ...] | None, dims: Mapping[str, int]) -> tuple[int, ...] | None:
    if shape is None:
        return None
    found = [dims.get(extent, extent) if isinstance(extent, str) else extent for extent in shape]
    return (
        tuple(n for n in found if isinstance(n, int)) if all(isinstance(n, int) for n in found) else None
    )


def _value(declaration: Input, shape: tuple[int, ...], dims: Mapping[str, int]) -> Value:
    dtype = declaration.dtype or FLOAT
    value = Value(shape, dtype)
    number = dims.get(declaration.name)
    if number is not None and dtype in INTEGERS and value.size == 1:
        value = Value(shape, dtype, [number])
    return value


def _overruled(declaration: Input, shape: tuple[int, ...]) -> list[str]:
    """A shape that is given may differ from the file's, but not in its number of axes."""
    name, own = declaration.name, declaration.shape
    if own is None:
        return []
    if len(own) != len(shape):
        raise ArchError(
            Diagnostic(
                f"input '{name}' has {len(own)} axes ({_shown(own)}), the shape given {len(shape)}",
                help=f"give it as {_example(declaration)}",
            )
        )
    differ = any(isinstance(a, int) and a != b for a, b in zip(own, shape, strict=True))
    return [f"input '{name}' is {sized(shape)} as given; the file says {_shown(own)}"] if differ else []


def _refuse_strangers(known: list[Input], inputs: Given, dims: Mapping[str, int]) -> None:
    names = [declaration.name for declaration in known]
    free = {extent: 0 for d in known for extent in d.shape or () if isinstance(extent, str)}
    free |= {d.name: 0 for d in known if d.dtype in INTEGERS and set(d.shape or ()) <= {1}}
    for given, had, what in ((inputs, names, "input"), (dims, list(free), "free extent")):
        for name in given:
            if name not in had:
                has = f"it has {listed(had)}" if had else f"it has no {what}"
                raise ArchError(
                    Diagnostic(f"there is no {what} '{name}'; {has}", help=suggestion(name, had))
                )
    for name, shape in inputs.items():
        if len(shape) > MOST_AXES or any(extent < 1 for extent in shape):
            raise ArchError(f"input '{name}' cannot be {sized(shape)}")
    for name, extent in dims.items():
        if extent < 1 and name not in names:
            raise ArchError(f"extent '{name}' cannot be {extent}")


def _shown(shape: tuple[Dimension, ...] | None) -> str:
    if shape is None:
        return "any shape"
    return "×".join("?" if extent is None else str(extent)[:40] for extent in shape) or "a scalar"


def _open(declaration: Input) -> str:
    return f"{declaration.name} {_shown(declaration.shape)}"


def _example(declaration: Input) -> str:
    shape = declaration.shape or ("?",)
    return f"{declaration.name}={'x'.join(str(e) if isinstance(e, int) else 'N' for e in shape)}"


def _way_out(known: list[Input]) -> str:
    names = list(dict.fromkeys(e for d in known for e in d.shape or () if isinstance(e, str)))
    nameless = [d for d in known if d.shape is None or None in d.shape]
    ways = [f"{name}=N" for name in names]
    if not nameless:
        return f"give each extent by its name: {listed(ways)}"
    shapes = listed(map(_example, nameless))
    return f"give the shapes: {shapes}" + (f"; or the extents by name: {listed(ways)}" if ways else "")
