"""Normalizations and scalings: the shape stays, and each value is scaled and shifted."""

from __future__ import annotations

from typing import ClassVar

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import (
    INPUT_FOR_WEIGHTS,
    OF_BOTH,
    OF_INPUT,
    Intermediate,
    KeepRule,
    KeepRules,
    statistics,
)
from archcalc.operators.model import (
    UNWEIGHTED,
    Extent,
    Geometry,
    Operator,
    Weight,
    Work,
    positions_of,
    values_of,
)
from archcalc.operators.shape import Shape
from archcalc.operators.window import NOBIAS
from archcalc.symbols import Int

EPS = Argument("eps", "number", "added to the variance, so that nothing is divided by 0", 0.00001)
NOSCALE = Argument("noscale", "flag", "no learned scale (TF-Slim, Keras' Inception)", False)
NOSHIFT = Argument("noshift", "flag", "no learned shift", False)


class Pointwise(Operator):
    """The base of operators whose output has the input's shape, and may overwrite it."""

    arguments: ClassVar[tuple[Argument, ...]] = ()
    weight_layer, stored, buffer = False, False, "in place"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Norm(Pointwise):
    """The base of norms: a learned scale and shift for each channel, unless they are left out."""

    arguments: ClassVar[tuple[Argument, ...]] = (NOSCALE, NOSHIFT, EPS)

    noscale: bool
    noshift: bool
    eps: float

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        channels = (inputs[0].channels,)
        scale = () if self.noscale else (Weight("scale", channels),)
        return scale if self.noshift else (*scale, Weight("shift", channels))

    def normalized(self, statistic: KeepRule) -> KeepRules:
        """Return the rules that keep the input and the statistics, for the same derivatives."""
        return KeepRule(0, statistic.of), statistic

    @property
    def needing(self) -> tuple[int, ...]:
        """The derivatives that need the normalized values: by the input and the scale."""
        return OF_INPUT if self.noscale else OF_BOTH

    def standardize(self, x: Shape, lines: Extent, size: Int, what: str) -> tuple[Work, ...]:
        """Return the work to bring lines of `size` values to mean 0 and variance 1, scaled and shifted.

        Per value: 3 multiplies (its square, by 1/σ, by the scale) and 4 additions (mean, centering,
        variance, shift). Per line: 2 multiplies by 1/size, a root and a division, and one addition
        fewer, as the two sums of n values take n − 1 each, and eps takes one.
        """
        each = 3 + (not self.noshift)
        sums = Extent("sums", ((f"{each} · {what} − 1", each * size - 1),))
        return (
            Work("multiplies", (values_of(x),), 2 + (not self.noscale)),
            Work("multiplies", (lines,), 2),
            Work("additions", (lines, sums)),
            Work("roots", (lines,)),
            Work("divisions", (lines,)),
        )


class BatchNorm(Norm):
    """Batch normalization at inference: one multiply and one addition per value.

    Scale and shift are learned; running mean and variance are statistics (Ioffe & Szegedy 2015).
    """

    name = "bn"

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        channels = (inputs[0].channels,)
        return (*super().weights(*inputs), Weight("mean", channels), Weight("variance", channels))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        values = values_of(inputs[0])
        return Work("multiplies", (values,)), Work("additions", (values,))

    def kept(self, *inputs: Shape) -> KeepRules:
        return self.normalized(statistics(2 * inputs[0].channels, self.needing, once=True))


class LayerNorm(Norm):
    """Layer normalization over the channels of each position (Ba et al. 2016).

    Per value: 3 multiplies (its square, by 1/σ, by the scale) and 4 additions (mean, centering,
    variance, shift). Per position: 2 multiplies by 1/channels, a root and a division, and one addition
    fewer.
    """

    name = "ln"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        return self.standardize(x, positions_of(x), x.channels, "channels")

    def kept(self, *inputs: Shape) -> KeepRules:
        return self.normalized(statistics(2 * inputs[0].positions, self.needing))


class GroupNorm(Norm):
    """Group normalization over all positions of a group of channels (Wu & He 2018).

    Per value: 3 multiplies (its square, by 1/σ, by the scale) and 4 additions (mean, centering,
    variance, shift). Per group of n values: 2 multiplies by 1/n, a root and a division, and one addition
    fewer.
    """

    name = "groupnorm"
    arguments = (
        Argument("groups", "size", "groups of channels that are normalized together"),
        *Norm.arguments,
    )

    groups: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        whole = inputs[0].channels % self.groups == 0
        message = "{channels} channels do not divide into {groups} groups"
        require(whole, message, "groups", channels=inputs[0].channels, groups=self.groups)
        return inputs[0]

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        groups = Extent("groups", (("groups", self.groups),))
        return self.standardize(x, groups, x.values // self.groups, "values of a group")

    def kept(self, *inputs: Shape) -> KeepRules:
        return self.normalized(statistics(2 * self.groups, self.needing))


class InstanceNorm(Norm):
    """Instance normalization over all positions of each channel (Ulyanov et al. 2016).

    Per value: 3 multiplies (its square, by 1/σ, by the scale) and 4 additions (mean, centering,
    variance, shift). Per channel: 2 multiplies by 1/positions, a root and a division, and one addition
    fewer.
    """

    name = "instancenorm"

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        channels = Extent("channels", (("channels", x.channels),))
        return self.standardize(x, channels, x.positions, "positions")

    def kept(self, *inputs: Shape) -> KeepRules:
        return self.normalized(statistics(2 * inputs[0].channels, self.needing))


class RmsNorm(Pointwise):
    """Division by the root mean square of each position's channels (Zhang & Sennrich 2019).

    Per value: 3 multiplies (its square, by 1/root, by the scale) and one addition (sum of squares, eps).
    Per position: a multiply by 1/channels, a root and a division.
    """

    name = "rmsnorm"
    arguments = (NOSCALE, EPS)

    noscale: bool
    eps: float

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED if self.noscale else (Weight("scale", (inputs[0].channels,)),)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        values, positions = values_of(inputs[0]), positions_of(inputs[0])
        return (
            Work("multiplies", (values,), 2 + (not self.noscale)),
            Work("multiplies", (positions,)),
            Work("additions", (values,)),
            Work("roots", (positions,)),
            Work("divisions", (positions,)),
        )

    def kept(self, *inputs: Shape) -> KeepRules:
        of = OF_INPUT if self.noscale else OF_BOTH
        return KeepRule(0, of), statistics(inputs[0].positions, of)


class LocalResponseNorm(Pointwise):
    """Local response normalization over `size` neighboring channels (Krizhevsky et al. 2012).

    Per value: size + 1 multiplies, size additions, a power and a division. Channels beyond the ends
    count as zeros.
    """

    name = "lrn"
    arguments = (Argument("size", "size", "channels summed"),)

    size: Int

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        values = values_of(inputs[0])
        return (
            Work("multiplies", (values, Extent("squares and scalings", (("size + 1", self.size + 1),)))),
            Work("additions", (values, Extent("sums", (("size", self.size),)))),
            Work("powers", (values,)),
            Work("divisions", (values,)),
        )

    def kept(self, *inputs: Shape) -> KeepRules:
        return KeepRule(0, OF_INPUT), KeepRule(Intermediate("sums", inputs[0].values), OF_INPUT)


class Scale(Pointwise):
    """A learned factor and bias for each channel: LeNet's subsampling, layer scale."""

    name = "scale"
    arguments = (NOBIAS,)

    nobias: bool

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        channels = (inputs[0].channels,)
        weight = Weight("weight", channels)
        return (weight,) if self.nobias else (weight, Weight("bias", channels))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        multiply = Work("multiplies", (values_of(inputs[0]),))
        return (multiply,) if self.nobias else (multiply, Work("additions", (values_of(inputs[0]),)))

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS

    def connections(self, *inputs: Shape) -> Int:
        return 0 if self.nobias else inputs[0].values
