"""Compute one axis of a receptive field, through windows, upsampling and other geometries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from archcalc.operators.model import Cells, Grid, Repeat, Samples, Spread, Window
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

LONGEST_PERIOD = 1_024  # outputs; a longer period counts as the whole image

Ends = tuple[Any, Any]  # integers or symbols: the first and last pixel that an output sees


class FieldAxis(NamedTuple):
    """One axis of a map's receptive field, in pixels of the image. It repeats with a period of outputs.

    Attributes:
        ends: the first and last pixel that each output of a period sees; None: it sees nothing.
        advance: the pixels from one period to the next.
        outputs: the number of outputs, if the field depends on the size of the map (adaptive cells);
            else 0, and the field is that of a map without borders.
    """

    ends: tuple[Ends | None, ...]
    advance: int
    outputs: int = 0

    @property
    def stride(self) -> Fraction:
        """The mean number of pixels from one output to the next."""
        from fractions import Fraction

        return Fraction(self.advance, len(self.ends))

    @property
    def size(self) -> int:
        """The most pixels that one output sees."""
        there = self.ends[: self.outputs or None]
        return max((high - low + 1 for low, high in filter(None, there)), default=0)

    @property
    def padding(self) -> int:
        """The pixels before the image that the first output sees."""
        return -min((low for low, _ in filter(None, self.ends[:1])), default=0)

    @property
    def offset(self) -> Fraction:
        """The center of what the first output sees, in pixels from the center of the first pixel.

        Outputs that see nothing, as after a sparse transposed conv, are passed over.
        """
        from fractions import Fraction

        return next((Fraction(sum(ends), 2) for ends in self.ends if ends), Fraction(0))

    def seen(self, output: int) -> Ends | None:
        """Return the first and last pixel that an output sees; it may be negative, in the padding."""
        periods, phase = divmod(output, len(self.ends))
        ends = self.ends[phase]
        return (ends[0] + periods * self.advance, ends[1] + periods * self.advance) if ends else None

    def over(self, period: int) -> Sequence[Ends | None]:
        """Return what the outputs of one or more periods see."""
        return self.ends if period == len(self.ends) else [self.seen(o) for o in range(period)]


def through(geometry: object, axis: int, source: FieldAxis) -> FieldAxis | None:
    """Return the field of the output, on one axis, from that of the input; None: the whole image."""
    if isinstance(geometry, Window):
        reach = (geometry.kernel[axis] - 1) * geometry.dilation[axis]
        step = int(geometry.dilation[axis])
        return _slide(source, int(geometry.stride[axis]), -geometry.before[axis], reach, step)
    if isinstance(geometry, Grid):
        return _gather(source, int(geometry.window[axis]), int(geometry.start[axis]))
    if isinstance(geometry, Cells):
        return _cells(source, int(geometry.inputs[axis]), int(geometry.outputs[axis]))
    if isinstance(geometry, Repeat):
        return _repeat(source, int(geometry.factor[axis]))
    if isinstance(geometry, Samples):
        return _sample(source, *(int(sizes[axis]) for sizes in geometry))
    assert isinstance(geometry, Spread)
    return _spread(source, *(int(sizes[axis]) for sizes in geometry))


def _slide(source: FieldAxis, stride: int, start: Int, reach: Int, step: int) -> FieldAxis | None:
    """Let output o read the inputs o·stride + start + i·step, up to `reach` after the first."""
    if len(source.ends) == 1 and source.ends[0]:  # nearly always, and quick
        (low, high), advance = source.ends[0], source.advance
        return FieldAxis(((low + start * advance, high + (start + reach) * advance),), advance * stride)
    start, reach, seen = int(start), int(reach), _stretches(source)
    period = lcm(len(source.ends), stride) // stride
    begins = (output * stride + start for output in range(period))
    ends = tuple(seen(begin, begin + reach, step) for begin in begins)
    return FieldAxis(ends, source.advance * stride * period // len(source.ends))


def _gather(source: FieldAxis, window: int, start: int) -> FieldAxis | None:
    """Let output o read all of the window that it is in; one of the windows begins at `start`."""
    period = lcm(len(source.ends), window)
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    begins = ((output - start) // window * window + start for output in range(period))
    ends = tuple(seen(begin, begin + window - 1, 1) for begin in begins)
    return FieldAxis(ends, source.advance * period // len(source.ends))


def _cells(source: FieldAxis, inputs: int, outputs: int) -> FieldAxis | None:
    """Let output o read the inputs from ⌊o·inputs/outputs⌋ to ⌈(o + 1)·inputs/outputs⌉ − 1."""
    step = inputs // gcd(inputs, outputs)  # inputs until the cells repeat
    advance = lcm(step, len(source.ends))
    period = advance * outputs // inputs
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    ends = tuple(
        seen(o * inputs // outputs, -(-(o + 1) * inputs // outputs) - 1, 1) for o in range(period)
    )
    return FieldAxis(ends, source.advance * advance // len(source.ends), outputs)


def _sample(source: FieldAxis, step: int, start: int, unit: int, taps: int) -> FieldAxis | None:
    """Let output o read the `taps` inputs around (o·step + start) / unit."""
    known = len(source.ends)
    common = gcd(step, unit)
    advance = lcm(step // common, known)  # inputs until the outputs repeat
    period = advance * unit // step if step else unit + 1  # a step of 0: all are at one input
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)

    def of(place: int) -> Ends | None:
        low = place // unit
        alone = taps == 1 or place % unit == 0
        return seen(low, low, 1) if alone else seen(low - taps // 2 + 1, low + taps // 2, 1)

    ends = tuple(of(output * step + start) for output in range(period))
    return FieldAxis(ends, source.advance * max(advance, 1) // known)


def _repeat(source: FieldAxis, factor: int) -> FieldAxis | None:
    """Let output o read input o // factor."""
    period = len(source.ends) * factor
    if period > LONGEST_PERIOD:
        return None
    return FieldAxis(tuple(source.ends[output // factor] for output in range(period)), source.advance)


def _spread(source: FieldAxis, kernel: int, stride: int, pad: int, dilation: int) -> FieldAxis | None:
    """Let output o read the inputs i with o + pad = i·stride + t·dilation for a tap t of the kernel."""
    period = len(source.ends) * stride
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    common = gcd(stride, dilation)
    step = dilation // common  # from one such input to the next

    def of(place: int) -> Ends | None:
        if place % common:
            return None
        place, pace = place // common, stride // common
        last = place // pace - (place // pace - place * pow(pace, -1, step)) % step
        least = -((step * (kernel - 1) - place) // pace)
        return seen(last - (last - least) // step * step, last, step)

    return FieldAxis(tuple(of(output + pad) for output in range(period)), source.advance)


def _stretches(source: FieldAxis) -> Callable[[int, int, int], Ends | None]:
    """Return a function of (first, last, step) that gives what these outputs see together.

    Its cost does not depend on their number.
    """
    period, known = len(source.ends), source.ends
    following = [*known[1:], source.seen(period)]
    integers = all(ends and type(ends[0]) is type(ends[1]) is int for ends in known)
    if integers and all(
        a[0] <= b[0] and a[1] <= b[1] for a, b in zip(known, following, strict=True) if a and b
    ):

        def ordered(first: int, last: int, step: int) -> Ends | None:
            low, high = source.seen(first), source.seen(last)
            return (low[0], high[1]) if low and high and first <= last else None

        return ordered

    def any_order(first: int, last: int, step: int) -> Ends | None:
        """Return what all see: the first period has the least pixel, the last period the greatest."""
        outputs = range(first, last + 1, step)
        ends = [*outputs[:period], *outputs[period:][-period:]]
        return hull([source.seen(output) for output in ends])

    return any_order


def hull(seen: Iterable[Ends | None]) -> Ends | None:
    """Return the first and last pixel that any of them sees; None if they see nothing."""
    ends = [s for s in seen if s]
    if not ends:
        return None
    lows, highs = zip(*ends, strict=True)
    return min(lows), max(highs)
