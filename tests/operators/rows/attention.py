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
    (  # 32 heads of 128 channels, 8 of keys and values: 41,943,040 weights, 120,259,084,288 products
        attention(32, kv=8, causal=True, nobias=True),
        [Shape(2048, 4096)],
        Shape(2048, 4096),
        {
            "weight": 2 * 4096 * 4096 + 2 * 4096 * 1024,
            "headline": 120_259_084_288,
            "multiplies": 2048 * 41_943_040 + 2 * 2048 * 2048 * 4096,
            "additions": 2048 * (2 * 4096 * 4095 + 2 * 1024 * 4095)
            + 32 * 2048 * 2048 * 127
            + 32 * 2048 * 2048
            + 32 * 2048 * 2047
            + 2048 * 4096 * 2047,
            "comparisons": 32 * 2048 * 2047,
            "exponentials": 32 * 2048 * 2048,
            "divisions": 32 * 2048 * 2048,
            "connections": 2048 * 41_943_040,
        },
    ),
    (  # a decoder of 5 tokens looks at 7 of 12 channels; 2 heads of 8, none put together
        attention(2, head=8, noout=True, rotary=True),
        [Shape(5, 6), Shape(7, 12)],
        Shape(5, 16),
        {
            "weight": 6 * 16 + 2 * 12 * 16,
            "bias": 3 * 16,
            "headline": 5 * 6 * 16 + 2 * 7 * 12 * 16 + 2 * 5 * 7 * 16,
            "multiplies": 480 + 2688 + 1120 + 2 * (5 * 16 + 7 * 16),  # each value turned by cos and sin
            "additions": 5 * 16 * 5
            + 2 * 7 * 16 * 11
            + (5 + 7 + 7) * 16  # biases
            + (5 + 7) * 16  # of two products of a turn
            + 2 * 5 * 7 * 7
            + 2 * 5 * 7
            + 2 * 5 * 6
            + 5 * 16 * 6,
            "comparisons": 2 * 5 * 6,
            "exponentials": 2 * 5 * 7,
            "divisions": 2 * 5 * 7,
            "connections": 5 * 16 * 7 + 2 * 7 * 16 * 13,
        },
    ),
    (  # queries of 4 heads of 3; keys and values of 2 heads, the values of 5 channels; no projections
        attention(4, kv=2, bare=True),
        [Shape(5, 12), Shape(7, 6), Shape(7, 10)],
        Shape(5, 20),
        {
            "headline": 5 * 7 * 12 + 5 * 7 * 20,
            "multiplies": 5 * 7 * 12 + 5 * 7 * 20 + 5 * 12,  # the queries by 1/√3
            "additions": 4 * 5 * 7 * 2 + 4 * 5 * 7 + 4 * 5 * 6 + 5 * 20 * 6,
            "comparisons": 4 * 5 * 6,
            "exponentials": 4 * 5 * 7,
            "divisions": 4 * 5 * 7,
        },
    ),
    (  # a bias for each of the distances −2 … 2
        attention(1, relative=2, nobias=True),
        [Shape(4, 2)],
        Shape(4, 2),
        {
            "weight": 4 * 2 * 2,
            "position": 5,
            "headline": 4 * 4 * 2 * 2 + 2 * 4 * 4 * 2,
            "multiplies": 64 + 64,
            "additions": 4 * 4 * 2 + 4 * 4 + 4 * 4 + 4 * 4 + 4 * 3 + 4 * 2 * 3,
            "comparisons": 4 * 3,
            "exponentials": 16,
            "divisions": 16,
            "connections": 4 * 4 * 2 * 2,
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
