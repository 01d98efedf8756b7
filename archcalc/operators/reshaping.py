"""Padding, cropping and regrouping of values: they move, and nothing is computed."""

from __future__ import annotations

from typing import Any, ClassVar

from archcalc.arithmetic import Margin, ceil_div, maximum, product, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import NOTHING, KeepRules
from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Buffer,
    Geometry,
    Operator,
    Repeat,
    Weight,
    Window,
    Work,
)
from archcalc.operators.shape import Shape, Sizes
from archcalc.symbols import Int

CHANNELS = Argument("channels", "size", "channels of the output")


class Rearrangement(Operator):
    """The base of operators that only move values, at no cost."""

    weight_layer, stored = False, True
    buffer: ClassVar[Buffer] = "fresh"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Flatten(Rearrangement):
    """A map as a vector."""

    name = "flatten"
    arguments = ()
    stored, buffer = False, "view"

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, inputs[0].values)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


class Pad(Rearrangement):
    """Zeros around the map (torch's ZeroPad2d).

    With `reflect`, the values inside are mirrored at the last one (ReflectionPad2d); with `edge`, the
    last one is repeated (ReplicationPad2d).
    """

    name = "pad"
    arguments = (
        Argument("size", "padding", "on both sides of each axis; 0:1 before:after"),
        Argument("reflect", "flag", "mirrored at the last value", False),
        Argument("edge", "flag", "the last value repeated", False),
    )

    size: tuple[Margin, ...]
    reflect: bool
    edge: bool

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        if self.reflect and self.edge:
            raise ShapeError("`reflect` and `edge` contradict each other", "edge")

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.reflect:
            for (name, n), size in zip(x.named, self.size, strict=True):
                require(
                    maximum(size.before, size.after) < n,
                    "cannot reflect {pad} values of a {name} of {n}",
                    "size",
                    lambda pad, name, n: f"at most {n - 1}, or `edge`",
                    pad=maximum(size.before, size.after),
                    name=name,
                    n=n,
                )
        sizes = (n + size.before + size.after for n, size in zip(x.extents, self.size, strict=True))
        return Shape(*sizes, x.channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        one = (1,) * self.rank
        return Window(one, one, tuple(size.before for size in self.size), one)


class Crop(Rearrangement):
    """The map without values at both ends of each axis."""

    name = "crop"
    arguments = (Argument("size", "padding", "off both sides of each axis; 0:1 before:after"),)

    size: tuple[Margin, ...]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        for (name, n), size in zip(x.named, self.size, strict=True):
            require(
                size.before + size.after < n,
                "a crop of {size} leaves nothing of the {name} of {n}",
                "size",
                lambda size, name, n: f"at most {n - 1} on both sides together",
                size=size,
                name=name,
                n=n,
            )
        sizes = (n - size.before - size.after for n, size in zip(x.extents, self.size, strict=True))
        return Shape(*sizes, x.channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        one = (1,) * self.rank
        return Window(one, one, tuple(-size.before for size in self.size), one)


class PixelShuffle(Rearrangement):
    """Channels become positions: `factor` × `factor` of them side by side are one (Shi et al. 2016).

    The order is torch's: the channels of one output channel follow each other, row by row.
    """

    name = "pixelshuffle"
    arguments = (Argument("factor", "pair", "times down and across"),)

    factor: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        taps = product(self.factor)
        require(
            x.channels % taps == 0,
            "{channels} channels are no multiple of {taps}, one for each place",
            "factor",
            lambda channels, taps: f"`conv {-(-channels // taps) * taps}` before it",
            channels=x.channels,
            taps=taps,
        )
        sizes = (n * factor for n, factor in zip(x.extents, self.factor, strict=True))
        return Shape(*sizes, x.channels // taps)

    def geometry(self, *inputs: Shape) -> Geometry:
        return Repeat(self.factor)


class PixelUnshuffle(Rearrangement):
    """Positions become channels: `factor` × `factor` values of each channel; undoes `pixelshuffle`."""

    name = "pixelunshuffle"
    arguments = (Argument("factor", "pair", "neighbors down and across"),)

    factor: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        for (name, n), factor in zip(x.named, self.factor, strict=True):
            require(
                n % factor == 0,
                "the {name} of {n} is no multiple of {factor}",
                "factor",
                lambda name, n, factor: f"`pad 0:{-n % factor}` before it, or `todepth`, which fills up",
                name=name,
                n=n,
                factor=factor,
            )
        sizes = (n // factor for n, factor in zip(x.extents, self.factor, strict=True))
        return Shape(*sizes, x.channels * product(self.factor))

    def geometry(self, *inputs: Shape) -> Geometry:
        return Window(self.factor, self.factor, (0,) * self.rank, (1,) * self.rank)


class ToDepth(Rearrangement):
    """Space to depth: `factor` × `factor` neighbors become channels; zeros fill up the last ones.

    The neighbors follow each other column by column, from top to bottom, as in Swin's patch merging.
    """

    name = "todepth"
    arguments = (Argument("factor", "pair", "neighbors down and across"),)

    factor: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        sizes = (ceil_div(n, factor) for n, factor in zip(x.extents, self.factor, strict=True))
        return Shape(*sizes, x.channels * product(self.factor))

    def geometry(self, *inputs: Shape) -> Geometry:
        return Window(self.factor, self.factor, (0,) * self.rank, (1,) * self.rank)


class PadChannels(Rearrangement):
    """Channels of zeros after the others: the shortcut of option A (He et al. 2015)."""

    name = "padchannels"
    arguments = (CHANNELS,)

    channels: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(
            self.channels >= x.channels,
            "cannot pad {have} channels to {channels}",
            "channels",
            have=x.channels,
            channels=self.channels,
        )
        return x.of(self.channels)


class Shuffle(Rearrangement):
    """Channels dealt out to the groups in turn (ShuffleNet: Zhang et al. 2017)."""

    name = "shuffle"
    arguments = (Argument("groups", "size", "groups"),)

    groups: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(
            x.channels % self.groups == 0,
            "{groups} groups do not divide {channels} channels",
            "groups",
            groups=self.groups,
            channels=x.channels,
        )
        return x
