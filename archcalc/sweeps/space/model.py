"""Define a design space: the values of a network's variables, and the numbers of its points.

Points are numbered like the digits of a clock: the last axis runs fastest. Memory does not grow with
the size of the space: a range is kept as a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.api import Network, input_shape
from archcalc.errors import ArchError, Diagnostic, Span, SpecError, UsageError, shown
from archcalc.operators.shape import Shape
from archcalc.spec.expressions import Value
from archcalc.spec.model import Variable
from archcalc.spec.settings import parse_value, show_value, split_values, unknown_variable
from archcalc.spec.variables import check_type
from archcalc.sweeps.metrics import MEANING
from archcalc.tuples import NamedTuple

MOST_VALUES = 1 << 20  # per axis
INPUT = "input"

_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*(?:\[\s*([0-9]{1,6})\s*\])?\s*")
_NUMBER = r"\s*(-?[0-9][0-9_.]*[kKMGT]?|-?\.[0-9]+)\s*"
_RANGE = re.compile(rf"{_NUMBER}:{_NUMBER}(?::{_NUMBER})?")
_HELP = "as in --vary width=16:128:8, --vary input=96x96x3,128x128x3 or --vary 'n=[2,2],[3,4]'"


class Axis(NamedTuple):
    """An axis of a space: a variable, item `item` of a list, or the input, with its values in order."""

    name: str
    variable: str
    item: int | None
    values: Sequence[Any]

    def text(self, digit: int) -> str:
        """Return a value as a user would type it."""
        value = self.values[digit]
        if isinstance(value, Shape):
            return "x".join(map(str, value))
        return show_value(value) if not isinstance(value, list) else f"[{show_value(value)}]"


class Space(NamedTuple):
    """All points of some axes, around a network that sets everything else."""

    network: Network
    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """The number of points."""
        size = 1
        for axis in self.axes:
            size *= len(axis.values)
        return size

    def digits(self, number: int) -> tuple[int, ...]:
        """Return the digits of a point: the index of its value on each axis."""
        found = []
        for axis in reversed(self.axes):
            number, digit = divmod(number, len(axis.values))
            found.append(digit)
        return tuple(reversed(found))

    def at(self, digits: Sequence[int]) -> Network:
        """Return the network at a point, as `load` would."""
        values = [(a, a.values[d]) for a, d in zip(self.axes, digits, strict=True)]
        changed, input = settings(self.network, values)
        text = "x".join(map(str, input)) if input is not None else None
        return Network(self.network.entry, changed, text)

    def texts(self, digits: Sequence[int]) -> dict[str, str]:
        """Return a point as a user would type it, by axis."""
        return {a.name: a.text(d) for a, d in zip(self.axes, digits, strict=True)}


def settings(
    network: Network, values: Iterable[tuple[Axis, Any]]
) -> tuple[dict[str, Any], tuple[Any, ...] | None]:
    """Return the network's own settings together with these values, and the input if it is set."""
    changed: dict[str, Any] = {k: v for k, v in network.changed.items() if k != INPUT}
    input: tuple[Any, ...] | None = network.input
    for axis, value in values:
        if axis.variable == INPUT:
            input = value
        elif axis.item is None:
            changed[axis.variable] = value
        else:
            items = list(changed.get(axis.variable, network.values[axis.variable]))
            items[axis.item] = value
            changed[axis.variable] = items
    return changed, input


def make_space(network: Network, varied: Sequence[str]) -> Space:
    """Return the space of texts like 'width=16:128:8', 'c[2]=64,96' or 'input=96x96x3,128x128x3'.

    Without texts it is the spec's own [space].

    Raises:
        UsageError: a variable is unknown, a range is empty, or a value does not fit.
    """
    values: list[tuple[str, Sequence[str]]] = []
    for text in varied:
        name, equals, right = text.partition("=")
        if not equals or not right.strip():
            raise UsageError(Diagnostic(f"`{shown(text)}` names no values", help=_HELP))
        values.append((name, split_values(right)))
    return _space(network, values)


def around(network: Network, varied: Mapping[str, Sequence[str]]) -> Space:
    """Return the space with the values of every variable by its name."""
    return _space(network, varied.items())


def _space(network: Network, varied: Iterable[tuple[str, Sequence[str]]]) -> Space:
    axes: list[Axis] = []
    for name, texts in varied:
        axes.append(make_axis(network, name, texts))
        _refuse_set(network, axes[-1])
    axes = axes or [axis for axis in _own_axes(network) if axis.variable not in network.changed]
    if not axes:
        raise UsageError(Diagnostic("nothing to vary", help=_HELP))
    refuse_overlap(axes)
    return Space(network, tuple(axes))


def _refuse_set(network: Network, axis: Axis) -> None:
    """Refuse to vary a variable that is set; items of a list that is set may vary."""
    if axis.item is None and axis.variable in network.changed:
        message = f"`{shown(axis.variable)}` is set and varied"
        raise UsageError(Diagnostic(message, help="one of the two"))


def _own_axes(network: Network) -> list[Axis]:
    """Return the axes of the spec's [space]."""
    axes = []
    for name, texts in network.spec.space.items():
        try:
            axes.append(make_axis(network, name, texts))
        except UsageError as error:
            places = (d._replace(span=Span(("space", name))) for d in error.diagnostics)
            raise SpecError(*places, source=network.spec.source) from None
    return axes


def refuse_overlap(axes: Sequence[Axis]) -> None:
    """Refuse two axes that set the same variable or item.

    Raises:
        UsageError: two axes do.
    """
    seen: dict[tuple[str, int | None], Axis] = {}
    for axis in axes:
        own = (axis.variable, axis.item)
        whole = (axis.variable, None)
        clash = own in seen or whole in seen or (axis.item is None and _varied(axis.variable, axes) > 1)
        if clash:
            raise UsageError(
                Diagnostic(f"`{shown(axis.name)}` is varied twice", help="keep one of them")
            )
        seen[own] = axis


def _varied(variable: str, axes: Sequence[Axis]) -> int:
    return sum(axis.variable == variable for axis in axes)


def make_axis(network: Network, name: str, texts: Sequence[str]) -> Axis:
    """Return the axis called `name` ('width', 'c[2]', 'input') with the values of texts and ranges.

    Raises:
        UsageError: there is no such variable, or a value does not fit.
    """
    found = _NAME.fullmatch(name)
    variable = found[1].replace("-", "_") if found else name.strip()
    item = int(found[2]) if found and found[2] else None
    label = variable if item is None else f"{variable}[{item}]"
    if label in (*MEANING, "point"):
        raise UsageError(Diagnostic(f"`{label}` is what a sweep reports", help="rename the variable"))
    if variable == INPUT and item is None:
        values = _values(label, texts, lambda text: _input(network, text), _sides(network))
    else:
        declared = _declared(network, variable, item, label)
        values = _values(label, texts, lambda text: _checked(declared, text), _numbers(declared))
    return Axis(label, variable, item, values)


def _declared(network: Network, variable: str, item: int | None, label: str) -> Variable:
    """Return the variable, or a list's item in the form of a variable."""
    declared = network.spec.variables.get(variable)
    if declared is None:
        raise unknown_variable(network.spec, variable)
    if item is None:
        return declared
    items = network.values[variable]
    if not isinstance(items, list):
        raise UsageError(Diagnostic(f"`{shown(variable)}` is no list: it has no items"))
    if item >= len(items):
        help = f"its items are {shown(variable)}[0] to {shown(variable)}[{len(items) - 1}]"
        message = f"`{shown(variable)}` has {len(items)} items, counted from 0: no `{shown(label)}`"
        raise UsageError(Diagnostic(message, help=help))
    return Variable(label, items[item], "", (), ())


def _checked(variable: Variable, text: str) -> Value:
    try:
        if isinstance(variable.default, str):
            text = text.strip()
        return check_type(variable, parse_value(variable, text))
    except UsageError:
        raise
    except ArchError as error:
        raise UsageError(*error.diagnostics) from None


def _input(network: Network, text: str) -> Shape:
    found = Network(network.entry, {}, text.strip()).input
    assert found is not None
    return found


def _values(label: str, texts: Sequence[str], value_of: Any, range_of: Any) -> Sequence[Any]:
    """Concatenate values and ranges; a single range stays one."""
    pieces: list[Sequence[Any]] = []
    for text in texts:
        span = _RANGE.fullmatch(text)
        pieces.append(range_of(label, span) if span and range_of else [value_of(text)])
        if sum(map(len, pieces)) > MOST_VALUES:
            help = f"{MOST_VALUES:,} are the most; a larger step takes fewer"
            raise UsageError(Diagnostic(f"`{shown(label)}` takes too many values", help=help))
    if len(pieces) == 1:
        return pieces[0]
    values = [value for piece in pieces for value in piece]
    seen: set[str] = set()
    for value in values:
        if repr(value) in seen:
            twice = "x".join(map(str, value)) if isinstance(value, Shape) else shown(value)
            raise UsageError(Diagnostic(f"`{shown(label)}` takes `{twice}` twice"))
        seen.add(repr(value))
    return values


def _range(label: str, span: re.Match[str], read: Any) -> Sequence[Any]:
    """Parse first, last and step; the last is included if the step meets it."""
    first, last, step = read(span[1]), read(span[2]), read(span[3] or "1")
    if step <= 0:
        help = "as in width=16:128:8: from 16 to 128 in steps of 8"
        raise UsageError(Diagnostic(f"`{shown(label)}`: a step of `{shown(step)}`", help=help))
    count = (last - first) // step + 1
    if count < 1:
        help = f"the smaller number stands first: {shown(last)}:{shown(first)}"
        raise UsageError(Diagnostic(f"`{shown(label)}={shown(span[0])}` is an empty range", help=help))
    if isinstance(first, int) and isinstance(step, int):
        return range(first, first + int(count) * step, step)
    if count > MOST_VALUES:
        help = f"{MOST_VALUES:,} are the most; a larger step takes fewer"
        raise UsageError(Diagnostic(f"`{shown(label)}` takes too many values", help=help))
    values = [first + i * step for i in range(int(count))]
    return [int(v) if v.denominator == 1 else v for v in values]


def _numbers(variable: Variable) -> Any:
    """Return the parser for ranges of this variable; None if it has no ranges."""
    default = variable.default
    if isinstance(default, bool | str | list):
        return None

    def read(label: str, span: re.Match[str]) -> Sequence[Any]:
        found = _range(label, span, lambda text: parse_value(variable, text))
        for end in (found[0], found[-1]):
            _checked(variable, show_value(end))
        return found

    return read


def _sides(network: Network) -> Any:
    """Return square inputs, or lengths of a sequence, with the network's frames and channels."""

    def read(label: str, span: re.Match[str]) -> Sequence[Any]:
        side = Variable(label, 1, "", (), ())
        found = _range(label, span, lambda text: parse_value(side, text))
        if len(found) > MOST_VALUES:
            raise UsageError(Diagnostic(f"`{label}` takes too many values"))
        shape = network.graph.input
        frames, alike = shape.extents[:-2], min(shape.rank, 2)
        return [input_shape("x".join(map(str, (*frames, *[n] * alike, shape.channels)))) for n in found]

    return read
