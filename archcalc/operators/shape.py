"""A tensor is a tuple of axes: any number of positions, then channels."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.arithmetic import maximum, product, recorded
from archcalc.errors import ShapeError, listed
from archcalc.symbols import Int, Symbol

Sizes = tuple[Int, ...]  # one an axis: a sequence has one, a map two, a volume three

AXES: dict[int, tuple[str, ...]] = {
    1: ("length",),
    2: ("height", "width"),
    3: ("frames", "height", "width"),
}

AXIS_NAMES = ("channels", "length", "frames", "height", "width")
POSITIONS = "positions"  # all axes but the channels


class Shape(tuple[Int, ...]):
    """The axes of one image's tensor, channels last; the others are its positions.

    A sequence is length × channels, a map height × width × channels, a volume frames × height × width ×
    channels; a vector is a map of 1 × 1.
    """

    __slots__ = ()

    def __new__(cls, *axes: Int) -> Shape:
        return tuple.__new__(cls, axes)

    def __getnewargs__(self) -> Sizes:
        return tuple(self)  # what pickle hands to __new__, in another process

    @classmethod
    def _make(cls, axes: Iterable[Int]) -> Shape:
        return tuple.__new__(cls, axes)

    @property
    def rank(self) -> int:
        """How many axes of positions there are."""
        return len(self) - 1

    @property
    def channels(self) -> Int:
        return self[-1]

    @property
    def extents(self) -> Sizes:
        """Positions along each axis."""
        return self[:-1]

    @property
    def height(self) -> Int:
        """Of a map or volume."""
        return self[-3]

    @property
    def width(self) -> Int:
        """Of a map or volume."""
        return self[-2]

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes of positions."""
        return AXES[self.rank]

    @property
    def named(self) -> tuple[tuple[str, Int], ...]:
        """The axes of positions by name, as factors of a loop."""
        return tuple(zip(self.axes, self.extents, strict=True))

    def axis(self, name: str) -> int:
        """Where the axis of that name stands.

        Raises:
            ShapeError: there is none.
        """
        names = (*self.axes, "channels")
        if name not in names:
            raise ShapeError(f"{self} has no axis `{name}`", "axis", f"its axes: {listed(names)}")
        return names.index(name)

    @property
    def values(self) -> Int:
        return product(self)

    @property
    def positions(self) -> Int:
        return product(self.extents)

    @property
    def is_sequence(self) -> bool:
        return self.rank == 1

    def of(self, channels: Int) -> Shape:
        """The same positions with so many channels."""
        return Shape(*self.extents, channels)

    def resized(self, axis: int, size: Int) -> Shape:
        """With so many places along one axis."""
        return Shape(*self[:axis], size, *self[axis + 1 :])

    def __eq__(self, other: object) -> bool:
        """Of plain integers.

        Raises:
            TypeError: symbols may differ, and a decision would leave a guard in silence: ask `agree`.
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
        sizes = recorded(tuple(self))
        if len(sizes) == 3 and sizes[:2] == (1, 1):
            return str(sizes[-1])
        return "×".join(map(str, sizes))

    def __repr__(self) -> str:
        return f"Shape({', '.join(map(repr, self))})"


def agree(a: Sizes, b: Sizes) -> Int:
    """Whether two shapes, or their positions, are the same: 0 or 1, on symbols a condition."""
    return product([x == y for x, y in zip(a, b, strict=True)]) if len(a) == len(b) else 0


def can_stretch(x: Shape, y: Shape) -> Int:
    """Whether each axis of both has one size, or 1 in one of them."""
    if x.rank != y.rank:
        return 0
    return product([_goes_with(n, m) for n, m in zip(x, y, strict=True)])


def _goes_with(n: Int, m: Int) -> Int:
    """Whether the sizes are one, or one of them is 1; of what is known by itself nothing is asked."""
    if n is m or _is_one(n) or _is_one(m):
        return 1
    return maximum(n == m, maximum(n == 1, m == 1))


def _is_one(n: Int) -> bool:
    return isinstance(n, int) and n == 1


def stretched(x: Shape, y: Shape) -> Shape:
    """The shape that both stretch to."""
    sizes = (m if _is_one(n) else n if _is_one(m) else maximum(n, m) for n, m in zip(x, y, strict=True))
    return Shape(*sizes)
