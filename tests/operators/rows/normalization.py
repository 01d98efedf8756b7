"""Normalizations, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

bn, ln, groupnorm, lrn, scale = map(operator_class, ("bn", "ln", "groupnorm", "lrn", "scale"))
instancenorm, rmsnorm = map(operator_class, ("instancenorm", "rmsnorm"))

ROWS = [
    (  # one multiply and one addition a value
        bn(),
        [(56, 56, 64)],
        (56, 56, 64),
        {
            "scale": 64,
            "shift": 64,
            "mean": 64,
            "variance": 64,
            "multiplies": 56 * 56 * 64,
            "additions": 56 * 56 * 64,
        },
    ),
    (  # without a learned scale it still divides by the deviation: the same work
        bn(noscale=True),
        [(35, 17, 48)],
        (35, 17, 48),
        {
            "shift": 48,
            "mean": 48,
            "variance": 48,
            "multiplies": 35 * 17 * 48,
            "additions": 35 * 17 * 48,
        },
    ),
    (
        bn(),
        [(1, 1, 10)],
        (1, 1, 10),
        {"scale": 10, "shift": 10, "mean": 10, "variance": 10, "multiplies": 10, "additions": 10},
    ),
    (  # a value: its square, by 1/deviation, by the scale; a position: two sums by 1/768, root, division
        # 767 for the mean, 768 to center, 767 for the variance, 1 for eps, 768 shifts: 4·768 − 1
        ln(),
        [(14, 15, 768)],
        (14, 15, 768),
        {
            "scale": 768,
            "shift": 768,
            "multiplies": 14 * 15 * (768 * 3 + 2),
            "additions": 14 * 15 * (768 * 4 - 1),
            "roots": 14 * 15,
            "divisions": 14 * 15,
        },
    ),
    (  # 4 groups of 7·5·3 = 105 values: 104 for the mean, 105 to center, 104 for the variance, 1 eps,
        # 105 shifts: 4·105 − 1 additions; a value: its square, by 1/deviation, by the scale
        groupnorm(4),
        [(7, 5, 12)],
        (7, 5, 12),
        {
            "scale": 12,
            "shift": 12,
            "multiplies": 7 * 5 * 12 * 3 + 4 * 2,
            "additions": 4 * (4 * 105 - 1),
            "roots": 4,
            "divisions": 4,
        },
    ),
    (  # groups of 35·6 = 210 values without a scale: its square, by 1/deviation
        groupnorm(2, noscale=True),
        [(7, 5, 12)],
        (7, 5, 12),
        {
            "shift": 12,
            "multiplies": 7 * 5 * 12 * 2 + 2 * 2,
            "additions": 2 * (209 + 210 + 209 + 1 + 210),
            "roots": 2,
            "divisions": 2,
        },
    ),
    (  # nothing learned: the statistics remain, and the work
        bn(noscale=True, noshift=True),
        [(56, 56, 64)],
        (56, 56, 64),
        {"mean": 64, "variance": 64, "multiplies": 56 * 56 * 64, "additions": 56 * 56 * 64},
    ),
    (
        bn(noshift=True),
        [(1, 1, 10)],
        (1, 1, 10),
        {"scale": 10, "mean": 10, "variance": 10, "multiplies": 10, "additions": 10},
    ),
    (  # a position: 767 for the mean, 768 to center, 767 for the variance, 1 for eps
        ln(noshift=True),
        [Shape(197, 768)],
        Shape(197, 768),
        {
            "scale": 768,
            "multiplies": 197 * (768 * 3 + 2),
            "additions": 197 * (767 + 768 + 767 + 1),
            "roots": 197,
            "divisions": 197,
        },
    ),
    (
        ln(noscale=True, noshift=True),
        [Shape(5, 12)],
        Shape(5, 12),
        {
            "multiplies": 5 * (12 * 2 + 2),
            "additions": 5 * (11 + 12 + 11 + 1),
            "roots": 5,
            "divisions": 5,
        },
    ),
    (  # a channel of 56·55 = 3,080 values: 3,079 for the mean, 3,080 to center, 3,079 for the variance,
        # 1 for eps, 3,080 shifts
        instancenorm(),
        [(56, 55, 64)],
        (56, 55, 64),
        {
            "scale": 64,
            "shift": 64,
            "multiplies": 64 * (3080 * 3 + 2),
            "additions": 64 * (3079 + 3080 + 3079 + 1 + 3080),
            "roots": 64,
            "divisions": 64,
        },
    ),
    (
        instancenorm(noscale=True, noshift=True),
        [(56, 55, 64)],
        (56, 55, 64),
        {
            "multiplies": 64 * (3080 * 2 + 2),
            "additions": 64 * (3079 + 3080 + 3079 + 1),
            "roots": 64,
            "divisions": 64,
        },
    ),
    (  # a value: its square, by 1/root, by the scale; a position: the sum by 1/64; 63 sums and eps
        rmsnorm(),
        [(56, 56, 64)],
        (56, 56, 64),
        {
            "scale": 64,
            "multiplies": 56 * 56 * (64 * 3 + 1),
            "additions": 56 * 56 * (63 + 1),
            "roots": 56 * 56,
            "divisions": 56 * 56,
        },
    ),
    (
        rmsnorm(noscale=True),
        [Shape(7, 4096)],
        Shape(7, 4096),
        {
            "multiplies": 7 * (4096 * 2 + 1),
            "additions": 7 * (4095 + 1),
            "roots": 7,
            "divisions": 7,
        },
    ),
    (
        ln(),
        [(1, 1, 512)],
        (1, 1, 512),
        {
            "scale": 512,
            "shift": 512,
            "multiplies": 512 * 3 + 2,
            "additions": 512 * 4 - 1,
            "roots": 1,
            "divisions": 1,
        },
    ),
    (
        ln(),
        [Shape(197, 768)],
        Shape(197, 768),
        {
            "scale": 768,
            "shift": 768,
            "multiplies": 197 * (768 * 3 + 2),
            "additions": 197 * (768 * 4 - 1),
            "roots": 197,
            "divisions": 197,
        },
    ),
    (  # 5 squares, their sum 4 and the constant 1, a factor 1; a power and a division
        lrn(5),
        [(55, 54, 96)],
        (55, 54, 96),
        {
            "multiplies": 55 * 54 * 96 * (5 + 1),
            "additions": 55 * 54 * 96 * (4 + 1),
            "powers": 55 * 54 * 96,
            "divisions": 55 * 54 * 96,
        },
    ),
    (
        lrn(1),
        [(2, 3, 4)],
        (2, 3, 4),
        {
            "multiplies": 2 * 3 * 4 * (1 + 1),
            "additions": 2 * 3 * 4 * (0 + 1),
            "powers": 2 * 3 * 4,
            "divisions": 2 * 3 * 4,
        },
    ),
    (  # behind LeNet-5's S2: 12 parameters, one bias used per value; its links are the sum pool's
        scale(),
        [(14, 14, 6)],
        (14, 14, 6),
        {
            "weight": 6,
            "bias": 6,
            "multiplies": 14 * 14 * 6,
            "additions": 14 * 14 * 6,
            "connections": 14 * 14 * 6,
        },
    ),
    (
        scale(nobias=True),
        [(7, 5, 96)],
        (7, 5, 96),
        {"weight": 96, "multiplies": 7 * 5 * 96},
    ),
]
