"""Operators that only move values: they cost nothing, and say so."""

from __future__ import annotations

from typing import ClassVar

from archcalc.arithmetic import ceil_div, product, require
from archcalc.operators.argument import Argument
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


class Reshape(Operator):
    """What the free operators share."""

    weight_layer, stored = False, True
    buffer: ClassVar[Buffer] = "fresh"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Flatten(Reshape):
    """A map as a vector."""

    name = "flatten"
    arguments = ()
    stored, buffer = False, "view"

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, inputs[0].values)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


class Upsample(Reshape):
    """Each value repeated `factor` × `factor` times (nearest neighbor)."""

    name = "upsample"
    arguments = (Argument("factor", "pair", "copies down and across"),)

    factor: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        sizes = (n * factor for n, factor in zip(x.extents, self.factor, strict=True))
        return Shape(*sizes, x.channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        return Repeat(self.factor)


class ToDepth(Reshape):
    """`factor` × `factor` neighbors behind each other in the channels; zeros fill up the last ones.

    Space to depth, each column of neighbors from top to bottom: Swin's patch merging.
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


class PadChannels(Reshape):
    """Channels of zeros behind the others: the shortcut of option A (He et al. 2015)."""

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


class Slice(Reshape):
    """`channels` channels, beginning with number `from`."""

    name = "slice"
    arguments = (CHANNELS, Argument("from", "offset", "first channel, from 0", 0))

    channels: Int
    start: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        end = self.start + self.channels
        require(
            end <= x.channels,
            "channels {start} to {end} of {have}",
            "channels",
            start=self.start,
            end=end - 1,
            have=x.channels,
        )
        return x.of(self.channels)


class Shuffle(Reshape):
    """Channels dealt out over the groups in turn (Zhang et al. 2017)."""

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
