"""Attention, by hand: operator, inputs, output, what it costs. What is left out is zero.

n tokens, d channels, h heads. Projections: query, key, value and output, n·d outputs of d products each
and a bias. Scores: h·n·n of d/h products. Softmax: h·n times n. Values: n·d sums of n products.
"""

from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

attention, windowattention = map(operator_class, ("attention", "windowattention"))

ROWS = [
    (  # ViT-B/16
        attention(12),
        [Shape(197, 768)],
        Shape(197, 768),
        {
            "weight": 4 * 768 * 768,
            "bias": 4 * 768,
            "headline": 4 * 197 * 768 * 768 + 12 * 197 * 197 * 64 + 197 * 768 * 197,
            "multiplies": 4 * 197 * 768 * 768 + 2 * 197 * 197 * 768,
            "additions": 4 * 197 * 768 * 767  # projections
            + 4 * 197 * 768  # their biases
            + 12 * 197 * 197 * 63  # scores
            + 12 * 197 * 197  # the largest score is subtracted
            + 12 * 197 * 196  # sums of the softmax
            + 197 * 768 * 196,  # values
            "comparisons": 12 * 197 * 196,
            "exponentials": 12 * 197 * 197,
            "divisions": 12 * 197 * 197,
            "connections": 4 * 197 * 768 * 768 + 4 * 197 * 768,
        },
    ),
    (  # one token attends to itself alone
        attention(1),
        [Shape(1, 2)],
        Shape(1, 2),
        {
            "weight": 16,
            "bias": 8,
            "headline": 4 * 2 * 2 + 2 + 2,
            "multiplies": 20,
            "additions": 4 * 2 * 1 + 4 * 2 + 1 + 1,  # the score less itself
            "exponentials": 1,
            "divisions": 1,
            "connections": 4 * 2 * 3,
        },
    ),
    (  # Swin-T, first stage: 8·8 windows of 7·7 = 49 tokens
        windowattention(3, 7),
        [(56, 56, 96)],
        (56, 56, 96),
        {
            "weight": 4 * 96 * 96,
            "bias": 4 * 96,
            "position": 13 * 13 * 3,  # from 6 places to the left or above to 6 to the right or below
            "headline": 64 * (4 * 49 * 96 * 96 + 2 * 49 * 49 * 96),
            "multiplies": 64 * (4 * 49 * 96 * 96 + 2 * 49 * 49 * 96),
            "additions": 64 * (4 * 49 * 96 * 95 + 4 * 49 * 96)
            + 64 * 3 * 49 * 49 * 31  # 32 channels a head
            + 64 * 3 * 49 * 49  # the bias of each score
            + 64 * 3 * 49 * 49  # the largest is subtracted
            + 64 * 3 * 49 * 48
            + 64 * 49 * 96 * 48,
            "comparisons": 64 * 3 * 49 * 48,
            "exponentials": 64 * 3 * 49 * 49,
            "divisions": 64 * 3 * 49 * 49,
            "connections": 4 * 64 * 49 * 96 * 97,
        },
    ),
    (  # 3×2 windows of 2·2 cover 5×4: the last row of them is half beyond the map, and counts
        windowattention(2, 2, shift=1),
        [(5, 4, 4)],
        (5, 4, 4),
        {
            "weight": 4 * 4 * 4,
            "bias": 4 * 4,
            "position": 3 * 3 * 2,
            "headline": 6 * (4 * 4 * 4 * 4 + 2 * 4 * 4 * 4),
            "multiplies": 6 * (4 * 4 * 4 * 4 + 2 * 4 * 4 * 4),
            "additions": 6 * (4 * 4 * 4 * 3 + 4 * 4 * 4)
            + 6 * 2 * 4 * 4 * 1
            + 6 * 2 * 4 * 4
            + 6 * 2 * 4 * 4
            + 6 * 2 * 4 * 3
            + 6 * 4 * 4 * 3,
            "comparisons": 6 * 2 * 4 * 3,
            "exponentials": 6 * 2 * 4 * 4,
            "divisions": 6 * 2 * 4 * 4,
            "connections": 4 * 6 * 4 * 4 * (4 + 1),
        },
    ),
]
