"""Execute convolutions as products of rows and columns that stay in the caches.

A unit of work is a band of output rows for a panel of filters. The band's input, zeros around it, is
copied to where it fits in a second cache (without padding it is read where it lies); then blocks of
weights that fit in a first cache meet all positions of the band. No patch is ever written out.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.compiled import THREADS, compiled, spread
from archcalc.execution.axes import Triple, lifted, volume_shape
from archcalc.execution.fast import product
from archcalc.execution.fast.direct import finish_row
from archcalc.execution.fast.finish import Finish
from archcalc.execution.fast.product import ROWS, VECTORS, lanes
from archcalc.execution.model import Array
from archcalc.execution.reference.windows import zeros_around
from archcalc.tuples import NamedTuple

Maps = tuple[int, ...]  # images × frames × height × width × channels
BLOCK = 128  # values of a filter at a time: with VECTORS columns, at most two thirds of a first cache
POSITIONS = 512  # of a band: its sums are an eighth of a second cache
LEAST = 64  # or weights are read for too little
UNITS = 8  # for each thread, where there are so many
GRAIN = 1 << 22  # products that are worth a call


class Cut(NamedTuple):
    """How to cut a convolution from maps `x` to maps `y`; `k`, `s` and `d` are its kernel's.

    `rows` of output make a band. `padded` are the frames, height and width of its input's copy, zeros if
    it needs none; `pixel` the channels that are copied. With `each`, every channel has its own kernel.
    """

    x: Maps
    y: Maps
    k: Triple
    s: Triple
    d: Triple
    before: Triple
    rows: int
    padded: Triple
    pixel: int
    each: bool

    @property
    def sums(self) -> int:
        """Values of scratch memory for the sums of a unit."""
        return -(-self.rows * self.y[3] // ROWS) * ROWS * VECTORS * lanes(4)

    @property
    def scratch(self) -> int:
        """Scratch values that each thread needs; a vector may be read beyond the copy."""
        return self.sums + prod(self.padded) * self.pixel + lanes(4)


class Panels(NamedTuple):
    """Packed weights of `inside` channels a group, in panels of `columns` filters."""

    values: Array
    inside: int
    columns: int


class Runs(NamedTuple):
    """Where the values under a kernel lie side by side: from `offsets` on, so many of them."""

    offsets: Array
    lengths: Array


def is_depthwise(operator: Any, channels: int) -> bool:
    """Return whether every channel has its own kernel."""
    return bool(operator.g == operator.filters == channels > 1)


def cut(operator: Any, x: Maps, y: Maps) -> Cut:
    """Choose bands that fit the caches, but enough of them for all threads."""
    before = lifted(zeros_around(operator, x)[0], 0)
    k, s, d = lifted(operator.k, 1), lifted(operator.s, 1), lifted(operator.d, 1)
    if k == s == (1, 1, 1) and x[:-1] == y[:-1]:  # positions are all alike
        x, y = ((1, 1, prod(maps[:-1]), 1, maps[-1]) for maps in (x, y))
    x, y = volume_shape(x), volume_shape(y)
    each, columns = is_depthwise(operator, x[4]), VECTORS * lanes(4)
    groups = 1 if each else operator.g
    panels = -(-y[4] // groups // columns) * groups
    share = prod(y[:4]) * panels // (THREADS * UNITS)
    most = min(y[2], max(1, min(max(share, LEAST), POSITIONS) // y[3]))
    rows = int(-(-y[2] // -(-y[2] // most)))  # as even as they can be
    frames, height, width = (
        (count - 1) * s[i] + d[i] * (k[i] - 1) + 1 for i, count in enumerate((y[1], rows, y[3]))
    )
    below = (y[2] - rows) * s[1] + height
    fits = frames <= x[1] and below <= x[2] and width <= x[3]
    as_it_is = not each and not any(before) and fits
    padded = (0, 0, 0) if as_it_is else (k[0], height, width)
    return Cut(x, y, k, s, d, before, rows, padded, min(x[4], columns) if each else x[4], each)


def pack(weight: Array, groups: int) -> Array:
    """Pack groups × values: panels of columns in sequence, padded with zeros to whole vectors.

    `weight` is kernel × channels of a group × filters.
    """
    wide, (*k, inside, filters) = lanes(weight.itemsize), weight.shape
    outside, depth = filters // groups, prod(k) * inside
    packed = np.zeros(_packed_shape(k, inside, filters, groups, weight.itemsize), weight.dtype)
    padded = packed.shape[1] // depth
    for group in range(groups):
        mine = weight.reshape(depth, -1)[:, group * outside : (group + 1) * outside]
        for first in range(0, outside, VECTORS * wide):
            some = mine[:, first : first + VECTORS * wide]
            panel = packed[group, first * depth :][: depth * min(VECTORS * wide, padded - first)]
            panel.reshape(depth, -1)[:, : some.shape[1]] = some
    return packed


def _packed_shape(k: Any, inside: int, filters: int, groups: int, itemsize: int) -> tuple[int, int]:
    wide = lanes(itemsize)
    return groups, prod(k) * inside * -(-filters // groups // wide) * wide


def convolve(
    operator: Any, x: Array, packed: Array, inside: int, y: Array, finish: Finish, scratch: Array
) -> None:
    """Compute `y` from packed weights of `inside` channels per group; each thread has scratch for a cut.

    Raises:
        ValueError: the arrays do not fit each other; the compiled loops would not notice.
    """
    plan = cut(operator, x.shape, y.shape)
    groups = 1 if plan.each else operator.g
    if packed.shape != _packed_shape(operator.k, inside, y.shape[-1], groups, packed.itemsize):
        raise ValueError("weights for another convolution")
    channels = y.shape[-1] if plan.each else inside * groups
    if (x.shape[-1] != channels and operator.table is None) or finish.term.shape != y.shape[-1:]:
        raise ValueError("channels of another convolution")
    x, y = x.reshape(plan.x), y.reshape(plan.y)
    weights = Panels(packed, inside, VECTORS * lanes(x.itemsize))
    panels = -(-plan.y[4] // len(packed) // weights.columns)
    units = plan.y[0] * plan.y[1] * -(-plan.y[2] // plan.rows) * len(packed) * panels
    free = list(scratch[: THREADS * plan.scratch].reshape(THREADS, -1))

    def share(begin: int, end: int) -> None:
        mine = free.pop()
        _units(plan, x, weights, y, finish, (mine[: plan.sums], mine[plan.sums :]), begin, end)
        free.append(mine)

    products = plan.rows * plan.y[3] * packed.size // len(packed) // panels  # of a unit, with zeros
    spread(share, units, grain=GRAIN // (8 * products if plan.each else products))


@compiled
def _units(
    plan: Cut, x: Array, weights: Panels, y: Array, finish: Finish, room: tuple[Array, Array],
    begin: int, end: int,
) -> None:  # fmt: skip
    """Run units of work; `room` holds the sums of one, and its input's copy."""
    rows, padded, pixel = plan.rows, plan.padded, plan.pixel
    (packed, inside, columns), (sums, copy) = weights, room
    groups, outside = packed.shape[0], y.shape[4] // packed.shape[0]
    panels, bands = -(-outside // columns), -(-y.shape[2] // rows)
    values, stride = x.reshape(-1), x.shape[3] * pixel
    leap = plan.d[0] * x.shape[2] * stride
    if padded[0]:
        values, stride = copy, padded[2] * pixel
        leap = padded[1] * stride
    runs = _runs(plan.k, plan.d, leap, stride, pixel, inside)
    begins = np.empty(sums.size // columns, np.int64)
    copied = -1
    for unit in range(begin, end):
        band, group, panel = unit // (panels * groups), unit // panels % groups, unit % panels
        line, first, left = band // bands, band % bands * rows, panel * columns
        image, front = line // y.shape[1], line % y.shape[1] * plan.s[0]
        count = min(rows, y.shape[2] - first) * y.shape[3]
        origin = group * inside
        if not padded[0]:
            origin += ((image * x.shape[1] + front) * x.shape[2] + first * plan.s[1]) * stride
        elif plan.each or copied != band:
            channel, top = left if plan.each else 0, first * plan.s[1] - plan.before[1]
            _copy_frames(plan, x[image], front - plan.before[0], top, channel, copy)
            copied = band
        _step_off(begins, origin, y.shape[3], count, plan.s[1] * stride, plan.s[2] * pixel)
        right = min(left + columns, outside)
        vectors = -(-(right - left) * VECTORS // columns)
        width, tiles = vectors * (columns // VECTORS), -(-count // ROWS)
        found = sums[: tiles * ROWS * width]
        found[:] = 0
        panel_weights = packed[group, left * plan.k[0] * plan.k[1] * plan.k[2] * inside :]
        _multiply(values, begins, runs, panel_weights, found, tiles, vectors, plan.each)
        left, right = group * outside + left, group * outside + right
        target = y.reshape(-1, y.shape[4])[(line * y.shape[2] + first) * y.shape[3] :]
        _finish_band(finish, sums, width, target, count, left, right)


@compiled
def _finish_band(
    finish: Finish, sums: Array, width: int, y: Array, count: int, left: int, right: int
) -> None:
    factor, term = finish.factor[left:right], finish.term[left:right]
    for i in range(count):
        results = sums[i * width : (i + 1) * width]
        finish_row(results, y[i, left:right], factor, term, finish.low, finish.high)


@compiled
def _step_off(begins: Array, origin: int, columns: int, count: int, down: int, across: int) -> None:
    """Return where the windows of a band begin; positions past the last repeat it."""
    for i in range(0, count, columns):
        for column in range(columns):
            begins[i + column] = origin + i // columns * down + column * across
    begins[count:] = begins[count - 1]


@compiled
def _runs(k: Triple, d: Triple, leap: int, stride: int, pixel: int, inside: int) -> Runs:
    """Return the runs of a kernel, each up to a block; `leap` is the distance of its frames."""
    taps, length = k[2], inside
    if inside == pixel and d[2] == 1:
        taps, length = 1, k[2] * inside
    pieces = -(-length // BLOCK)
    offsets = np.empty(k[0] * k[1] * taps * pieces, np.int64)
    lengths = np.empty(offsets.size, np.int64)
    for run in range(offsets.size):
        row, v, piece = run // (taps * pieces), run // pieces % taps, run % pieces
        start, frame, u = length * piece // pieces, row // k[1], row % k[1]
        offsets[run] = frame * leap + u * d[1] * stride + v * d[2] * pixel + start
        lengths[run] = length * (piece + 1) // pieces - start
    return Runs(offsets, lengths)


@compiled
def _copy_frames(plan: Cut, x: Array, front: int, top: int, channel: int, copy: Array) -> None:
    """Copy the input of a band: the part of each frame from `front` on that the kernel reads."""
    size = plan.padded[1] * plan.padded[2] * plan.pixel
    for tap in range(plan.padded[0]):
        frame, part = front + tap * plan.d[0], copy[tap * size : (tap + 1) * size]
        if 0 <= frame < len(x):
            _copy_padded(x[frame], top, plan.before[2], channel, plan.padded[1:], plan.pixel, part)
        else:
            part[:] = 0


@compiled
def _copy_padded(
    x: Array, top: int, left: int, channel: int, size: tuple[int, int], pixel: int, copy: Array
) -> None:
    """Copy channels from `channel`, rows from `top`, columns from −`left`; zeros beyond the edges."""
    height, width, channels = x.shape
    some, right = min(pixel, channels - channel), min(size[1] - left, width)
    for row in range(size[0]):
        target = copy[row * size[1] * pixel : (row + 1) * size[1] * pixel]
        if not 0 <= top + row < height:
            target[:] = 0
            continue
        target[: left * pixel] = 0
        target[(left + right) * pixel :] = 0
        inner = target[left * pixel : (left + right) * pixel]
        source = x.reshape(-1)[(top + row) * width * channels + channel :]
        if some == channels:
            _copy(source, inner)
        else:
            for column in range(right):
                begin = column * pixel
                _copy(source[column * channels :], inner[begin : begin + some])


@compiled
def _copy(x: Array, y: Array) -> None:
    for i in range(y.size):
        y[i] = x[i]


@compiled
def _multiply(
    x: Array, begins: Array, runs: Runs, weight: Array, sums: Array, tiles: int, vectors: int, each: bool
) -> None:
    """Multiply block after block of the weights with all tiles of ROWS positions."""
    (offsets, lengths), width = runs, sums.size // (tiles * ROWS)
    start = at = 0
    while start < offsets.size:
        stop, length = start + 1, lengths[start]
        while stop < offsets.size and length + lengths[stop] <= BLOCK:
            length += lengths[stop]
            stop += 1
        for tile in range(tiles):
            first, to = tile * ROWS, tile * ROWS * width
            product.step(
                x, begins, first, offsets, lengths, start, stop, weight, at, sums, to, vectors, each
            )
        at += length * width
        start = stop
