"""linear and rbf, by hand: operator, inputs, output, what it costs. What is left out is zero."""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

linear, rbf, matmul = map(operator_class, ("linear", "rbf", "matmul"))

ROWS = [
    (
        linear(1000),
        [(1, 1, 4096)],
        (1, 1, 1000),
        {
            "weight": 4096 * 1000,
            "bias": 1000,
            "headline": 1000 * 4096,
            "multiplies": 1000 * 4096,
            "additions": 1000 * (4096 - 1) + 1000,
            "connections": 1000 * 4096 + 1000,
        },
    ),
    (
        linear(84),  # LeNet-5's F6: 10,164 connections in the paper
        [(1, 1, 120)],
        (1, 1, 84),
        {
            "weight": 120 * 84,
            "bias": 84,
            "headline": 84 * 120,
            "multiplies": 84 * 120,
            "additions": 84 * 119 + 84,
            "connections": 84 * (120 + 1),
        },
    ),
    (
        linear(10, nobias=True),
        [(1, 1, 32)],
        (1, 1, 10),
        {
            "weight": 32 * 10,
            "headline": 10 * 32,
            "multiplies": 10 * 32,
            "additions": 10 * 31,
            "connections": 10 * 32,
        },
    ),
    (
        linear(3, nobias=True),  # from one value: nothing to add
        [(1, 1, 1)],
        (1, 1, 3),
        {"weight": 3, "headline": 3, "multiplies": 3, "connections": 3},
    ),
    (  # each of 197 tokens by the same weights
        linear(3072),
        [Shape(197, 768)],
        Shape(197, 3072),
        {
            "weight": 768 * 3072,
            "bias": 3072,
            "headline": 197 * 3072 * 768,
            "multiplies": 197 * 3072 * 768,
            "additions": 197 * 3072 * 767 + 197 * 3072,
            "connections": 197 * 3072 * (768 + 1),
        },
    ),
    (
        linear(4, nobias=True),
        [Shape(1, 5)],
        Shape(1, 4),
        {"weight": 20, "headline": 20, "multiplies": 20, "additions": 4 * 4, "connections": 20},
    ),
    (
        rbf(10),  # LeNet-5's output: a subtraction, a square and a sum per link; no product of a weight
        [(1, 1, 84)],
        (1, 1, 10),
        {
            "fixed": 84 * 10,
            "multiplies": 84 * 10,
            "additions": 2 * 84 * 10,
            "connections": 84 * 10,
        },
    ),
    (  # scores of 12 queries and 20 keys of 64 channels, each divided by √64 …
        matmul(transposed=True, scaled=True),
        [Shape(12, 64), Shape(20, 64)],
        Shape(12, 20),
        {
            "headline": 12 * 20 * 64,
            "multiplies": 12 * 20 * 64 + 12 * 20,
            "additions": 12 * 20 * 63,
        },
    ),
    (  # … and the mixture of 20 values of 32 channels
        matmul(),
        [Shape(12, 20), Shape(20, 32)],
        Shape(12, 32),
        {"headline": 12 * 32 * 20, "multiplies": 12 * 32 * 20, "additions": 12 * 32 * 19},
    ),
    (  # 8 heads side by side
        matmul(transposed=True),
        [(8, 12, 16), (8, 20, 16)],
        (8, 12, 20),
        {
            "headline": 8 * 12 * 20 * 16,
            "multiplies": 8 * 12 * 20 * 16,
            "additions": 8 * 12 * 20 * 15,
        },
    ),
    (  # one matrix for all 8
        matmul(),
        [(8, 12, 16), Shape(16, 5)],
        (8, 12, 5),
        {"headline": 8 * 12 * 5 * 16, "multiplies": 8 * 12 * 5 * 16, "additions": 8 * 12 * 5 * 15},
    ),
    (matmul(), [(1, 1, 1), Shape(1, 3)], (1, 1, 3), {"headline": 3, "multiplies": 3}),
]
