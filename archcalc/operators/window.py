"""The geometry that convolutions and pools share: padding, strides, rounding."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import Margin, ceil_div, maximum, require
from archcalc.operators.argument import Argument
from archcalc.operators.model import Geometry, Operator, Window
from archcalc.operators.shape import Shape, Sizes
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

PADDING = Argument("p", "padding", "zeros on both sides; `p0:1` before:after", 0)
HALF = Argument("half", "flag", "pad d·(k−1)/2 on both sides; odd kernels only", False)
SAME = Argument("same", "flag", "output is ceil(input/stride), odd pixel at the end", False)
DILATION = Argument("d", "pair", "dilation", 1)
GROUPS = Argument("g", "size", "groups", 1)
NOBIAS = Argument("nobias", "flag", "no bias", False)


class WindowAxis(NamedTuple):
    """One axis of a sliding window: the output's size and the zeros before the input."""

    output: Int
    before: Int


class Windowed(Operator):
    """An operator that slides a window, with those of k, s, p, d, half, same and ceil that it has."""

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

    def axes(self, x: Shape) -> tuple[WindowAxis, ...]:
        """Each axis of the output, with the padding before it.

        Raises:
            ShapeError: the window has other axes, or is larger than the padded input.
        """
        return tuple(self._axis(axis, size, x.axes[axis]) for axis, size in enumerate(x.extents))

    def outputs(self, x: Shape, channels: Int) -> Shape:
        """The output of so many channels."""
        return Shape(*(axis.output for axis in self.axes(x)), channels)

    def geometry(self, *inputs: Shape) -> Geometry:
        return Window(self.k, self.s, tuple(axis.before for axis in self.axes(inputs[0])), self.d)

    def _axis(self, axis: int, size: Int, name: str) -> WindowAxis:
        stride, span = self.s[axis], self.d[axis] * (self.k[axis] - 1) + 1
        if self.same:
            output = ceil_div(size, stride)
            return WindowAxis(output, maximum((output - 1) * stride + span - size, 0) // 2)
        half = (span - 1) // 2
        before, after = (half, half) if self.half else self.p[axis]
        room = size + before + after - span
        # rounding up, the last window may hang over the end, and Caffe and torch accept it if it is
        # the only one; they drop a window that would start in the padding after the input
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
        return WindowAxis(output, before)

    window_field = "k"


def _smaller(span: int, name: str, padded: int, dilation: int) -> str:
    largest = (padded - 1) // dilation + 1
    return f"a kernel of at most {largest}, padding (`half`), or a larger input"
