"""Values in another place along an axis; nothing is computed."""

from __future__ import annotations

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.model import AXIS, Geometry, Window
from archcalc.operators.reshaping import Reshape
from archcalc.operators.shape import Shape
from archcalc.symbols import Int


class Slice(Reshape):
    """`size` channels, beginning with number `from`; or so many places along another axis."""

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


def moved(x: Shape, axis: str, start: Int) -> Window:
    """Each output reads the place that is `start` further along one axis."""
    ones = (1,) * x.rank
    before = tuple(-start if name == axis else 0 for name in x.axes)
    return Window(ones, ones, before, ones)
