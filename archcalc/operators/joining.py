"""Joins: several tensors become one. The first is the one that arrives."""

from __future__ import annotations

from archcalc.arithmetic import maximum, product, require
from archcalc.operators.argument import Argument, written
from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Extent,
    Geometry,
    Operator,
    Weight,
    Work,
    values_of,
)
from archcalc.operators.shape import Shape, Sizes, agree
from archcalc.symbols import Int


class Join(Operator):
    """What joins share. `crop` cuts the others to the height and width of the first, centered."""

    arguments = (Argument("crop", "flag", "cut the others to the first's size", False),)
    labels = (1, None)
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
            fits = x.rank == first.rank and _holds(x, first)
            require(
                fits, "`{name} crop` cannot cut {x} to {first}", "crop", name=self.name, x=x, first=first
            )
        return tuple(first.of(x.channels) for x in inputs)

    def offsets(self, *inputs: Shape) -> tuple[Sizes, ...]:
        """Positions along each axis that are cut off before each input's first value."""
        if not self.crop:
            return ((0,) * inputs[0].rank,) * len(inputs)
        first = inputs[0]
        return tuple(
            tuple((n - m) // 2 for n, m in zip(x.extents, first.extents, strict=True)) for x in inputs
        )

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
            same = agree(x, first)
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
                agree(x.extents, first.extents),
                "cannot concatenate {x} with {first}",
                help=_equal_maps,
                x=x,
                first=first,
            )
            channels = channels + x.channels
        return first.of(channels)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE


class Mul(Join):
    """Product of tensors of one shape; a vector multiplies each channel of a map or sequence.

    One multiply a value and further input.
    """

    name = "mul"
    buffer = "in place"

    def output_shape(self, *inputs: Shape) -> Shape:
        shapes = self.aligned(inputs)
        rank = max((x.rank for x in shapes if not _may_be_vector(x)), default=2)
        own = [x for x in shapes if x.rank == rank]
        sizes = own[0].extents
        for x in own[1:]:
            sizes = tuple(maximum(n, m) for n, m in zip(sizes, x.extents, strict=True))
        largest = Shape(*sizes, own[0].channels)
        for i, x in enumerate(shapes):
            vector = x.positions == 1 if x.rank == 2 or x.rank == rank == 3 else 0
            fits = (x.channels == largest.channels) * maximum(agree(x.extents, largest.extents), vector)
            require(fits, "cannot multiply {x} with {y}", help=_factors, x=x, y=shapes[0 if i else -1])
        return largest

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("multiplies", self._over_values(inputs)),)


def _holds(x: Shape, y: Shape) -> Int:
    """Whether no axis of `x` is shorter than that of `y`."""
    return product([n >= m for n, m in zip(x.extents, y.extents, strict=True)])


def _may_be_vector(x: Shape) -> bool:
    """Whether the rank leaves it open: a map of 1 × 1 is a vector."""
    return x.rank == 2


def _equal_shapes(**shapes: Shape) -> str:
    """What makes two tensors equal: a layer behind one of them, which is named by its shape."""
    x, y = shapes.values()
    if x.extents == y.extents:
        layer = "linear" if x.is_sequence else "conv"
        first, second = (
            f"`{layer} {y.channels}` behind the {x}",
            f"`{layer} {x.channels}` behind the {y}",
        )
        return f"{first}, or {second}, makes the channels equal"
    if x.is_sequence or x.rank != y.rank:
        return _of_axes(x, y)
    large, small = (x, y) if x.positions > y.positions else (y, x)
    strides = [-(-n // m) for n, m in zip(large.extents, small.extents, strict=True)]
    if any(-(-n // s) != m for n, s, m in zip(large.extents, strides, small.extents, strict=True)):
        sides = "heights and widths" if x.rank == 2 else "frames, heights and widths"
        return f"{sides} must agree: pad the convs (`half`), or give both the same strides"
    stride = f"s{written(tuple(strides))}"
    step = f"conv {small.channels} {stride}"
    if x.channels == y.channels:
        return f"`maxpool 1 {stride}` or `{step}` behind the {large} makes it {small}"
    return f"`{step}` behind the {large} makes it {small}"


def _factors(**shapes: Shape) -> str:
    """The same; a vector, as a gate ends with, needs the channels of the map."""
    x, y = shapes.values()
    vectors = [s for s in (x, y) if s.rank == 2 and s.positions == 1]
    if len(vectors) != 1:
        return _equal_shapes(x=x, y=y)
    whole = y if vectors[0] is x else x
    return (
        f"the vector needs {whole.channels} channels: `linear {whole.channels}`; "
        "`{channels}` are those that arrive at their own step"
    )


def _equal_maps(**shapes: Shape) -> str:
    otherwise = (
        "heights and widths must agree; pad the convs (`half`), or pool with stride 1 (`s1 half`)"
    )
    return _of_axes(*shapes.values()) or otherwise


def _of_axes(x: Shape, y: Shape) -> str:
    if x.is_sequence and y.is_sequence:
        return "both sequences must have as many tokens"
    if x.is_sequence or y.is_sequence:
        return "`tokens` makes a sequence of a map"
    return "" if x.rank == y.rank else "both must have as many axes"
