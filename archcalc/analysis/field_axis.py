"""One axis of a receptive field, and what becomes of it behind a window or an upsampling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from archcalc.operators.model import Cells, Grid, Repeat, Samples, Spread, Window
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from fractions import Fraction

LONGEST_PERIOD = 1_024

Ends = tuple[Any, Any]  # integers or symbols: the first and last pixel that an output sees


class FieldAxis(NamedTuple):
    """One axis of a map's field: `ends[o]` are the first and last pixel that output o sees.

    A period of `len(ends)` outputs advances `advance` pixels; None: an output that sees nothing.
    `outputs`: how many there are, behind cells that follow from the size of the map; else 0, and
    the figures are those of a map without borders.
    """

    ends: tuple[Ends | None, ...]
    advance: int
    outputs: int = 0

    @property
    def stride(self) -> Fraction:
        """Pixels from one output to the next."""
        from fractions import Fraction

        return Fraction(self.advance, len(self.ends))

    @property
    def size(self) -> int:
        """The most pixels that one output sees."""
        there = self.ends[: self.outputs or None]
        return max((high - low + 1 for low, high in filter(None, there)), default=0)

    @property
    def padding(self) -> int:
        """How far the first output reaches beyond the image."""
        return -min((low for low, _ in filter(None, self.ends[:1])), default=0)

    @property
    def offset(self) -> Fraction:
        """The center of what the first output sees, in pixels from the first pixel's center.

        Of the first that sees anything, behind a sparse transposed conv.
        """
        from fractions import Fraction

        return next((Fraction(sum(ends), 2) for ends in self.ends if ends), Fraction(0))

    def seen(self, output: int) -> Ends | None:
        """Return the first and last pixel that an output sees, also one before the first (padding)."""
        periods, phase = divmod(output, len(self.ends))
        ends = self.ends[phase]
        return (ends[0] + periods * self.advance, ends[1] + periods * self.advance) if ends else None


def through(geometry: object, axis: int, source: FieldAxis) -> FieldAxis | None:
    """Return the field behind a window or an upsampling, on one axis."""
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
    """Let output o read input o·stride + start and every `step` up to `reach` further."""
    if len(source.ends) == 1 and source.ends[0]:  # nearly always, and quick
        (low, high), advance = source.ends[0], source.advance
        return FieldAxis(((low + start * advance, high + (start + reach) * advance),), advance * stride)
    start, reach, seen = int(start), int(reach), _stretches(source)
    period = lcm(len(source.ends), stride) // stride
    begins = (output * stride + start for output in range(period))
    ends = tuple(seen(begin, begin + reach, step) for begin in begins)
    return FieldAxis(ends, source.advance * stride * period // len(source.ends))


def _gather(source: FieldAxis, window: int, start: int) -> FieldAxis | None:
    """Let output o read the whole window that it is in; one of the windows begins at `start`."""
    period = lcm(len(source.ends), window)
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    begins = ((output - start) // window * window + start for output in range(period))
    ends = tuple(seen(begin, begin + window - 1, 1) for begin in begins)
    return FieldAxis(ends, source.advance * period // len(source.ends))


def _cells(source: FieldAxis, inputs: int, outputs: int) -> FieldAxis | None:
    """Let output o read the inputs from ⌊o·inputs/outputs⌋ to ⌈(o + 1)·inputs/outputs⌉ − 1."""
    step = inputs // gcd(inputs, outputs)  # inputs until the cells lie alike again
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
    """Output o reads the inputs around (o·step + start) / unit."""
    known = len(source.ends)
    common = gcd(step, unit)
    advance = lcm(step // common, known)  # inputs until the outputs lie alike again
    period = advance * unit // step if step else unit + 1  # 0: all stand on one input
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
    """Return what every step-th output from first to last sees; no size in a text decides the cost."""
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
        """Return what all see: beyond a period, the first has the least pixel, the last one the most."""
        outputs = range(first, last + 1, step)
        ends = [*outputs[:period], *outputs[period:][-period:]]
        return hull([source.seen(output) for output in ends])

    return any_order


def hull(seen: Iterable[Ends | None]) -> Ends | None:
    """Return the stretch from the first pixel that any of them sees to the last."""
    ends = [s for s in seen if s]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None
