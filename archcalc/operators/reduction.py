"""Reductions: means, sums and maxima along an axis, of which one position is left."""

from __future__ import annotations

from archcalc.operators.argument import Argument
from archcalc.operators.kept import NOTHING, KeepRules, indices
from archcalc.operators.model import (
    UNWEIGHTED,
    Cells,
    Extent,
    Geometry,
    Kind,
    Operator,
    Weight,
    Work,
    values_of,
)
from archcalc.operators.shape import AXIS_NAMES, POSITIONS, Shape
from archcalc.symbols import Int


class Reduction(Operator):
    """The base of reductions: each output combines all values along the axis."""

    arguments = (
        Argument(
            "axis",
            "word",
            "along which axis; `positions`: along all but the channels",
            "channels",
            (*AXIS_NAMES, POSITIONS),
        ),
    )
    weight_layer, stored, buffer = False, True, "fresh"

    axis: str

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.axis == POSITIONS:
            return Shape(*(1,) * x.rank, x.channels)
        return x.resized(x.axis(self.axis), 1)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        outputs = values_of(self.output_shape(x), "outputs")
        others = Extent("others", ((f"{self.axis} − 1", self._size(x) - 1),))
        kind: Kind = "comparisons" if self.name == "max" else "additions"
        mean = (Work("multiplies", (outputs,)),) if self.name == "mean" else ()
        return (Work(kind, (outputs, others)), *mean)

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def geometry(self, *inputs: Shape) -> Geometry:
        (x,) = inputs
        if self.axis == "channels":
            return "pointwise"
        if self.axis == POSITIONS or x.rank == 1:
            return "global"
        return Cells(x.extents, self.output_shape(x).extents)

    def _size(self, x: Shape) -> Int:
        return x.positions if self.axis == POSITIONS else x[x.axis(self.axis)]


class Mean(Reduction):
    """The mean along an axis: its length − 1 additions and one multiply per output."""

    name = "mean"

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Sum(Reduction):
    """The sum along an axis: its length − 1 additions per output."""

    name = "sum"

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Max(Reduction):
    """The largest value along an axis: its length − 1 comparisons per output."""

    name = "max"

    def kept(self, *inputs: Shape) -> KeepRules:
        return indices(self.output_shape(*inputs).values, self._size(inputs[0]))
