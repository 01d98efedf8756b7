"""Operators that only move values: they cost nothing, and say so."""

from __future__ import annotations

from typing import ClassVar

from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Argument,
    Buffer,
    Geometry,
    Operator,
    Shape,
    Weight,
    Work,
)
from archcalc.symbols import Int, require

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

    factor: tuple[Int, Int]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape(x.height * self.factor[0], x.width * self.factor[1], x.channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "upsampling"


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
        return Shape(x.height, x.width, self.channels)


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
        return Shape(x.height, x.width, self.channels)


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
