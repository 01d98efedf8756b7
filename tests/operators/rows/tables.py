"""Stored tensors, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

offset, factor = map(operator_class, ("offset", "factor"))

ROWS = [
    # one step a value of 7·5·6, however few numbers are stored
    (offset((7, 1, 6)), [(7, 5, 6)], (7, 5, 6), {"weight": 7 * 6, "additions": 7 * 5 * 6}),
    (offset((6,), fixed=True), [(7, 5, 6)], (7, 5, 6), {"fixed": 6, "additions": 7 * 5 * 6}),
    (  # a bias for each of 49 × 49 pairs, of a table of 13 × 13 places
        offset((49, 49), of=169, rank=1),
        [Shape(49, 49)],
        Shape(49, 49),
        {"weight": 169, "fixed": 49 * 49, "additions": 49 * 49},
    ),
    (factor((1,)), [(7, 5, 6)], (7, 5, 6), {"weight": 1, "multiplies": 7 * 5 * 6}),
    (
        factor((49, 96), rank=1),
        [Shape(49, 96)],
        Shape(49, 96),
        {"weight": 49 * 96, "multiplies": 49 * 96},
    ),
]
