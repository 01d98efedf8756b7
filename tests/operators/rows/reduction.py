"""Reductions along an axis, by hand: operator, inputs, output, costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

mean, total, largest = map(operator_class, ("mean", "sum", "max"))

ROWS = [
    # CBAM's two maps of 1 channel: 63 additions and a multiply, or 63 comparisons, a position
    (mean(), [(56, 55, 64)], (56, 55, 1), {"additions": 56 * 55 * 63, "multiplies": 56 * 55}),
    (largest(), [(56, 55, 64)], (56, 55, 1), {"comparisons": 56 * 55 * 63}),
    (total(), [(7, 6, 5)], (7, 6, 1), {"additions": 7 * 6 * 4}),
    (
        mean(axis="height"),
        [(7, 6, 5)],
        (1, 6, 5),
        {"additions": 6 * 5 * (7 - 1), "multiplies": 6 * 5},
    ),
    (largest(axis="width"), [(7, 6, 5)], (7, 1, 5), {"comparisons": 7 * 5 * (6 - 1)}),
    (total(axis="length"), [Shape(100, 8)], Shape(1, 8), {"additions": 8 * 99}),
    (largest(axis="frames"), [Shape(4, 7, 6, 5)], Shape(1, 7, 6, 5), {"comparisons": 7 * 6 * 5 * 3}),
    (
        mean(axis="positions"),
        [Shape(4, 7, 6, 5)],
        Shape(1, 1, 1, 5),
        {"additions": 5 * (4 * 7 * 6 - 1), "multiplies": 5},
    ),
    (total(axis="positions"), [(7, 6, 5)], (1, 1, 5), {"additions": 5 * (7 * 6 - 1)}),
    (largest(), [(7, 6, 1)], (7, 6, 1), {}),
]
