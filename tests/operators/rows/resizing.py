"""Resized maps: operator, inputs, output, what it costs. The nearest value costs nothing.

A sum of so many neighbors, each times its share of the place: one addition fewer than multiplies.
"""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

upsample, resize = map(operator_class, ("upsample", "resize"))

ROWS = [
    (upsample(2), [(7, 6, 512)], (7 * 2, 6 * 2, 512), {}),
    (upsample((1, 3)), [(7, 6, 5)], (7, 6 * 3, 5), {}),
    (  # 2 × 2 neighbors
        upsample(2, bilinear=True),
        [(7, 6, 5)],
        (14, 12, 5),
        {"multiplies": 14 * 12 * 5 * 4, "additions": 14 * 12 * 5 * 3},
    ),
    (  # 2 in a row
        upsample(3, bilinear=True, rank=1),
        [Shape(10, 4)],
        Shape(30, 4),
        {"multiplies": 30 * 4 * 2, "additions": 30 * 4},
    ),
    (  # 2 × 2 × 2
        upsample((1, 2, 2), bilinear=True, rank=3),
        [Shape(4, 5, 6, 3)],
        Shape(4, 10, 12, 3),
        {"multiplies": 4 * 10 * 12 * 3 * 8, "additions": 4 * 10 * 12 * 3 * 7},
    ),
    (  # 4 × 4
        upsample(2, bicubic=True),
        [(7, 6, 5)],
        (14, 12, 5),
        {"multiplies": 14 * 12 * 5 * 16, "additions": 14 * 12 * 5 * 15},
    ),
    (resize(65), [(33, 20, 21)], (65, 65, 21), {}),
    (
        resize((65, 33), bilinear=True, corners=True),
        [(33, 20, 21)],
        (65, 33, 21),
        {"multiplies": 65 * 33 * 21 * 4, "additions": 65 * 33 * 21 * 3},
    ),
    (  # the positions of the second, the channels of the first
        resize(bilinear=True),
        [(7, 7, 256), (14, 15, 64)],
        (14, 15, 256),
        {"multiplies": 14 * 15 * 256 * 4, "additions": 14 * 15 * 256 * 3},
    ),
]
