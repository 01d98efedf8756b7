"""Joins: several tensors become one. The first is the one that arrives."""

from __future__ import annotations

from archcalc.arithmetic import maximum, require
from archcalc.operators.argument import Argument
from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Extent,
    Geometry,
    Operator,
    Pair,
    Shape,
    Tokens,
    Weight,
    Work,
    values_of,
)
from archcalc.symbols import Int


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
        return tuple(x._replace(height=first.height, width=first.width) for x in inputs)

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
            same = _same_positions(x, first) * (x.channels == first.channels)
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
                _same_positions(x, first),
                "cannot concatenate {x} with {first}",
                help=_equal_maps,
                x=x,
                first=first,
            )
            channels = channels + x.channels
        return first._replace(channels=channels)

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
        largest, *others = [x for x in shapes if isinstance(x, Tokens)] or shapes
        for x in others:
            height, width = maximum(largest.height, x.height), maximum(largest.width, x.width)
            largest = largest._replace(height=height, width=width)
        for i, x in enumerate(shapes):
            vector = 0 if isinstance(x, Tokens) else x.height * x.width == 1
            fits = (x.channels == largest.channels) * maximum(_same_positions(x, largest), vector)
            require(fits, "cannot multiply {x} with {y}", help=_factors, x=x, y=shapes[0 if i else -1])
        return largest

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("multiplies", self._over_values(inputs)),)


def _same_positions(x: Shape, y: Shape) -> Int:
    """Whether two maps, or two sequences, agree in height and width."""
    return (
        (x.height == y.height) * (x.width == y.width) * (isinstance(x, Tokens) == isinstance(y, Tokens))
    )


def _equal_shapes(**shapes: Shape) -> str:
    """What makes two tensors equal: a layer behind one of them, which is named by its shape."""
    x, y = shapes.values()
    sequences = isinstance(x, Tokens) and isinstance(y, Tokens)
    if _same_positions(x, y):
        layer = "linear" if sequences else "conv"
        first, second = (
            f"`{layer} {y.channels}` behind the {x}",
            f"`{layer} {x.channels}` behind the {y}",
        )
        return f"{first}, or {second}, makes the channels equal"
    if sequences or isinstance(x, Tokens) or isinstance(y, Tokens):
        return _of_sequences(x, y)
    large, small = (x, y) if x.height * x.width > y.height * y.width else (y, x)
    rows, columns = -(-large.height // small.height), -(-large.width // small.width)
    if (-(-large.height // rows), -(-large.width // columns)) != (small.height, small.width):
        return "heights and widths must agree: pad the convs (`half`), or give both the same strides"
    stride = f"s{rows}" if rows == columns else f"s{rows}x{columns}"
    step = f"conv {small.channels} {stride}"
    if x.channels == y.channels:
        return f"`maxpool 1 {stride}` or `{step}` behind the {large} makes it {small}"
    return f"`{step}` behind the {large} makes it {small}"


def _factors(**shapes: Shape) -> str:
    """The same; a vector, as a gate ends with, needs the channels of the map."""
    x, y = shapes.values()
    vectors = [s for s in (x, y) if not isinstance(s, Tokens) and s.height == s.width == 1]
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
    return _of_sequences(*shapes.values()) or otherwise


def _of_sequences(x: Shape, y: Shape) -> str:
    if isinstance(x, Tokens) != isinstance(y, Tokens):
        return "`tokens` makes a sequence of a map"
    return "both sequences must have as many tokens" if isinstance(x, Tokens) else ""
