"""Pooling: over windows, over the cells of a grid, and over all positions."""

from __future__ import annotations

from typing import Any, ClassVar

from archcalc.arithmetic import ceil_div, gcd, maximum, product, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import NOTHING, KeepRules, indices
from archcalc.operators.model import (
    UNWEIGHTED,
    Cells,
    Extent,
    Geometry,
    Operator,
    Weight,
    Work,
    values_of,
)
from archcalc.operators.shape import Shape, Sizes
from archcalc.operators.window import DILATION, HALF, PADDING, SAME, Windowed
from archcalc.symbols import Int


class Pool(Windowed):
    """The base of windowed pools. The stride is the window unless given."""

    arguments: ClassVar[tuple[Argument, ...]] = (
        Argument("window", "pair", "height x width"),
        Argument("s", "pair", "stride", "window"),
        PADDING,
        HALF,
        SAME,
        Argument("ceil", "flag", "round the output up, not down", False),
    )
    weight_layer, stored, buffer = False, True, "fresh"
    window_field = "window"

    window: Sizes

    def __init__(self, *required: Any, **optional: Any) -> None:
        if optional.get("s", "window") == "window":
            optional["s"] = required[0] if required else optional.get("window", ...)
        super().__init__(*required, **optional)
        self.k = self.window
        if self.same and self.ceil:
            help = "`same` makes ceil(input/stride) outputs already"
            raise ShapeError("`same` leaves nothing to round: `ceil` says nothing", "ceil", help)

    def _output(self, axis: int, size: Int, name: str) -> Int:
        dilation, (before, after) = self.d[axis], self.p[axis]
        if not (self.same or self.half):
            require(
                maximum(before, after) <= (self.k[axis] - 1) * dilation,
                "padding of {padding} makes windows of {window} that hold nothing else",
                "p",
                lambda padding, window: f"a padding of at most {window - 1}",
                padding=maximum(before, after),
                window=(self.k[axis] - 1) * dilation + 1,
            )
        if not self.half and not (type(dilation) is int and dilation == 1):
            whole = before == 0 if self.ceil else maximum(before == 0, after == 0)
            require(
                maximum(dilation <= size, maximum(self.k[axis] == 1, 0 if self.same else whole)),
                "a dilation of {dilation} steps over the {name} of {size}: from padding to padding",
                "d",
                lambda dilation, name, size: f"a dilation of at most {size}, or no padding",
                dilation=dilation,
                name=name,
                size=size,
            )
        return super()._output(axis, size, name)

    def default_of(self, argument: Argument) -> Any:
        return self.k if argument.name == "s" else super().default_of(argument)

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return self.outputs(x, x.channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def _fold(self, kind: Any, *inputs: Shape) -> Work:
        """Return the work that combines the values of each window: one operation fewer than values."""
        steps = Extent("steps", (("window − 1", product(self.k) - 1),))
        return Work(kind, (values_of(self.output_shape(*inputs), "outputs"), steps))


class MaxPool(Pool):
    """The largest value of each window: window − 1 comparisons per output. It may be dilated."""

    name = "maxpool"
    arguments = (*Pool.arguments, DILATION)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (self._fold("comparisons", *inputs),)

    def kept(self, *inputs: Shape) -> KeepRules:
        return indices(self.output_shape(*inputs).values, product(self.k))


class AvgPool(Pool):
    """The mean of each window: window − 1 additions and one multiply per output.

    Zeros of the padding count in the mean, as in torch; with `same` they do not, as in TensorFlow.
    `zeros` and `nozeros` override this. Positions beyond the padding, which `ceil` may reach, never
    count.
    """

    name = "avgpool"
    arguments = (
        *Pool.arguments,
        Argument("zeros", "flag", "the padding's zeros count in the mean, with `same` too", False),
        Argument("nozeros", "flag", "the mean of what is there, without the padding's zeros", False),
    )

    zeros: bool
    nozeros: bool

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        if self.zeros and self.nozeros:
            raise ShapeError("`zeros` and `nozeros` contradict each other", "nozeros")

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        outputs = values_of(self.output_shape(*inputs), "outputs")
        return self._fold("additions", *inputs), Work("multiplies", (outputs,))

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class SumPool(Pool):
    """The sum of each window: window − 1 additions per output; LeNet subsamples by `sumpool 2 | scale`.

    Its connections are one per value of a window; `scale` has that of the bias: 4 + 1 for 2×2.
    """

    name = "sumpool"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (self._fold("additions", *inputs),)

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING

    def connections(self, *inputs: Shape) -> Int:
        return self.output_shape(*inputs).values * product(self.k)


class Gap(Operator):
    """Global average pool: the mean of each channel (Lin et al. 2013)."""

    name = "gap"
    arguments = ()
    weight_layer, stored, buffer = False, True, "fresh"

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, inputs[0].channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        outputs = Extent("outputs", (("channels", x.channels),))
        steps = Extent("steps", (("positions − 1", x.positions - 1),))
        return Work("additions", (outputs, steps)), Work("multiplies", (outputs,))

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


class AdaptivePool(Operator):
    """The mean of each cell of a grid over the map, of any size; with `max`, its largest value.

    Of n rows, cell i of m begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉ (torch.nn.AdaptiveAvgPool2d).
    Neighbors share a row if i·n/m is no integer, which is so for m − gcd(n, m) of the 0 < i < m: all
    cells together read n + m − gcd(n, m) rows. An output takes one operation fewer than its cell has
    values, and a mean one multiply more.
    """

    name = "adaptivepool"
    arguments = (
        Argument("size", "pair", "height x width of the output"),
        Argument("max", "flag", "the largest value of a cell, not the mean", False),
    )
    weight_layer, stored, buffer = False, True, "fresh"

    size: Sizes
    max: bool

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(*self.size, x.channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        read = product([n + m - gcd(n, m) for n, m in zip(x.extents, self.size, strict=True)])
        steps = Extent("steps", (("values read − outputs", read - product(self.size)),))
        fold = Work("comparisons" if self.max else "additions", (_channels(x), steps))
        return (fold,) if self.max else (fold, Work("multiplies", (values_of(self.output_shape(x)),)))

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        (x,) = inputs
        if not self.max:
            return NOTHING
        largest = product([ceil_div(n, m) + 1 for n, m in zip(x.extents, self.size, strict=True)])
        return indices(self.output_shape(x).values, largest)

    def geometry(self, *inputs: Shape) -> Geometry:
        (x,) = inputs
        return Cells(x.extents, self.size)


def _channels(x: Shape) -> Extent:
    return Extent("channels", (("channels", x.channels),))
