"""Resampling to more or fewer positions: an output is made of the values around its place."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import maximum, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.model import FREE, Extent, Geometry, Repeat, Samples, Work, values_of
from archcalc.operators.reshaping import Rearrangement
from archcalc.operators.shape import Shape, Sizes
from archcalc.symbols import Int

MODES = (
    Argument("bilinear", "flag", "linear between the neighbors along each axis, not the nearest", False),
    Argument("bicubic", "flag", "cubic between the 4 × 4 neighbors of a map", False),
    Argument("corners", "flag", "the first and last values keep their places", False),
)


class Resampling(Rearrangement):
    """The base of operators that take values between positions."""

    bilinear: bool
    bicubic: bool
    corners: bool

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        if self.bilinear and self.bicubic:
            raise ShapeError("`bilinear` and `bicubic` contradict each other", "bicubic")
        if self.bicubic and self.rank != 2:
            message = f"`bicubic` takes a map, not {self.rank} ax{'i' if self.rank == 1 else 'e'}s"
            raise ShapeError(message, "bicubic", "`bilinear` goes along one, two or three")
        if self.corners and not (self.bilinear or self.bicubic):
            help = "the nearest value has no corners: write `bilinear corners`, or leave it out"
            raise ShapeError("`corners` needs `bilinear` or `bicubic`", "corners", help)

    @property
    def taps(self) -> int:
        """Neighbors along each axis."""
        return 4 if self.bicubic else 2 if self.bilinear else 1

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        if self.taps == 1:
            return FREE
        y = self.output_shape(*inputs)
        outputs = values_of(y, "outputs")
        neighbors = Extent("neighbors", tuple((f"neighbors by {axis}", self.taps) for axis in y.axes))
        sums = Extent("sums", (("neighbors − 1", neighbors.size - 1),))
        return Work("multiplies", (outputs, neighbors)), Work("additions", (outputs, sums))

    def geometry(self, *inputs: Shape) -> Geometry:
        x, y = inputs[0].extents, self.output_shape(*inputs).extents
        taps = (self.taps,) * self.rank
        lines: list[tuple[Int, Int, Int]]
        if self.corners:  # output o at o·(n − 1)/(m − 1)
            lines = [(n - 1, 0, maximum(m - 1, 1)) for n, m in zip(x, y, strict=True)]
        elif self.taps == 1:  # at ⌊o·n/m⌋
            lines = [(n, 0, m) for n, m in zip(x, y, strict=True)]
        else:  # at (o + ½)·n/m − ½
            lines = [(2 * n, n - m, 2 * m) for n, m in zip(x, y, strict=True)]
        step, start, unit = zip(*lines, strict=True)
        return Samples(step, start, unit, taps)


class Upsample(Resampling):
    """Each value repeated `factor` × `factor` times (nearest neighbor), or values interpolated.

    `bilinear` sums 2 neighbors along each axis: 4 multiplies and 3 additions per value of a map (2 and 1
    of a sequence, 8 and 7 of a volume); `bicubic` takes 16 and 15. The weights of a position are the
    same for all channels and images, and are not counted. Output o is at (o + ½)/factor − ½, as in
    torch; with `corners` (align_corners), the first and last values keep their places.
    """

    name = "upsample"
    arguments = (Argument("factor", "pair", "times down and across"), *MODES)

    factor: Sizes

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        sizes = (n * factor for n, factor in zip(x.extents, self.factor, strict=True))
        return Shape(*sizes, x.channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        return Repeat(self.factor) if self.taps == 1 else super().geometry(*inputs)


class Resize(Resampling):
    """The map at another size, or at that of `@label`: `resize 65x65`, `resize @e4`.

    Output o of m is input ⌊o·n/m⌋ of n, as in torch's interpolate. `bilinear` and `bicubic` interpolate
    at (o + ½)·n/m − ½; with `corners` (align_corners), at o·(n − 1)/(m − 1). `bilinear` sums 2 neighbors
    along each axis: 4 multiplies and 3 additions per value of a map (2 and 1 of a sequence, 8 and 7 of a
    volume); `bicubic` takes 16 and 15 (A = −0.75). The labeled tensor stays alive, for its size alone.
    """

    name = "resize"
    arguments = (
        Argument("size", "pair", "positions of the output", None, positional=True),
        *MODES,
    )
    labels = (0, 1)

    size: Sizes | None

    def output_shape(self, *inputs: Shape) -> Shape:
        x, *others = inputs
        if (self.size is None) != bool(others):
            what = "a size or a @label" if self.size is None else "a size or a @label, not both"
            help = "as in `resize 65x65`, or `resize @e4` for the size of another tensor"
            raise ShapeError(f"`resize` takes {what}", "size", help)
        for like in others:
            require(
                like.rank == x.rank,
                "cannot resize {x} to the size of {like}",
                help=lambda x, like: "both must have as many axes",
                x=x,
                like=like,
            )
        return Shape(*(self.size or others[0].extents), x.channels)
