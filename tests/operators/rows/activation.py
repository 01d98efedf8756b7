"""Activations, by hand: operator, inputs, output, what it costs. What is left out is zero.

The formulas stand in the docstrings; `test_counted.py` runs them on numbers that count.
"""

from archcalc.operators import operator_class

MAP, VECTOR = (28, 27, 6), (1, 1, 10)
VALUES = 28 * 27 * 6


def row(name, shape, *, given=None, **costs):
    return operator_class(name)(**(given or {})), [shape], shape, costs


ROWS = [
    row("relu", MAP, comparisons=VALUES),
    row("relu", VECTOR, comparisons=10),
    row("relu6", MAP, comparisons=VALUES * 2),
    row("leaky", MAP, multiplies=VALUES, comparisons=VALUES),
    row("leaky", VECTOR, given={"slope": 0.01}, multiplies=10, comparisons=10),
    row("clip", MAP, given={"low": -1, "high": 2.5}, comparisons=VALUES * 2),
    row("clip", MAP, given={"low": 0}, comparisons=VALUES),
    row("clip", VECTOR, given={"high": 6}, comparisons=10),
    row("hardtanh", MAP, comparisons=VALUES * 2),
    row("prelu", MAP, weight=6, multiplies=VALUES, comparisons=VALUES),  # a slope a channel
    row("prelu", MAP, given={"shared": True}, weight=1, multiplies=VALUES, comparisons=VALUES),
    row("elu", MAP, multiplies=VALUES, additions=VALUES, comparisons=VALUES, exponentials=VALUES),
    row(
        "selu",
        MAP,
        multiplies=VALUES * (1 + 1),  # by alpha, by lambda
        additions=VALUES,
        comparisons=VALUES,
        exponentials=VALUES,
    ),
    row("softplus", MAP, additions=VALUES, comparisons=VALUES, exponentials=VALUES * (1 + 1)),
    row(
        "mish",
        MAP,
        multiplies=VALUES,
        additions=VALUES * (1 + 2),  # 1 + exp, two of tanh
        divisions=VALUES,
        exponentials=VALUES * (1 + 1 + 2),  # exp, log, two of tanh
    ),
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
    row(
        "logsoftmax",
        MAP,
        comparisons=28 * 27 * (6 - 1),
        additions=28 * 27 * (6 + 5 + 6),  # the largest is subtracted, the sum, its logarithm subtracted
        exponentials=28 * 27 * (6 + 1),
    ),
    row("logsoftmax", VECTOR, comparisons=9, additions=10 + 9 + 10, exponentials=11),
    row("dropout", MAP),
    row("droppath", MAP),
    (
        operator_class("glu")(),
        [MAP],
        (28, 27, 3),
        dict.fromkeys(("multiplies", "additions", "divisions", "exponentials"), 28 * 27 * 3),
    ),
    (
        operator_class("swiglu")(),
        [MAP],
        (28, 27, 3),
        {
            "multiplies": 28 * 27 * 3 * (1 + 1),  # by the sigmoid, by the other half
            "additions": 28 * 27 * 3,
            "divisions": 28 * 27 * 3,
            "exponentials": 28 * 27 * 3,
        },
    ),
]
