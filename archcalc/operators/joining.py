"""Joins: several tensors become one. The first is the one that arrives."""

from __future__ import annotations

from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Argument,
    Extent,
    Geometry,
    Operator,
    Pair,
    Shape,
    Weight,
    Work,
    values_of,
)
from archcalc.symbols import Int, maximum, require


class Join(Operator):
    """What joins share. `crop` cuts the others to the height and width of the first, centered."""

    arguments = (Argument("crop", "flag", "cut the others to the first's size", False),)
    weight_layer, stored = False, True

    crop: bool

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"

    def aligned(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The inputs after cropping.

        Raises:
            ShapeError: one is smaller than the first.
        """
        if not self.crop:
            return inputs
        first = inputs[0]
        for x in inputs[1:]:
            fits = (x.height >= first.height) * (x.width >= first.width)
            require(
                fits, "`{name} crop` cannot cut {x} to {first}", "crop", name=self.name, x=x, first=first
            )
        return tuple(Shape(first.height, first.width, x.channels) for x in inputs)

    def offsets(self, *inputs: Shape) -> tuple[Pair, ...]:
        """Rows and columns that are cut off before each input's first value."""
        if not self.crop:
            return ((0, 0),) * len(inputs)
        first = inputs[0]
        return tuple(((x.height - first.height) // 2, (x.width - first.width) // 2) for x in inputs)

    def _over_values(self, inputs: tuple[Shape, ...]) -> tuple[Extent, Extent]:
        joins = Extent("joins", (("inputs − 1", len(inputs) - 1),))
        return values_of(self.output_shape(*inputs), "outputs"), joins


class Add(Join):
    """Sum of tensors of one shape: one addition a value and further input."""

    name = "add"
    buffer = "in place"

    def output_shape(self, *inputs: Shape) -> Shape:
        first, *others = self.aligned(inputs)
        for x in others:
            same = (x.height == first.height) * (x.width == first.width) * (x.channels == first.channels)
            require(same, "cannot add {x} to {first}", help=_equal_shapes, x=x, first=first)
        return first

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("additions", self._over_values(inputs)),)


class Concat(Join):
    """Channels of all inputs behind each other; heights and widths must agree. Costs nothing."""

    name = "concat"
    buffer = "fresh"

    def output_shape(self, *inputs: Shape) -> Shape:
        first, *others = self.aligned(inputs)
        channels = first.channels
        for x in others:
            require(
                (x.height == first.height) * (x.width == first.width),
                "cannot concatenate {x} with {first}",
                help=_equal_maps,
                x=x,
                first=first,
            )
            channels = channels + x.channels
        return Shape(first.height, first.width, channels)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE


class Mul(Join):
    """Product of tensors of one shape; a vector multiplies each channel of a map.

    One multiply a value and further input.
    """

    name = "mul"
    buffer = "in place"

    def output_shape(self, *inputs: Shape) -> Shape:
        shapes = self.aligned(inputs)
        height, width, channels = shapes[0]
        for x in shapes[1:]:
            height, width = maximum(height, x.height), maximum(width, x.width)
        largest = Shape(height, width, channels)
        for x in shapes:
            whole = (x.height == height) * (x.width == width)
            fits = (x.channels == channels) * maximum(whole, x.height * x.width == 1)
            require(fits, "cannot multiply {x} with {largest}", help=_equal_shapes, x=x, largest=largest)
        return largest

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("multiplies", self._over_values(inputs)),)


def _equal_shapes(**shapes: Shape) -> str:
    x, y = shapes.values()
    if x.channels != y.channels:
        return f"a 1x1 conv makes the channels equal: `conv {y.channels}`"
    return "a stride or a pool makes height and width equal"


def _equal_maps(**shapes: Shape) -> str:
    return "heights and widths must agree; pad the convs (`half`), or pool with stride 1 (`s1 half`)"
