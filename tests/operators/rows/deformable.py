"""Deformable convolutions, by hand: operator, inputs, output, what it costs.

As a convolution, and for each value under each window 4 neighbors times their shares, summed. With
factors (`modulated`) one multiply a value more, and one sigmoid a tap and output: an exponential, an
addition and a division.
"""

from archcalc.operators import operator_class

deformconv = operator_class("deformconv")

ROWS = [
    (
        deformconv(64, k=3, half=True),
        [(64, 64, 64), (64, 64, 2 * 9)],
        (64, 64, 64),
        {
            "weight": 3 * 3 * 64 * 64,
            "bias": 64,
            "headline": 64 * 64 * 64 * 9 * 64,
            "multiplies": 64 * 64 * 64 * 9 * 64 + 4 * (64 * 64 * 9 * 64),
            "additions": 64 * 64 * 64 * (9 * 64 - 1) + 64 * 64 * 64 + 3 * (64 * 64 * 9 * 64),
            "connections": 64 * 64 * 64 * (9 * 64 + 1),
        },
    ),
    (  # (6 + 2 − 3) // 2 + 1 = 3 rows, (8 + 2 − 2) // 2 + 1 = 5 columns
        deformconv(6, k=(3, 2), s=2, p=1, g=2, modulated=True, nobias=True),
        [(6, 8, 4), (3, 5, 3 * 6)],
        (3, 5, 6),
        {
            "weight": 3 * 2 * 2 * 6,
            "headline": 3 * 5 * 6 * (6 * 2),
            "multiplies": 3 * 5 * 6 * (6 * 2) + (4 + 1) * (3 * 5 * 6 * 4),
            "additions": 3 * 5 * 6 * (6 * 2 - 1) + 3 * (3 * 5 * 6 * 4) + 3 * 5 * 6,
            "exponentials": 3 * 5 * 6,
            "divisions": 3 * 5 * 6,
            "connections": 3 * 5 * 6 * (6 * 2),
        },
    ),
]
