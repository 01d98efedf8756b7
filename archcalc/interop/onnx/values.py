"""Define what shape inference knows of a value, and a node as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.messages import Attribute, NodeProto
from archcalc.interop.onnx.tensors import (
    BOOL,
    FLOAT,
    INT32,
    INT64,
    INTEGERS,
    MOST_NUMBERS,
    STRING,
    Number,
    Stored,
)

Shape = tuple[int, ...]

_MOST_WORK = 20_000_000  # numbers that are computed with while constants are folded
_INDICES = frozenset((INT32, INT64, BOOL, STRING))  # types that weights do not have
_UNREAD = object()


class Value:
    """A tensor: its shape, ONNX's number of its type, and its numbers where they are few and known.

    `fixed`: it depends on no input; `learned`: it is made of weights alone; `root`: the file has it, or
    a node fills it with one number. `name` is the one in the trace, `items` is set for a sequence, which
    has no shape. `blank`: all its numbers are zero, also where they are too many to be known.
    """

    __slots__ = (
        "_numbers",
        "blank",
        "dtype",
        "fixed",
        "items",
        "learned",
        "name",
        "root",
        "shape",
        "stored",
    )

    def __init__(
        self, shape: Sequence[int], dtype: int = FLOAT, numbers: list[Any] | None = None
    ) -> None:
        self.shape, self.dtype, self._numbers = tuple(shape), dtype, numbers
        self.fixed = self.learned = self.root = self.blank = False
        self.name = ""
        self.stored: Stored | None = None
        self.items: list[Value] | None = None

    @classmethod
    def of(cls, tensor: Stored) -> Value:
        """Return a tensor of the file; its numbers are read when they are asked for."""
        value = cls(tensor.shape, tensor.dtype)
        value.stored, value.fixed, value._numbers = tensor, True, _UNREAD  # type: ignore[assignment]
        value.root = True
        value.learned = tensor.dtype not in _INDICES and tensor.shape != () and value.size > 1
        return value

    @classmethod
    def sequence(cls, items: list[Value]) -> Value:
        value = cls(())
        value.items = items
        return value

    @property
    def numbers(self) -> list[Any] | None:
        if self._numbers is _UNREAD:
            self._numbers = self.stored.numbers() if self.stored else None
        return self._numbers

    @property
    def size(self) -> int:
        return prod(self.shape)


class Budget:
    """The limit on arithmetic with constants that one file may use."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _MOST_WORK

    def spend(self, numbers: int) -> None:
        self.left -= numbers
        if self.left < 0:
            raise ArchError("the graph computes more constants than any model needs; it is not read on")


class NodeCall:
    """A node with the values that come in. Raises ArchError where the file lacks what is needed."""

    __slots__ = ("attributes", "budget", "inputs", "node", "op", "opset")

    def __init__(
        self,
        node: NodeProto,
        inputs: list[Value | None],
        attributes: dict[str, Attribute],
        opset: int,
        budget: Budget,
    ) -> None:
        self.node, self.op, self.inputs, self.attributes = node, node.op, inputs, attributes
        self.opset, self.budget = opset, budget

    def value(self, position: int) -> Value:
        """Return an input that must be there, and is a tensor."""
        value = self.maybe(position)
        if value is None:
            raise ArchError(f"it has no input {position + 1}")
        return value

    def maybe(self, position: int) -> Value | None:
        value = self.inputs[position] if 0 <= position < len(self.inputs) else None
        if value is not None and value.items is not None:
            raise ArchError(f"input {position + 1} is a sequence, not a tensor")
        return value

    def items(self, position: int) -> list[Value]:
        """Return the tensors of an input that is a sequence."""
        value = self.inputs[position] if 0 <= position < len(self.inputs) else None
        if value is None or value.items is None:
            raise ArchError(f"input {position + 1} is no sequence")
        return value.items

    def ranked(self, position: int, least: int) -> Shape:
        """Return the shape of an input with at least so many axes."""
        shape = self.value(position).shape
        if len(shape) < least:
            raise ArchError(f"input {position + 1} is {sized(shape)}, it needs {least} axes")
        return shape

    def axis(self, axis: int, rank: int) -> int:
        if not -rank <= axis < rank:
            raise ArchError(f"axis {axis} is none of the {rank} axes")
        return axis % rank

    def integer(self, name: str, default: int) -> int:
        value = self._attribute(name, default)
        if not isinstance(value, int):
            raise ArchError(f"attribute {name} is no integer")
        return value

    def real(self, name: str, default: float) -> float:
        value = self._attribute(name, default)
        if not isinstance(value, int | float):
            raise ArchError(f"attribute {name} is no number")
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self._attribute(name, default)
        if not isinstance(value, str):
            raise ArchError(f"attribute {name} is no text")
        return value

    def integers(self, name: str, length: int | None = None) -> list[int] | None:
        """Return a list of integers, of that length, or None where the node has no such attribute."""
        value = self._attribute(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(v, int) for v in value):
            raise ArchError(f"attribute {name} is no list of integers")
        if length is not None and len(value) != length:
            raise ArchError(f"attribute {name} has {len(value)} numbers, {length} are needed")
        return value

    def _attribute(self, name: str, default: object) -> object:
        attribute = self.attributes.get(name)
        return default if attribute is None else attribute.value

    def tensor(self, name: str) -> Stored | None:
        value = self._attribute(name, None)
        if value is not None and not isinstance(value, Stored):
            raise ArchError(f"attribute {name} is no tensor")
        return value

    def known(self, position: int) -> list[Any] | None:
        """Return the numbers of an input, if they are known."""
        value = self.value(position)
        if value.numbers is not None:
            self.budget.spend(len(value.numbers))
        return value.numbers

    def sizes(self, position: int) -> list[int]:
        """Return integers that a shape depends on. Raises ArchError if they depend on the data."""
        numbers = self.known(position)
        if numbers is None:
            raise ArchError(
                f"its shape depends on '{self.node.inputs[position]}', "
                "whose values the file does not hold"
            )
        if not all(isinstance(n, int) for n in numbers):
            raise ArchError(f"'{self.node.inputs[position]}' holds no integers")
        return numbers

    def listed(self, name: str, position: int) -> list[int] | None:
        """Return integers from an input (newer opsets) or an attribute (older ones); None if neither."""
        return self.integers(name) if self.maybe(position) is None else self.sizes(position)

    def folds(self, value: Value) -> bool:
        """Return whether numbers of that many values are computed at all: integers, and a few others."""
        return value.size <= (MOST_NUMBERS if value.dtype in INTEGERS or value.dtype == 9 else 64)

    @property
    def first(self) -> Value:
        return self.value(0)


Rule = Callable[[NodeCall], list[Value]]


def sized(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "a scalar"


def shared(*shapes: Shape) -> Shape:
    """Return the shape that broadcasting gives, from the right."""
    rank = max(map(len, shapes))
    found = [1] * rank
    for shape in shapes:
        for axis, extent in enumerate(shape, rank - len(shape)):
            if extent != 1:
                if found[axis] not in (1, extent):
                    raise ArchError(f"{' and '.join(map(sized, shapes[:4]))} do not broadcast")
                found[axis] = extent
    return tuple(found)


def vector(numbers: Sequence[int]) -> Value:
    """Return a list of known integers."""
    return Value((len(numbers),), INT64, list(numbers))


def scalar(number: Number, dtype: int = INT64) -> Value:
    return Value((), dtype, [number])
