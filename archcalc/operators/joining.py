"""Joins: several tensors become one. The first is the one that arrives, the others have labels."""

from __future__ import annotations

from typing import ClassVar

from archcalc.arithmetic import product, require
from archcalc.operators.argument import Argument, written
from archcalc.operators.kept import NOTHING, Intermediate, KeepRule, KeepRules
from archcalc.operators.model import (
    AXIS,
    FREE,
    UNWEIGHTED,
    Extent,
    Geometry,
    Kind,
    Operator,
    Weight,
    Work,
    values_of,
)
from archcalc.operators.shape import Shape, Sizes, agree, can_stretch, stretched
from archcalc.symbols import Int

VECTOR = 2  # axes of a vector, which is a map of 1 × 1


class Join(Operator):
    """The base of joins. `crop` cuts the others to the height and width of the first, centered."""

    arguments: ClassVar[tuple[Argument, ...]] = (
        Argument("crop", "flag", "cut the others to the first's size", False),
    )
    labels = (1, None)
    weight_layer, stored = False, True

    crop: bool

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"

    def parts(self, *inputs: Shape) -> tuple[Shape, ...]:
        """Return the shapes that are joined: cropped, or with vectors given the axes of the others.

        Raises:
            ShapeError: an input is too small to be cropped.
        """
        first = inputs[0]
        for x in inputs[1:] if self.crop else ():
            fits = x.rank == first.rank and _holds(x, first)
            require(
                fits, "`{name} crop` cannot cut {x} to {first}", "crop", name=self.name, x=x, first=first
            )
        if self.crop:
            return tuple(first.of(x.channels) for x in inputs)
        if len({x.rank for x in inputs}) == 1:
            return inputs
        rank = next(x.rank for x in inputs if x.rank != VECTOR)
        return tuple(_raised(x, rank) for x in inputs)

    def offsets(self, *inputs: Shape) -> tuple[Sizes, ...]:
        """Return the positions along each axis that are cropped at the beginning of each input."""
        parts = self.parts(*inputs)
        if not self.crop:
            return ((0,) * parts[0].rank,) * len(inputs)
        return tuple(
            tuple((n - m) // 2 for n, m in zip(x.extents, y.extents, strict=True))
            for x, y in zip(inputs, parts, strict=True)
        )


class Elementwise(Join):
    """The base of elementwise joins: inputs are broadcast as in NumPy, an axis of 1 to any size.

    A vector is broadcast to any number of axes. Each further input costs one step per output value.
    """

    buffer = "in place"
    step: ClassVar[Kind]
    refusal: ClassVar[str]  # the message about {x} and {y} that do not fit

    def output_shape(self, *inputs: Shape) -> Shape:
        y, *parts = self.parts(*inputs)
        seen = inputs[0]
        for x, part in zip(inputs[1:], parts, strict=True):
            fits = _is_vector(x, y) * _is_vector(seen, part) * can_stretch(part, y)
            require(fits, self.refusal, help=_factors, x=part if self.crop else x, y=seen)
            seen = y = stretched(part, y)
        return y

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        joins = Extent("joins", (("inputs − 1", len(inputs) - 1),))
        return (Work(self.step, (values_of(self.output_shape(*inputs), "outputs"), joins)),)


class Add(Elementwise):
    """The sum of the inputs: one addition per value and further input."""

    name, step, refusal = "add", "additions", "cannot add {x} to {y}"

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Sub(Elementwise):
    """What arrives minus the others: one addition per value and further input."""

    name, step, refusal = "sub", "additions", "cannot subtract {x} from {y}"

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Mul(Elementwise):
    """The product of the inputs: one multiply per value and further input; a vector scales channels."""

    name, step, refusal = "mul", "multiplies", "cannot multiply {x} with {y}"

    def kept(self, *inputs: Shape) -> KeepRules:
        every = range(len(inputs))
        return tuple(KeepRule(i, tuple(other for other in every if other != i)) for i in every)


class Maximum(Elementwise):
    """The largest value at each place: one comparison per value and further input."""

    name, step, refusal = "maximum", "comparisons", "cannot compare {x} with {y}"

    def kept(self, *inputs: Shape) -> KeepRules:
        largest = Intermediate("indices", self.output_shape(*inputs).values, len(inputs))
        return (KeepRule(largest, tuple(range(len(inputs)))),)


class Concat(Join):
    """All inputs, one after another along an axis; the other axes must agree. It costs nothing."""

    name = "concat"
    arguments = (*Join.arguments, AXIS)
    buffer = "fresh"

    axis: str

    def output_shape(self, *inputs: Shape) -> Shape:
        parts = self.parts(*inputs)
        along = parts[0].axis(self.axis)
        size = parts[0][along]
        for x, part in zip(inputs[1:], parts[1:], strict=True):
            fits = _is_vector(x, part) * _is_vector(inputs[0], parts[0])
            fits = fits * agree(*(p[:along] + p[along + 1 :] for p in (part, parts[0])))
            require(fits, self._refusal, help=self._equal, x=x, first=inputs[0])
            size = size + part[along]
        return parts[0].resized(along, size)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    @property
    def _refusal(self) -> str:
        where = "" if self.axis == "channels" else f" along the {self.axis}"
        return f"cannot concatenate {{x}} with {{first}}{where}"

    def _equal(self, **shapes: Shape) -> str:
        if self.axis != "channels":
            return _of_axes(*shapes.values()) or f"all axes but the {self.axis} must agree"
        return _equal_maps(**shapes)

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


def _holds(x: Shape, y: Shape) -> Int:
    """Return whether no axis of `x` is shorter than that of `y`."""
    return product([n >= m for n, m in zip(x.extents, y.extents, strict=True)])


def _raised(x: Shape, rank: int) -> Shape:
    """Return a vector with `rank` axes of positions; any other shape as it is."""
    return Shape(*(1,) * rank, x.channels) if x.rank == VECTOR != rank else x


def _is_vector(x: Shape, raised: Shape) -> Int:
    """Return whether `x` is a vector, if it was given other axes."""
    return 1 if x.rank == raised.rank else x.positions == 1


def _equal_shapes(**shapes: Shape) -> str:
    """Say which layer after one of two tensors, named by its shape, makes them equal."""
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
    """Say the same of factors: a vector, such as the end of a gate, needs the channels of the map."""
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
