"""Define the shape of a tensor: its axes of positions, then its channels."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.arithmetic import maximum, product, recorded
from archcalc.errors import ShapeError, listed
from archcalc.symbols import Int, Symbol

Sizes = tuple[Int, ...]  # one per axis of positions: a sequence has one, a map two, a volume three

AXES: dict[int, tuple[str, ...]] = {
    1: ("length",),
    2: ("height", "width"),
    3: ("frames", "height", "width"),
}

AXIS_NAMES = ("channels", "length", "frames", "height", "width")
POSITIONS = "positions"  # all axes but the channels


class Shape(tuple[Int, ...]):
    """The sizes of a tensor's axes for one image: the axes of positions, then the channels.

    A sequence is length × channels, a map height × width × channels, a volume frames × height × width ×
    channels. A vector is a map of 1 × 1.
    """

    __slots__ = ()

    def __new__(cls, *axes: Int) -> Shape:
        return tuple.__new__(cls, axes)

    def __getnewargs__(self) -> Sizes:
        return tuple(self)  # which pickle passes to __new__

    @classmethod
    def _make(cls, axes: Iterable[Int]) -> Shape:
        return tuple.__new__(cls, axes)

    @property
    def rank(self) -> int:
        """The number of axes of positions."""
        return len(self) - 1

    @property
    def channels(self) -> Int:
        """The size of the last axis."""
        return self[-1]

    @property
    def extents(self) -> Sizes:
        """The number of positions along each axis."""
        return self[:-1]

    @property
    def height(self) -> Int:
        """The height of a map or volume."""
        return self[-3]

    @property
    def width(self) -> Int:
        """The width of a map or volume."""
        return self[-2]

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes of positions."""
        return AXES[self.rank]

    @property
    def named(self) -> tuple[tuple[str, Int], ...]:
        """The axes of positions as (name, size), the factors of a loop."""
        return tuple(zip(self.axes, self.extents, strict=True))

    def axis(self, name: str) -> int:
        """Return the number of the axis of that name.

        Raises:
            ShapeError: there is no such axis.
        """
        names = (*self.axes, "channels")
        if name not in names:
            raise ShapeError(f"{self} has no axis `{name}`", "axis", f"its axes: {listed(names)}")
        return names.index(name)

    @property
    def values(self) -> Int:
        """The number of values: the product of all axes."""
        return product(self)

    @property
    def positions(self) -> Int:
        """The number of positions: the product of all axes but the channels."""
        return product(self.extents)

    @property
    def is_sequence(self) -> bool:
        """Whether there is a single axis of positions."""
        return self.rank == 1

    def of(self, channels: Int) -> Shape:
        """Return the same positions with so many channels."""
        return Shape(*self.extents, channels)

    def resized(self, axis: int, size: Int) -> Shape:
        """Return the shape with another size of one axis."""
        return Shape(*self[:axis], size, *self[axis + 1 :])

    def __eq__(self, other: object) -> bool:
        """Compare shapes of plain integers.

        Raises:
            TypeError: a size is a symbol: a comparison would record a guard unnoticed; use `agree`.
        """
        if not isinstance(other, tuple) or len(self) != len(other):
            return False
        for a, b in zip(self, other, strict=True):
            if a is not b and (isinstance(a, Symbol) or isinstance(b, Symbol)):
                raise TypeError("shapes of symbols are compared by `agree`")
        return tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __str__(self) -> str:
        sizes = [recorded(size) for size in self]
        if len(sizes) == 3 and sizes[:2] == [1, 1]:
            return str(sizes[-1])
        return "×".join(map(str, sizes))

    def __repr__(self) -> str:
        return f"Shape({', '.join(map(repr, self))})"


def agree(a: Sizes, b: Sizes) -> Int:
    """Return whether two shapes, or their positions, are equal: 0 or 1; for symbols, a condition."""
    return product([x == y for x, y in zip(a, b, strict=True)]) if len(a) == len(b) else 0


def can_stretch(x: Shape, y: Shape) -> Int:
    """Return whether the shapes can be broadcast: each axis has equal sizes, or 1 in one of them."""
    if x.rank != y.rank:
        return 0
    return product([_goes_with(n, m) for n, m in zip(x, y, strict=True)])


def _goes_with(n: Int, m: Int) -> Int:
    """Return whether sizes are equal, or one is 1; no condition is recorded for what is known."""
    if n is m or _is_one(n) or _is_one(m):
        return 1
    return maximum(n == m, maximum(n == 1, m == 1))


def _is_one(n: Int) -> bool:
    return isinstance(n, int) and n == 1


def stretched(x: Shape, y: Shape) -> Shape:
    """Return the shape that both are broadcast to."""
    sizes = (m if _is_one(n) else n if _is_one(m) else maximum(n, m) for n, m in zip(x, y, strict=True))
    return Shape(*sizes)
