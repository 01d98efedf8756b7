"""Settle the free dimensions of a file, and name those that must be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchError, Diagnostic, listed, shown, suggestion
from archcalc.interop.fixed import fixed, free_ones
from archcalc.tuples import NamedTuple

_LARGEST = 1 << 40  # that may be asked for along an axis


class SizeError(Exception):
    """A size that cannot be evaluated, as a bare fact."""


class FreeSizeError(SizeError):
    """A symbol without a value; `str` is its name."""


class InputAxis(NamedTuple):
    """One axis of an input: its number, or the text of its size and what it was at export."""

    input: str
    axis: int
    size: int | None
    text: str
    hint: int | None


class SymbolValues(NamedTuple):
    """The values of symbols by name, and notes on how they were chosen."""

    values: dict[str, int]
    notes: tuple[str, ...]


def axes_of(inputs: tuple[str, ...], metas: Mapping[str, Any]) -> list[InputAxis]:
    """Return all axes of all inputs."""
    return [_axis(name, axis, size) for name in inputs for axis, size in enumerate(metas[name]["sizes"])]


def _axis(name: str, axis: int, size: Mapping[str, Any]) -> InputAxis:
    expression = size.get("as_expr")
    if expression is None:
        return InputAxis(name, axis, int(size["as_int"]), "", None)
    hint = (expression.get("hint") or {}).get("as_int")
    return InputAxis(name, axis, None, str(expression["expr_str"]), hint)


def settle(
    label: str, axes: list[InputAxis], given: Mapping[str, tuple[int, ...]], dims: Mapping[str, int]
) -> SymbolValues:
    """Return values for the symbols: those given, then 1 for the batch.

    Args:
        label: the file, in messages.
        given: shapes of inputs by name, batch included.
        dims: values of symbols by name.

    Raises:
        ArchError: a given value does not fit the file, or a free dimension remains.
    """
    names = [symbol for axis in axes for symbol in sorted(_symbols(axis))]
    values = _from_dims(label, names, dims)
    for name, shape in given.items():
        _from_shape(label, [axis for axis in axes if axis.input == name], name, shape, values, axes)
    for axis in axes:
        if axis.input in given:
            _solve(label, axis, given[axis.input][axis.axis], values)
    notes = _batch(axes, values)
    _all_known(label, axes, values)
    _require_as_given(label, axes, given, values)
    return SymbolValues(values, notes)


def _solve(label: str, axis: InputAxis, size: int, values: dict[str, int]) -> None:
    """Give a value to the one unknown symbol, where the size is a multiple of it and a rest."""
    unknown = sorted(_symbols(axis) - set(values))
    if len(unknown) != 1:
        return
    from archcalc.interop.torch.sizes import evaluate

    (name,) = unknown
    try:
        first, second, third = (evaluate(axis.text, {**values, name: at}) for at in (1, 2, 3))
    except SizeError:
        return
    step = second - first
    if not step or third - second != step:
        return
    further, rest = divmod(size - first, step)
    if rest or further < 0:
        help = f"it is {first}, {second}, {third}, … where {name} is 1, 2, 3, …"
        message = f"{label}: axis {axis.axis} of {axis.input} cannot be {size}"
        raise ArchError(Diagnostic(message, help=help))
    values[name] = 1 + further


def _symbols(axis: InputAxis) -> set[str]:
    """Return the symbols that an axis depends on: two for the width of (s0 − 1)·s1."""
    if not axis.text:
        return set()
    from archcalc.interop.torch.sizes import symbols_of

    return symbols_of(axis.text)


def _require_as_given(
    label: str, axes: list[InputAxis], given: Mapping[str, tuple[int, ...]], values: Mapping[str, int]
) -> None:
    """Check that sizes computed from symbols equal the given shape."""
    for axis in axes:
        if axis.text and axis.input in given:
            from archcalc.interop.torch.sizes import evaluate

            size, wanted = evaluate(axis.text, values), given[axis.input][axis.axis]
            if size != wanted:
                raise ArchError(
                    f"{label}: axis {axis.axis} of {axis.input} comes to {size}, not {wanted}"
                )


def symbol_of(axis: InputAxis) -> str | None:
    """Return the symbol that an axis is, where it is one alone."""
    found = _symbols(axis)
    alone = axis.text.startswith("Symbol(") or axis.text.isidentifier()
    return found.pop() if len(found) == 1 and alone else None


def _from_dims(label: str, names: list[str], dims: Mapping[str, int]) -> dict[str, int]:
    for name, value in dims.items():
        if name not in names:
            help = suggestion(name, names) or free_ones(names)
            raise ArchError(Diagnostic(f"{label} has no free dimension `{shown(name)}`", help=help))
        _positive(f"dimension {name}", value)
    return dict(dims)


def _positive(what: str, value: int) -> None:
    if not 1 <= value <= _LARGEST:
        raise ArchError(f"{what} must be a positive integer, not {shown(value)}")


def _from_shape(
    label: str,
    own: list[InputAxis],
    name: str,
    shape: tuple[int, ...],
    values: dict[str, int],
    axes: list[InputAxis],
) -> None:
    """Take symbols from the shape of one input, which must fit what is fixed."""
    if not own:
        inputs = dict.fromkeys(axis.input for axis in axes)
        help = suggestion(name, inputs) or f"inputs: {listed(inputs)}"
        raise ArchError(Diagnostic(f"{label} has no input `{shown(name)}`", help=help))
    if len(shape) != len(own):
        raise ArchError(f"{label}: input {name} has {len(own)} axes, batch included, not {len(shape)}")
    for axis, size in zip(own, shape, strict=True):
        _positive(f"axis {axis.axis} of {name}", size)
        symbol = symbol_of(axis)
        if symbol is not None and values.setdefault(symbol, size) != size:
            raise ArchError(f"{label}: {symbol} is {values[symbol]}, and {size} in {name}")
        if axis.size is not None and axis.size != size:
            raise ArchError(fixed(f"{label}: ", name, axis.axis, axis.size, size))


def _batch(axes: list[InputAxis], values: dict[str, int]) -> tuple[str, ...]:
    """Set the batch, a symbol that is the first axis of all inputs and no other, to 1; return a note."""
    first = {symbol_of(axis) for axis in axes if axis.axis == 0}
    others = {symbol_of(axis) for axis in axes if axis.axis > 0}
    if len(first) != 1 or None in first or first & others:
        return ()
    (symbol,) = first
    if symbol is None or symbol in values:
        return ()
    values[symbol] = 1
    return (f"{symbol}, the first axis of every input, is taken for the batch and set to 1",)


def _all_known(label: str, axes: list[InputAxis], values: Mapping[str, int]) -> None:
    free: dict[str, InputAxis] = {}
    for axis in axes:
        for symbol in sorted(_symbols(axis) - set(values)):
            free.setdefault(symbol, axis)
    if not free:
        return
    words = [f"{symbol} (axis {axis.axis} of {axis.input}{_was(axis)})" for symbol, axis in free.items()]
    sizes = {symbol: axis.hint if symbol_of(axis) else None for symbol, axis in free.items()}
    example = " ".join(f"--dim {symbol}={size or 8}" for symbol, size in sizes.items())
    raise ArchError(
        Diagnostic(f"{label} leaves sizes free: {listed(words)}", help=f"give each one: {example}")
    )


def _was(axis: InputAxis) -> str:
    return "" if axis.hint is None else f", {axis.hint} at export"
