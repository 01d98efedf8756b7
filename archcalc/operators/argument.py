"""Define the arguments of operators: how a spec writes them, and which values they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, Literal

from archcalc.arithmetic import OPEN, Margin, recorded, require
from archcalc.errors import ShapeError, shown, suggestion
from archcalc.rationals import Quotient
from archcalc.symbols import Int, Symbol
from archcalc.tuples import NamedTuple

# size: from 1. offset: from 0. move: of any sign. pair, offsets: one per axis. padding: two sides per
# axis. order: a permutation of the axes. shape: the sizes of the axes, of which one may be left open
# (−1).
ArgumentKind = Literal[
    "size",
    "offset",
    "move",
    "pair",
    "offsets",
    "padding",
    "flag",
    "table",
    "number",
    "word",
    "order",
    "shape",
]
LARGEST = 2**63 - 1
MOST_AXES = 4  # of a tensor: three of positions, and channels


class Argument(NamedTuple):
    """An argument of an operator; one without a default is required, and has no name in a spec."""

    name: str
    kind: ArgumentKind
    help: str
    default: Any = ...
    choices: tuple[str, ...] = ()  # for a word
    above: int | None = 0  # for a number: its exclusive lower bound
    most: int | None = 1  # for a number: its upper bound
    positional: bool = False  # whether it has no name in a spec, though it may be left out

    @property
    def required(self) -> bool:
        """Whether a step has to give it."""
        return self.default is ...

    @property
    def usage(self) -> str:
        """The argument in the reference: 'filters', 'k=1', 'nobias'."""
        if self.required or self.kind == "flag":
            return self.name
        if self.kind == "number":
            return f"{self.name}={{…}}" if self.default is None else self.written(self.default)
        if self.positional:
            return f"[{self.name}]"
        if self.default is None:
            return self.name if self.kind == "table" else f"{self.name}=…"
        return f"{self.name}={self.default}"

    @property
    def attribute(self) -> str:
        """The name of the operator's attribute; `from` is a keyword of Python."""
        return "start" if self.name == "from" else self.name

    def written(self, value: Any) -> str:
        """Return the argument with a value as a spec writes it: 'k3', 'from=16', 'table={[[0, 1]]}'."""
        if self.kind == "flag":
            return self.name if value else f"{self.name}=false"
        if self.kind == "table":
            return f"{self.name}={{{[list(row) for row in value]}}}"
        if self.kind == "number":
            return f"{self.name}={{{_plain(value)}}}"
        return f"{self.name}{'' if len(self.name) == 1 else '='}{self.size_written(value)}"

    def size_written(self, value: Any) -> str:
        """Return a size, or the sizes of all axes, as a spec writes them: '3', '1x7', '_x64', '{-3}'."""
        if self.kind in ("order", "shape"):
            return "x".join("_" if size == OPEN else str(size) for size in value)
        return f"{{{value}}}" if self.kind == "move" and value < 0 else written(value)

    def accept(self, value: Any, rank: int = 2) -> Any:
        """Return the value as an operator stores it: a size for each axis, tuples, floats.

        Raises:
            ShapeError: the value is not of the argument's kind.
        """
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise ShapeError(f"`{self.name}` is a flag: true or false", self.name)
            return value
        if value is None and self.default is None:
            return None
        if self.kind == "table":
            return self._table(value)
        if self.kind == "number":
            return self._number(value)
        if self.kind == "word":
            return self._word(value)
        if self.kind in ("pair", "offsets", "padding"):
            return self._sizes(value, rank)
        if self.kind in ("order", "shape"):
            listed = tuple(value) if isinstance(value, list | tuple) else (value,)
            return self._order(listed, rank) if self.kind == "order" else self._shape(listed)
        return self._size(value)

    def _sizes(self, value: Any, rank: int) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list) or isinstance(value, Margin):
            return (self._amount(value),) * rank
        if len(value) != rank:
            what = _as_text(value) if isinstance(value, tuple) else shown(value)
            count = f"{len(value)} axes" if len(value) > 1 else "1 axis"
            message = f"`{self.name}` of {what} names {count}; what arrives has {rank}"
            raise ShapeError(message, self.name, _axes_help(self, rank))
        return tuple(map(self._amount, value))

    def _amount(self, value: Any) -> Any:
        """Return the size along one axis; for padding, those of its two sides."""
        if self.kind != "padding":
            return self._size(value)
        sides = value if isinstance(value, Margin) else (value, value)
        return Margin(*map(self._size, sides))

    def _order(self, value: tuple[Any, ...], rank: int) -> tuple[int, ...]:
        """Return plain integers: a symbol that decides the place of an axis is fixed to its value."""
        whole = all(isinstance(n, int | Symbol) and not isinstance(n, bool) for n in value)
        order = tuple(int(n) for n in value) if whole else ()
        if sorted(order) != list(range(rank + 1)):
            told = "×".join(map(shown, value[:9])) + "…" * (len(value) > 9)
            example = "x".join(map(str, (*reversed(range(rank)), rank)))
            raise ShapeError(
                f"`{self.name}` of {told} is no order of {rank + 1} axes",
                self.name,
                f"each axis once, from 0, the channels are the last: `{example}`",
            )
        return order

    def _shape(self, value: tuple[Any, ...]) -> tuple[Int, ...]:
        if not 1 <= len(value) <= MOST_AXES:
            message = f"{len(value)} axes: a tensor has channels, and at most three of positions"
            raise ShapeError(message, self.name, "as in `14x14x256`")
        opened = [i for i, n in enumerate(value) if type(n) is int and n == OPEN]
        if len(opened) > 1:
            message = f"`{self.name}` leaves {len(opened)} axes open"
            raise ShapeError(message, self.name, "one follows from the others: `_x64`")
        return tuple(n if i in opened else self._size(n) for i, n in enumerate(value))

    def _size(self, value: Any) -> Int:
        low = {"padding": 0, "offset": 0, "offsets": 0, "move": -LARGEST}.get(self.kind, 1)
        positive = {0: "an integer of 0 or more", 1: "a positive integer"}.get(low, "an integer")
        if isinstance(value, bool) or not isinstance(value, int | Symbol):
            what = _as_text(value) if isinstance(value, tuple) else shown(value)
            decimal = hasattr(value, "limit_denominator")
            help = "floor(x), ceil(x) or round_to(x, 8) makes it one" if decimal else ""
            help = "only padding has two sides: `p0:1`" if isinstance(value, Margin) else help
            raise ShapeError(f"`{self.name}` must be {positive}, not {what}", self.name, help)
        require(
            value >= low,
            "`{name}` must be {what}, not {value}",
            self.name,
            name=self.name,
            what=positive,
            value=value,
        )
        return value

    def _number(self, value: Any) -> float:
        what = "a number" if self.above is None else "a positive number"
        what += "" if self.most is None else f" of at most {self.most}"
        template = "`{name}` must be {what}, not {value}"
        help = f"as in `{self.name}={{{1.5 if self.most is None else 0.001}}}`"
        quoted = value if isinstance(value, Symbol | Quotient) else shown(value)
        words = {"name": self.name, "what": what, "value": quoted}
        decimal = hasattr(value, "limit_denominator")
        known = (
            decimal
            or isinstance(value, int | Symbol | Quotient)
            or (isinstance(value, float) and isfinite(value))
        )
        if isinstance(value, bool) or not known:
            raise ShapeError(template.format(**words), self.name, help)
        for holds in self._bounds(value):
            require(holds, template, self.name, lambda **_: help, **words)
        return 1.0 if isinstance(value, Symbol | Quotient) else float(value)

    def _bounds(self, value: Any) -> Iterator[Any]:
        if self.above is not None:
            yield value > self.above
        if self.most is not None:
            yield value <= self.most

    def _word(self, value: Any) -> str:
        if value not in self.choices:
            words = " or ".join(self.choices)
            help = suggestion(value, self.choices) if isinstance(value, str) else ""
            raise ShapeError(f"`{self.name}` is {words}, not {shown(value)}", self.name, help)
        return str(value)

    def _table(self, rows: Any) -> tuple[tuple[int, ...], ...]:
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            raise ShapeError(f"`{self.name}` must be a list of lists of channels", self.name)
        for row in rows:
            if not isinstance(row, Sequence) or isinstance(row, str) or not row:
                raise ShapeError(f"`{self.name}` must be a list of lists of channels", self.name)
            if any(isinstance(c, bool) or not isinstance(c, int) or c < 0 for c in row):
                raise ShapeError(f"`{self.name}` holds channels: integers from 0", self.name)
            if len(set(row)) != len(row):
                raise ShapeError(f"`{self.name}` names a channel twice in one row", self.name)
        return tuple(tuple(row) for row in rows)


def _plain(value: float) -> str:
    """Return a number without an exponent, as expressions take it."""
    from decimal import Decimal

    return f"{Decimal(repr(value)):f}"


def written(value: Any) -> str:
    """Return sizes as a spec writes them: '3' if all are equal, else '1x7'."""
    if not isinstance(value, tuple) or isinstance(value, Margin):
        return str(value)
    return str(value[0]) if all(v == value[0] for v in value) else "x".join(map(str, value))


def _as_text(value: tuple[Any, ...]) -> str:
    return str(value) if isinstance(value, Margin) else "×".join(map(str, recorded(value)))


def _axes_help(argument: Argument, rank: int) -> str:
    """Say how sizes are written for so many axes."""
    name = argument.name if len(argument.name) == 1 else ""
    if len(argument.name) > 1 and not (argument.required or argument.positional):
        name = f"{argument.name}="
    sizes = "x".join(["3", "3", "3"][:rank])
    return f"`{name}3` is 3 along each axis" + (f", `{name}{sizes}` names all {rank}" * (rank > 1))
