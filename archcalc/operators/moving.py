"""Slices, rolls, permutations and reshapes: values move, and nothing is computed."""

from __future__ import annotations

from archcalc.arithmetic import OPEN, product, recorded, require
from archcalc.operators.argument import Argument
from archcalc.operators.model import AXIS, AxisOrder, Geometry, Regroup, Ring, Window
from archcalc.operators.reshaping import Rearrangement
from archcalc.operators.shape import AXIS_NAMES, POSITIONS, Shape, Sizes
from archcalc.symbols import Int


class Slice(Rearrangement):
    """`size` channels from number `from` on; or so many positions along another axis."""

    name = "slice"
    arguments = (
        Argument("size", "size", "how many"),
        Argument("from", "offset", "the first, from 0", 0),
        AXIS,
    )

    size: Int
    start: Int
    axis: str

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        along = x.axis(self.axis)
        end = self.start + self.size
        require(
            end <= x[along],
            "{axis} {start} to {end} of {have}",
            "size",
            axis=self.axis,
            start=self.start,
            end=end - 1,
            have=x[along],
        )
        return x.resized(along, self.size)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise" if self.axis == "channels" else moved(inputs[0], self.axis, self.start)


class Roll(Rearrangement):
    """Values move on by `shift` places; those beyond the end enter at the beginning (NumPy's roll)."""

    name = "roll"
    arguments = (
        Argument("shift", "move", "places to move on; back: `roll {-3}`"),
        Argument("axis", "word", "along which axis", POSITIONS, (*AXIS_NAMES, POSITIONS)),
    )

    shift: Int
    axis: str

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.axis != POSITIONS:
            x.axis(self.axis)
        return x

    def geometry(self, *inputs: Shape) -> Geometry:
        (x,) = inputs
        if self.axis == "channels":
            return "pointwise"
        return Ring(tuple(self.shift * (self.axis in (name, POSITIONS)) for name in x.axes), x.extents)


class Permute(Rearrangement):
    """The axes in another order, named by their numbers from 0; the channels are the last."""

    name = "permute"
    arguments = (Argument("order", "order", "which axis stands where: `1x0x2`"),)

    order: tuple[int, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(*(x[axis] for axis in self.order))

    def geometry(self, *inputs: Shape) -> Geometry:
        return AxisOrder(self.order)


class Reshape(Rearrangement):
    """The same values in row-major order, with other axes; a size of `_` follows from the others."""

    name = "reshape"
    arguments = (Argument("shape", "shape", "axes of the output: `14x14x256`, `_x64`"),)
    stored, buffer = False, "view"

    shape: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        known = product([n for n in self.shape if not _is_open(n)])
        opened = any(map(_is_open, self.shape))
        rest = x.values // known if opened else 1
        require(
            rest * known == x.values,
            "cannot reshape {x} to {told}: "
            + ("{known} does not divide {values} values" if opened else "{known} values, not {values}"),
            "shape",
            x=x,
            told="×".join("_" if _is_open(n) else str(n) for n in recorded(self.shape)),
            known=known,
            values=x.values,
        )
        sizes = [rest if _is_open(n) else n for n in self.shape]
        return Shape(*(1, 1)[: 2 * (len(sizes) == 1)], *sizes)

    def geometry(self, *inputs: Shape) -> Geometry:
        return Regroup(inputs[0].channels, self.output_shape(*inputs).channels)


def _is_open(size: Int) -> bool:
    return isinstance(size, int) and size == OPEN


def moved(x: Shape, axis: str, start: Int) -> Window:
    """Return the window of outputs that read the position `start` further along one axis."""
    ones = (1,) * x.rank
    before = tuple(-start if name == axis else 0 for name in x.axes)
    return Window(ones, ones, before, ones)
