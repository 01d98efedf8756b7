"""Sliding windows, which convolutions and pools share: padding, stride, dilation, rounding."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import Margin, ceil_div, maximum, require
from archcalc.operators.argument import Argument
from archcalc.operators.model import Geometry, Operator, Window
from archcalc.operators.shape import Shape, Sizes
from archcalc.symbols import Int

PADDING = Argument("p", "padding", "zeros on both sides; `p0:1` before:after", 0)
HALF = Argument("half", "flag", "pad d·(k−1)/2 on both sides; odd kernels only", False)
SAME = Argument("same", "flag", "output is ceil(input/stride), odd pixel at the end", False)
DILATION = Argument("d", "pair", "dilation", 1)
GROUPS = Argument("g", "size", "groups", 1)
NOBIAS = Argument("nobias", "flag", "no bias", False)


class Windowed(Operator):
    """The base of operators that slide a window; each takes some of k, s, p, d, half, same and ceil."""

    k: Sizes
    s: Sizes
    p: tuple[Margin, ...]
    d: Sizes
    half: bool
    same: bool
    ceil: bool = False

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        self.d = getattr(self, "d", (1,) * self.rank)
        if self.half:
            for size in getattr(self, self.window_field):
                require(
                    size % 2 == 1,
                    "`half` padding needs an odd kernel, not {size}",
                    "half",
                    lambda size: "use `same`, or write the padding: `p1`",
                    size=size,
                )

    def outputs(self, x: Shape, channels: Int) -> Shape:
        """Return the shape of the output, with so many channels.

        Raises:
            ShapeError: the window is larger than the padded input.
        """
        sizes = (self._output(axis, size, x.axes[axis]) for axis, size in enumerate(x.extents))
        return Shape(*sizes, channels)

    def before(self, x: Shape) -> Sizes:
        """Return the padding before the input, along each axis."""
        return tuple(self._before(axis, size) for axis, size in enumerate(x.extents))

    def geometry(self, *inputs: Shape) -> Geometry:
        return Window(self.k, self.s, self.before(inputs[0]), self.d)

    def _span(self, axis: int) -> Int:
        return self.d[axis] * (self.k[axis] - 1) + 1

    def _before(self, axis: int, size: Int) -> Int:
        stride, span = self.s[axis], self._span(axis)
        if self.same:
            return maximum((ceil_div(size, stride) - 1) * stride + span - size, 0) // 2
        return (span - 1) // 2 if self.half else self.p[axis].before

    def _output(self, axis: int, size: Int, name: str) -> Int:
        stride, span = self.s[axis], self._span(axis)
        if self.same:
            return ceil_div(size, stride)
        half = (span - 1) // 2
        before, after = (half, half) if self.half else self.p[axis]
        room = size + before + after - span
        # with `ceil`, the last window may reach beyond the padded input; as in Caffe and torch, one that
        # would start in the padding after the input is dropped
        output = room // stride + 1
        if self.ceil:
            output = ceil_div(room, stride) + 1
            output = output - ((output - 1) * stride >= size + before)
        require(
            output >= 1,
            "a window of {span} does not fit the {name} of {padded}",
            self.window_field,
            _smaller,
            span=span,
            name=name,
            padded=size + before + after,
            dilation=self.d[axis],
        )
        return output

    window_field = "k"


def _smaller(span: int, name: str, padded: int, dilation: int) -> str:
    largest = (padded - 1) // dilation + 1
    return f"a kernel of at most {largest}, padding (`half`), or a larger input"
