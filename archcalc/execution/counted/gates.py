"""Compile the formulas of recurrent units, each step counted on the number that it computed."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from archcalc.compiled import compiled

Array: TypeAlias = Any  # an ndarray of float32
KINDS = ("additions", "multiplies", "divisions", "exponentials", "comparisons")
Steps: TypeAlias = tuple[int, int, int, int, int]  # of these kinds

ONE: Any = np.float32(1)
MOST: Any = np.float32(80)  # beyond it sigmoid and tanh are flat, and an exponential overflows


@compiled
def bound(x: Any) -> Any:
    """Return x, limited to −80 … 80, which is no step of the formula."""
    return min(max(x, -MOST), MOST)


@compiled
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(−x)), and its additions, divisions and exponentials."""
    fall = np.exp(-bound(x))
    total = fall + ONE
    y = ONE / total
    return y, int(total == total), int(y == y), int(fall == fall)


@compiled
def tanh(x: Any) -> Any:
    """Return (exp(x) − exp(−x)) / (exp(x) + exp(−x)), and its additions, divisions, exponentials."""
    rise, fall = np.exp(bound(x)), np.exp(-bound(x))
    difference, total = rise - fall, rise + fall
    y = difference / total
    additions = int(difference == difference) + int(total == total)
    return y, additions, int(y == y), int(rise == rise) + int(fall == fall)


@compiled
def rnn(sums: Array, kept: Array, state: Array, memory: Array, y: Array, relu: bool) -> Steps:
    """Set y to tanh(sums + kept), or to max(sums + kept, 0); all are images × units."""
    additions, divisions, exponentials, comparisons = 0, 0, 0, 0
    for image in range(len(y)):
        for unit in range(y.shape[1]):
            total = sums[image, unit] + kept[image, unit]
            additions += total == total
            if relu:
                value = total if total > 0 else np.float32(0)
                comparisons += value == value
            else:
                value, a, d, e = tanh(total)
                additions, divisions, exponentials = additions + a, divisions + d, exponentials + e
            y[image, unit] = value
    return additions, 0, divisions, exponentials, comparisons


@compiled
def lstm(sums: Array, kept: Array, state: Array, memory: Array, y: Array) -> Steps:
    """Run the cell of an LSTM, which changes `memory`; sums and kept are images × gates · units."""
    additions, multiplies, divisions, exponentials = 0, 0, 0, 0
    units = y.shape[1]
    for image in range(len(y)):
        for unit in range(units):
            into = sums[image, unit] + kept[image, unit]
            forget = sums[image, units + unit] + kept[image, units + unit]
            fresh = sums[image, 2 * units + unit] + kept[image, 2 * units + unit]
            out = sums[image, 3 * units + unit] + kept[image, 3 * units + unit]
            additions += (into == into) + (forget == forget) + (fresh == fresh) + (out == out)
            i, a1, d1, e1 = sigmoid(into)
            f, a2, d2, e2 = sigmoid(forget)
            g, a3, d3, e3 = tanh(fresh)
            o, a4, d4, e4 = sigmoid(out)
            old, new = f * memory[image, unit], i * g
            cell = old + new
            flat, a5, d5, e5 = tanh(cell)
            value = o * flat
            memory[image, unit], y[image, unit] = cell, value
            additions += a1 + a2 + a3 + a4 + a5 + (cell == cell)
            multiplies += (old == old) + (new == new) + (value == value)
            divisions += d1 + d2 + d3 + d4 + d5
            exponentials += e1 + e2 + e3 + e4 + e5
    return additions, multiplies, divisions, exponentials, 0


@compiled
def gru(sums: Array, kept: Array, state: Array, memory: Array, y: Array) -> Steps:
    """Run the cell of a GRU whose reset gate comes after the product."""
    additions, multiplies, divisions, exponentials = 0, 0, 0, 0
    units = y.shape[1]
    for image in range(len(y)):
        for unit in range(units):
            reset = sums[image, unit] + kept[image, unit]
            update = sums[image, units + unit] + kept[image, units + unit]
            r, a1, d1, e1 = sigmoid(reset)
            z, a2, d2, e2 = sigmoid(update)
            held = r * kept[image, 2 * units + unit]
            total = sums[image, 2 * units + unit] + held
            n, a3, d3, e3 = tanh(total)
            rest = ONE - z
            new, old = rest * n, z * state[image, unit]
            value = new + old
            y[image, unit] = value
            additions += a1 + a2 + a3 + (reset == reset) + (update == update) + (total == total)
            additions += (rest == rest) + (value == value)
            multiplies += (held == held) + (new == new) + (old == old)
            divisions += d1 + d2 + d3
            exponentials += e1 + e2 + e3
    return additions, multiplies, divisions, exponentials, 0


@compiled
def opened(sums: Array, kept: Array, state: Array, reset: Array, update: Array) -> Steps:
    """Set `reset` to r · state, and set z; kept is images × 2 · units."""
    additions, multiplies, divisions, exponentials = 0, 0, 0, 0
    units = reset.shape[1]
    for image in range(len(reset)):
        for unit in range(units):
            first = sums[image, unit] + kept[image, unit]
            second = sums[image, units + unit] + kept[image, units + unit]
            r, a1, d1, e1 = sigmoid(first)
            z, a2, d2, e2 = sigmoid(second)
            held = r * state[image, unit]
            reset[image, unit], update[image, unit] = held, z
            additions += a1 + a2 + (first == first) + (second == second)
            multiplies += held == held
            divisions += d1 + d2
            exponentials += e1 + e2
    return additions, multiplies, divisions, exponentials, 0


@compiled
def renewed(sums: Array, kept: Array, update: Array, state: Array, y: Array) -> Steps:
    """Set y to (1 − z) · tanh(sums + kept) + z · state; kept is images × units."""
    additions, multiplies, divisions, exponentials = 0, 0, 0, 0
    units = y.shape[1]
    for image in range(len(y)):
        for unit in range(units):
            total = sums[image, 2 * units + unit] + kept[image, unit]
            n, a1, d1, e1 = tanh(total)
            rest = ONE - update[image, unit]
            new, old = rest * n, update[image, unit] * state[image, unit]
            value = new + old
            y[image, unit] = value
            additions += a1 + (total == total) + (rest == rest) + (value == value)
            multiplies += (new == new) + (old == old)
            divisions += d1
            exponentials += e1
    return additions, multiplies, divisions, exponentials, 0
