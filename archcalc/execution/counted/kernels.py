"""The loop nests, compiled, each step of them counted on the number that it has computed.

A closed form says how often the innermost statement runs. Here it runs, and a counter beside it says
how often. `count += 1` would prove nothing: the compiler replaces the loop by its closed form and
"counts" 120 million in a microsecond. So each count depends on the number that its step has computed:
`product = x * w; products += product == product`. A product may be NaN, which is not equal to itself,
so nobody who keeps to IEEE 754 knows the count without the product; `compiled` owns the options and
never allows anything else (fastmath). tests/execution/test_loops.py makes sure twice: in the optimized
code of each kernel every float operation stands beside a comparison of its result, and NaN in the data
lowers every count by exactly the steps that it reaches.

Innermost loops run over channels, which lie side by side, so that the compiler vectorizes them with
their counters: 32 bits in there, as wide as the floats, 64 outside.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import compiled

Array: TypeAlias = Any  # an ndarray of float32
Pair: TypeAlias = tuple[int, int]

ZERO: Any = np.int32(0)


# The steps: the innermost loop, over channels. The first product of a sum is stored, not added; that is
# a function of its own because a flag inside leaves reference counting in the nests, at 5 × the time.


@compiled
def _store(value: Any, w: Array, y: Array) -> Any:
    """y = value · w; how many products."""
    products = ZERO
    for o in range(y.size):
        product = value * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def _add(value: Any, w: Array, y: Array) -> Any:
    """y += value · w; how many products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = value * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def _store_each(x: Array, w: Array, y: Array) -> Any:
    """y = x · w, channel by channel; how many products."""
    products = ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def _add_each(x: Array, w: Array, y: Array) -> Any:
    """y += x · w, channel by channel; how many products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def _add_squares(value: Any, w: Array, y: Array) -> Any:
    """y += (value − w)²; how many squares, and additions, of which each takes two."""
    squares, additions = ZERO, ZERO
    for o in range(y.size):
        difference = value - w[o]
        square = difference * difference
        total = y[o] + square
        y[o] = total
        squares = np.int32(squares + (square == square))
        additions = np.int32(additions + (difference == difference) + (total == total))
    return squares, additions


@compiled
def _copy(x: Array, y: Array) -> None:
    """y = x: no step."""
    for c in range(y.size):
        y[c] = x[c]


@compiled
def _enlarge(x: Array, y: Array) -> Any:
    """y = the larger of both; how many comparisons."""
    comparisons = ZERO
    for c in range(y.size):
        larger = x[c] if x[c] > y[c] else y[c]
        y[c] = larger
        comparisons = np.int32(comparisons + (larger == larger))
    return comparisons


@compiled
def _increase(x: Array, y: Array) -> Any:
    """y += x; how many additions."""
    additions = ZERO
    for c in range(y.size):
        total = y[c] + x[c]
        y[c] = total
        additions = np.int32(additions + (total == total))
    return additions


# The nests: each does a share of the rows or units, so that threads need no common counter.


@compiled
def conv_rows(x: Array, w: Array, y: Array, s: Pair, d: Pair, begin: int, end: int) -> Pair:
    """x: images × height × width × groups × channels; w: kernel × channels × groups × filters."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for g in range(w.shape[3]):
            for u in range(w.shape[0]):
                for v in range(w.shape[1]):
                    for c in range(w.shape[2]):
                        for j in range(y.shape[1]):
                            value = x[image, top + u * d[0], j * s[1] + v * d[1], g, c]
                            weights, outputs = w[u, v, c, g], y[row, j, g]
                            if u == v == c == 0:
                                products += _store(value, weights, outputs)
                            else:
                                done = _add(value, weights, outputs)
                                products += done[0]
                                additions += done[1]
    return products, additions


@compiled
def depthwise_rows(x: Array, w: Array, y: Array, s: Pair, d: Pair, begin: int, end: int) -> Pair:
    """x: images × height × width × channels; w: kernel × channels."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for u in range(w.shape[0]):
            for v in range(w.shape[1]):
                for j in range(y.shape[1]):
                    values = x[image, top + u * d[0], j * s[1] + v * d[1]]
                    weights, outputs = w[u, v], y[row, j]
                    if u == v == 0:
                        products += _store_each(values, weights, outputs)
                    else:
                        done = _add_each(values, weights, outputs)
                        products += done[0]
                        additions += done[1]
    return products, additions


@compiled
def deconv_rows(x: Array, w: Array, y: Array, s: Pair, begin: int, end: int) -> Pair:
    """As `conv_rows`, but a value is spread over a window of y, of which each row takes its part."""
    products, additions = 0, 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, bottom = row // height, row % height
        for g in range(w.shape[3]):
            touched = np.zeros(y.shape[1], np.bool_)
            for u in range(w.shape[0]):
                i = (bottom - u) // s[0]
                if i < 0 or i >= x.shape[1] or i * s[0] + u != bottom:
                    continue
                for v in range(w.shape[1]):
                    for c in range(w.shape[2]):
                        for j in range(x.shape[2]):
                            at = j * s[1] + v
                            value = x[image, i, j, g, c]
                            weights, outputs = w[u, v, c, g], y[row, at, g]
                            if not touched[at]:
                                products += _store(value, weights, outputs)
                                touched[at] = True
                            else:
                                done = _add(value, weights, outputs)
                                products += done[0]
                                additions += done[1]
    return products, additions


@compiled
def linear_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """x: tokens × channels; w: channels × units."""
    products, additions = 0, 0
    for token in range(x.shape[0]):
        for c in range(x.shape[1]):
            weights, outputs = w[c, begin:end], y[token, begin:end]
            if c == 0:
                products += _store(x[token, c], weights, outputs)
            else:
                done = _add(x[token, c], weights, outputs)
                products += done[0]
                additions += done[1]
    return products, additions


@compiled
def rbf_units(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """x: images × channels; w: channels × units. Summing begins at 0."""
    squares, additions = 0, 0
    for image in range(x.shape[0]):
        for c in range(x.shape[1]):
            done = _add_squares(x[image, c], w[c, begin:end], y[image, begin:end])
            squares += done[0]
            additions += done[1]
    return squares, additions


@compiled
def pool_rows(x: Array, y: Array, k: Pair, s: Pair, largest: bool, begin: int, end: int) -> tuple[int]:
    """x: images × height × width × channels."""
    steps = 0
    for row in range(begin, end):
        height = y.shape[0] // x.shape[0]
        image, top = row // height, row % height * s[0]
        for u in range(k[0]):
            for v in range(k[1]):
                for j in range(y.shape[1]):
                    tap, outputs = x[image, top + u, j * s[1] + v], y[row, j]
                    if u == v == 0:
                        _copy(tap, outputs)
                    elif largest:
                        steps += _enlarge(tap, outputs)
                    else:
                        steps += _increase(tap, outputs)
    return (steps,)


@compiled
def product_rows(x: Array, w: Array, y: Array, begin: int, end: int) -> Pair:
    """x: matrices × rows × channels; w: matrices × channels × columns, one for each of x."""
    products, additions = 0, 0
    for number in range(begin, end):
        matrix, row = number // x.shape[1], number % x.shape[1]
        for c in range(x.shape[2]):
            weights, outputs = w[matrix, c], y[matrix, row]
            if c == 0:
                products += _store(x[matrix, row, c], weights, outputs)
            else:
                done = _add(x[matrix, row, c], weights, outputs)
                products += done[0]
                additions += done[1]
    return products, additions


@compiled
def largest_rows(x: Array, y: Array, begin: int, end: int) -> tuple[int]:
    """The largest value of each row; x: rows × values."""
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
    """exp(x − largest) / Σ exp(x − largest); x: rows × values. Exponentials, additions, divisions."""
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
def bias(y: Array, terms: Array) -> int:
    """Additions of a bias to every position."""
    additions = 0
    for position in range(y.shape[0]):
        for o in range(y.shape[1]):
            total = y[position, o] + terms[o]
            y[position, o] = total
            additions += total == total
    return additions


@compiled
def scale(y: Array, factors: Array) -> int:
    """Multiplies of the channels of each place by its factor; y: places × channels."""
    multiplies = 0
    for place in range(len(y)):
        for channel in range(y.shape[1]):
            product = y[place, channel] * factors[place]
            y[place, channel] = product
            multiplies += product == product
    return multiplies
