"""Joins, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

add, concat, mul = map(operator_class, ("add", "concat", "mul"))

ROWS = [
    (add(), [(56, 55, 256)] * 2, (56, 55, 256), {"additions": 56 * 55 * 256}),
    (add(), [(7, 6, 5)] * 4, (7, 6, 5), {"additions": 7 * 6 * 5 * 3}),
    (add(), [(7, 6, 5)], (7, 6, 5), {}),
    (add(), [Shape(197, 768)] * 2, Shape(197, 768), {"additions": 197 * 768}),
    (  # the second is cut to the first, and only then compared
        add(crop=True),
        [(10, 9, 8), (12, 9, 8), (10, 11, 8)],
        (10, 9, 8),
        {"additions": 10 * 9 * 8 * 2},
    ),
    (  # an inception module's four branches
        concat(),
        [(28, 27, 64), (28, 27, 128), (28, 27, 32), (28, 27, 32)],
        (28, 27, 64 + 128 + 32 + 32),
        {},
    ),
    (concat(), [(5, 4, 3)], (5, 4, 3), {}),
    (concat(), [Shape(9, 3), Shape(9, 2)], Shape(9, 5), {}),
    (  # U-Net: the skip connection is larger
        concat(crop=True),
        [(56, 55, 512), (64, 62, 256)],
        (56, 55, 512 + 256),
        {},
    ),
    (mul(), [(14, 13, 64)] * 2, (14, 13, 64), {"multiplies": 14 * 13 * 64}),
    (mul(), [(14, 13, 64)] * 3, (14, 13, 64), {"multiplies": 14 * 13 * 64 * 2}),
    (  # squeeze-and-excitation: a vector multiplies each channel of the map …
        mul(),
        [(14, 13, 64), (1, 1, 64)],
        (14, 13, 64),
        {"multiplies": 14 * 13 * 64},
    ),
    (  # … whichever arrives first
        mul(),
        [(1, 1, 64), (14, 13, 64)],
        (14, 13, 64),
        {"multiplies": 14 * 13 * 64},
    ),
    (
        mul(),
        [(1, 1, 8), (3, 4, 8), (1, 1, 8)],
        (3, 4, 8),
        {"multiplies": 3 * 4 * 8 * 2},
    ),
    (  # or each channel of a sequence
        mul(),
        [(1, 1, 8), Shape(12, 8)],
        Shape(12, 8),
        {"multiplies": 12 * 8},
    ),
    (mul(), [Shape(12, 8), Shape(12, 8)], Shape(12, 8), {"multiplies": 12 * 8}),
    (mul(), [(1, 1, 9), (1, 1, 9)], (1, 1, 9), {"multiplies": 9}),
    (
        mul(crop=True),
        [(4, 5, 6), (6, 6, 6)],
        (4, 5, 6),
        {"multiplies": 4 * 5 * 6},
    ),
]
