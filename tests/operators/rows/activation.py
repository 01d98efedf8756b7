"""Activations, by hand: operator, inputs, output, what it costs. What is left out is zero.

The formulas stand in the docstrings; `test_counted.py` runs them on numbers that count.
"""

from archcalc.operators import operator_class

MAP, VECTOR = (28, 27, 6), (1, 1, 10)
VALUES = 28 * 27 * 6


def row(name, shape, **costs):
    return operator_class(name)(), [shape], shape, costs


ROWS = [
    row("relu", MAP, comparisons=VALUES),
    row("relu", VECTOR, comparisons=10),
    row("relu6", MAP, comparisons=VALUES * 2),
    row("leaky", MAP, multiplies=VALUES, comparisons=VALUES),
    row("sigmoid", MAP, additions=VALUES, divisions=VALUES, exponentials=VALUES),
    row("tanh", MAP, additions=VALUES * 2, divisions=VALUES, exponentials=VALUES * 2),
    row("tanh", VECTOR, additions=10 * 2, divisions=10, exponentials=10 * 2),
    row("swish", MAP, multiplies=VALUES, additions=VALUES, divisions=VALUES, exponentials=VALUES),
    row(
        "gelu",
        MAP,
        # z, t, five of the polynomial, z², times exp, two outside
        multiplies=VALUES * (1 + 1 + 5 + 1 + 1 + 2),
        # t, four of the polynomial, 1 − …, 1 + erf
        additions=VALUES * (1 + 4 + 1 + 1),
        comparisons=VALUES * 2,
        divisions=VALUES,
        exponentials=VALUES,
    ),
    row("hsigmoid", MAP, additions=VALUES, comparisons=VALUES * 2, divisions=VALUES),
    row("hswish", MAP, multiplies=VALUES, additions=VALUES, comparisons=VALUES * 2, divisions=VALUES),
    # each of the 28·27 positions has its own softmax over 6 channels
    row(
        "softmax",
        MAP,
        comparisons=28 * 27 * (6 - 1),
        additions=28 * 27 * (6 + 6 - 1),  # 6 subtract the largest
        exponentials=28 * 27 * 6,
        divisions=28 * 27 * 6,
    ),
    row("softmax", VECTOR, comparisons=9, additions=10 + 9, exponentials=10, divisions=10),
    row("softmax", (1, 1, 1), additions=1, exponentials=1, divisions=1),
    row("dropout", MAP),
]
