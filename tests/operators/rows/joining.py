"""Joins, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

add, sub, mul, maximum, concat = map(operator_class, ("add", "sub", "mul", "maximum", "concat"))

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
    (sub(), [(7, 6, 5)] * 3, (7, 6, 5), {"additions": 7 * 6 * 5 * 2}),
    (maximum(), [(7, 6, 5)] * 2, (7, 6, 5), {"comparisons": 7 * 6 * 5}),
    # axes of 1 stretch: one number a position multiplies every channel of it, …
    (mul(), [(56, 55, 64), (56, 55, 1)], (56, 55, 64), {"multiplies": 56 * 55 * 64}),
    # … a vector is added to every position of a map, a sequence, a volume, …
    (add(), [(56, 55, 64), (1, 1, 64)], (56, 55, 64), {"additions": 56 * 55 * 64}),
    (add(), [Shape(197, 768), (1, 1, 768)], Shape(197, 768), {"additions": 197 * 768}),
    (sub(), [(1, 1, 6), Shape(4, 5, 3, 6)], Shape(4, 5, 3, 6), {"additions": 4 * 5 * 3 * 6}),
    # … a row and a column make a map, and so does a third with both
    (add(), [(1, 7, 8), (5, 1, 8)], (5, 7, 8), {"additions": 5 * 7 * 8}),
    (add(), [(1, 7, 8), (5, 1, 8), (5, 7, 1)], (5, 7, 8), {"additions": 5 * 7 * 8 * 2}),
    (maximum(), [Shape(9, 1), Shape(1, 4)], Shape(9, 4), {"comparisons": 9 * 4}),
    (concat(axis="height"), [(4, 5, 6), (3, 5, 6), (1, 5, 6)], (4 + 3 + 1, 5, 6), {}),
    (concat(axis="width"), [(4, 5, 6), (4, 2, 6)], (4, 5 + 2, 6), {}),
    (concat(axis="length"), [(1, 1, 6), Shape(9, 6)], Shape(1 + 9, 6), {}),  # a token in front
    (concat(axis="frames"), [Shape(2, 4, 5, 6)] * 2, Shape(2 + 2, 4, 5, 6), {}),
    (concat(axis="height", crop=True), [(4, 5, 6), (8, 7, 6)], (4 + 4, 5, 6), {}),
]
