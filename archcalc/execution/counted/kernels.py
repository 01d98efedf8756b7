"""Compile the loop nests, with each step counted on the number that it computed.

The steps are in `steps`, with the reason why their counts are true. Each kernel does a share of the
rows or units, so that threads need no common counter.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import compiled
from archcalc.execution.counted.steps import (
    add,
    add_each,
    add_squares,
    copy,
    enlarge,
    increase,
    store,
    store_each,
)

Array: TypeAlias = Any  # an ndarray of float32
Pair: TypeAlias = tuple[int, int]  # products and additions
Triple: TypeAlias = tuple[int, int, int]


@compiled
def conv_rows(x: Array, w: Array, y: Array, s: Triple, d: Triple, begin: int, end: int) -> Pair:
    """x: images × frames × height × width × groups × channels.

    w: kernel × channels × groups × filters.
    """
    products, additions = 0, 0
    for row in range(begin, end):
        image, frame, line = _place(row, y)
        front, top = frame * s[0], line * s[1]
        for g in range(w.shape[4]):
            for tap in range(w.shape[0] * w.shape[1] * w.shape[2]):
                t, u, v = _tap(tap, w)
                for c in range(w.shape[3]):
                    for j in range(y.shape[3]):
                        value = x[image, front + t * d[0], top + u * d[1], j * s[2] + v * d[2], g, c]
                        weights, outputs = w[t, u, v, c, g], y[image, frame, line, j, g]
                        if tap == c == 0:
                            products += store(value, weights, outputs)
                        else:
                            done = add(value, weights, outputs)
                            products += done[0]
                            additions += done[1]
    return products, additions


@compiled
def depthwise_rows(x: Array, w: Array, y: Array, s: Triple, d: Triple, begin: int, end: int) -> Pair:
    """x: images × frames × height × width × channels; w: kernel × channels."""
    products, additions = 0, 0
    for row in range(begin, end):
        image, frame, line = _place(row, y)
        front, top = frame * s[0], line * s[1]
        for tap in range(w.shape[0] * w.shape[1] * w.shape[2]):
            t, u, v = _tap(tap, w)
            for j in range(y.shape[3]):
                values = x[image, front + t * d[0], top + u * d[1], j * s[2] + v * d[2]]
                weights, outputs = w[t, u, v], y[image, frame, line, j]
                if tap == 0:
                    products += store_each(values, weights, outputs)
                else:
                    done = add_each(values, weights, outputs)
                    products += done[0]
                    additions += done[1]
    return products, additions


@compiled
def deconv_rows(x: Array, w: Array, y: Array, s: Triple, d: Triple, begin: int, end: int) -> Pair:
    """Spread each value over a window of y, the transpose of `conv_rows`; each row takes its part."""
    products, additions = 0, 0
    for row in range(begin, end):
        image, back, bottom = _place(row, y)
        for g in range(w.shape[4]):
            touched = np.zeros(y.shape[3], np.bool_)
            for tap in range(w.shape[0] * w.shape[1] * w.shape[2]):
                t, u, v = _tap(tap, w)
                frame, i = (back - t * d[0]) // s[0], (bottom - u * d[1]) // s[1]
                if not (0 <= frame < x.shape[1] and frame * s[0] + t * d[0] == back):
                    continue
                if not (0 <= i < x.shape[2] and i * s[1] + u * d[1] == bottom):
                    continue
                for c in range(w.shape[3]):
                    for j in range(x.shape[3]):
                        at = j * s[2] + v * d[2]
                        value = x[image, frame, i, j, g, c]
                        weights, outputs = w[t, u, v, c, g], y[image, back, bottom, at, g]
                        if not touched[at]:
                            products += store(value, weights, outputs)
                            touched[at] = True
                        else:
                            done = add(value, weights, outputs)
                            products += done[0]
                            additions += done[1]
    return products, additions


@compiled
def _place(row: int, y: Array) -> Triple:
    """Return the image, frame and line of a row, counted over all images."""
    return row // (y.shape[1] * y.shape[2]), row // y.shape[2] % y.shape[1], row % y.shape[2]


@compiled
def _tap(number: int, w: Array) -> Triple:
    """Return the frame, row and column of a tap of the kernel."""
    return number // (w.shape[1] * w.shape[2]), number // w.shape[2] % w.shape[1], number % w.shape[2]


@compiled
def sample_rows(x: Array, around: Array, shares: Array, y: Array, begin: int, end: int) -> Pair:
    """Sum each row's neighbors, times their shares; x: places × channels, `around`: rows × neighbors."""
    multiplies, additions = 0, 0
    for row in range(begin, end):
        for n in range(around.shape[1]):
            if n == 0:
                multiplies += store(shares[row, n], x[around[row, n]], y[row])
            else:
                done = add(shares[row, n], x[around[row, n]], y[row])
                multiplies += done[0]
                additions += done[1]
    return multiplies, additions


@compiled
def linear_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """Multiply x (tokens × channels) by w (channels × units)."""
    products, additions = 0, 0
    for token in range(x.shape[0]):
        for c in range(x.shape[1]):
            weights, outputs = w[c, begin:end], y[token, begin:end]
            if c == 0:
                products += store(x[token, c], weights, outputs)
            else:
                done = add(x[token, c], weights, outputs)
                products += done[0]
                additions += done[1]
    return products, additions


@compiled
def rbf_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """Sum squared differences of x (images × channels) and w (channels × units), beginning at 0."""
    squares, additions = 0, 0
    for image in range(x.shape[0]):
        for c in range(x.shape[1]):
            done = add_squares(x[image, c], w[c, begin:end], y[image, begin:end])
            squares += done[0]
            additions += done[1]
    return squares, additions


@compiled
def pool_rows(
    x: Array, y: Array, k: Triple, s: Triple, d: Triple, largest: bool, begin: int, end: int
) -> tuple[int]:
    """x: images × frames × height × width × channels."""
    steps = 0
    for row in range(begin, end):
        image, frame, line = _place(row, y)
        front, top = frame * s[0], line * s[1]
        for t in range(k[0]):
            for u in range(k[1]):
                for v in range(k[2]):
                    for j in range(y.shape[3]):
                        tap = x[image, front + t * d[0], top + u * d[1], j * s[2] + v * d[2]]
                        outputs = y[image, frame, line, j]
                        if t == u == v == 0:
                            copy(tap, outputs)
                        elif largest:
                            steps += enlarge(tap, outputs)
                        else:
                            steps += increase(tap, outputs)
    return (steps,)


@compiled
def product_rows(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """Multiply matrices × rows × channels by matrices × channels × columns, pair by pair."""
    products, additions = 0, 0
    for number in range(begin, end):
        matrix, row = number // x.shape[1], number % x.shape[1]
        for c in range(x.shape[2]):
            weights, outputs = w[matrix, c], y[matrix, row]
            if c == 0:
                products += store(x[matrix, row, c], weights, outputs)
            else:
                done = add(x[matrix, row, c], weights, outputs)
                products += done[0]
                additions += done[1]
    return products, additions


@compiled
def largest_rows(x: Array, y: Array, begin: int, end: int) -> tuple[int]:
    """Return the largest value of each row; x: rows × values."""
    comparisons = 0
    for row in range(begin, end):
        largest = x[row, 0]
        for i in range(1, x.shape[1]):
            largest = x[row, i] if x[row, i] > largest else largest
            comparisons += largest == largest
        y[row] = largest
    return (comparisons,)


@compiled
def softmax_rows(x: Array, largest: Array, y: Array, begin: int, end: int) -> tuple[int, int, int]:
    """Compute exp(x − largest) / Σ exp(x − largest); x: rows × values. Counts each kind of step."""
    exponentials, additions, divisions = 0, 0, 0
    for row in range(begin, end):
        for i in range(x.shape[1]):
            below = x[row, i] - largest[row]
            additions += below == below
            rise = np.exp(below)
            y[row, i] = rise
            exponentials += rise == rise
        total = y[row, 0]
        for i in range(1, x.shape[1]):
            total = total + y[row, i]
            additions += total == total
        for i in range(x.shape[1]):
            share = y[row, i] / total
            y[row, i] = share
            divisions += share == share
    return exponentials, additions, divisions


@compiled
def turn_rows(x: Array, cosine: Array, sine: Array, y: Array, begin: int, end: int) -> Pair:
    """Turn pairs (i, i + half) by the angles of a row's place; x: rows × channels, places in turn."""
    multiplies, additions = 0, 0
    half = cosine.shape[1]
    for row in range(begin, end):
        place = row % len(cosine)
        for i in range(half):
            first, second = x[row, i], x[row, i + half]
            a, b = first * cosine[place, i], second * sine[place, i]
            c, d = second * cosine[place, i], first * sine[place, i]
            low, high = a - b, c + d
            y[row, i], y[row, i + half] = low, high
            multiplies += (a == a) + (b == b) + (c == c) + (d == d)
            additions += (low == low) + (high == high)
    return multiplies, additions


@compiled
def bias(y: Array, terms: Array) -> int:
    """Add a bias at every position."""
    additions = 0
    for position in range(y.shape[0]):
        for o in range(y.shape[1]):
            total = y[position, o] + terms[o]
            y[position, o] = total
            additions += total == total
    return additions


@compiled
def scale(y: Array, factors: Array) -> int:
    """Multiply the channels of each place by its factor; y: places × channels."""
    multiplies = 0
    for place in range(len(y)):
        for channel in range(y.shape[1]):
            product = y[place, channel] * factors[place]
            y[place, channel] = product
            multiplies += product == product
    return multiplies
