"""The innermost loops of the counted kernels, each step counted on the number that it has computed.

A closed form says how often the innermost statement runs. Here it runs, and a counter beside it says
how often. `count += 1` would prove nothing: the compiler replaces the loop by its closed form and
"counts" 120 million in a microsecond. So each count depends on the number that its step has computed:
`product = x * w; products += product == product`. A product may be NaN, which is not equal to itself,
so nobody who keeps to IEEE 754 knows the count without the product; `compiled` owns the options and
never allows anything else (fastmath). tests/execution/test_loops.py makes sure twice: in the optimized
code of each kernel every float operation stands beside a comparison of its result, and NaN in the data
lowers every count by exactly the steps that it reaches.

They run over channels, which lie side by side, so that the compiler vectorizes them with their counters:
32 bits in here, as wide as the floats, 64 outside. The first product of a sum is stored, not added; that
is a function of its own because a flag inside leaves reference counting in the nests, at 5 × the time.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import compiled

Array: TypeAlias = Any  # an ndarray of float32

ZERO: Any = np.int32(0)


@compiled
def store(value: Any, w: Array, y: Array) -> Any:
    """Set y to value · w; return the number of products."""
    products = ZERO
    for o in range(y.size):
        product = value * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def add(value: Any, w: Array, y: Array) -> Any:
    """Add value · w to y; return the numbers of products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = value * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def store_each(x: Array, w: Array, y: Array) -> Any:
    """Set y to x · w, channel by channel; return the number of products."""
    products = ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        y[o] = product
        products = np.int32(products + (product == product))
    return products


@compiled
def add_each(x: Array, w: Array, y: Array) -> Any:
    """Add x · w to y, channel by channel; return the numbers of products and additions."""
    products, additions = ZERO, ZERO
    for o in range(y.size):
        product = x[o] * w[o]
        total = y[o] + product
        y[o] = total
        products = np.int32(products + (product == product))
        additions = np.int32(additions + (total == total))
    return products, additions


@compiled
def add_squares(value: Any, w: Array, y: Array) -> Any:
    """Add (value − w)² to y; return the numbers of squares, and of additions, two each."""
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
def copy(x: Array, y: Array) -> None:
    """Set y to x, which is no step."""
    for c in range(y.size):
        y[c] = x[c]


@compiled
def enlarge(x: Array, y: Array) -> Any:
    """Set y to the larger of both; return the number of comparisons."""
    comparisons = ZERO
    for c in range(y.size):
        larger = x[c] if x[c] > y[c] else y[c]
        y[c] = larger
        comparisons = np.int32(comparisons + (larger == larger))
    return comparisons


@compiled
def increase(x: Array, y: Array) -> Any:
    """Add x to y; return the number of additions."""
    additions = ZERO
    for c in range(y.size):
        total = y[c] + x[c]
        y[c] = total
        additions = np.int32(additions + (total == total))
    return additions
