"""deconv, by hand: operator, inputs, output, what it costs. What is left out is zero.

A transposed convolution spreads every input over kernel × filters/groups outputs: as many multiplies,
and as many additions less one (the first to arrive) per output touched; those that the padding
crops are made too. A bias is one addition for each output that stays.
"""

from archcalc.operators import operator_class

deconv = operator_class("deconv")

ROWS = [
    (
        deconv(64, k=2, s=2),  # U-Net's: windows side by side, every output touched once
        [(28, 28, 128)],
        (27 * 2 + 2, 27 * 2 + 2, 64),
        {
            "weight": 2 * 2 * 128 * 64,
            "bias": 64,
            "headline": 28 * 28 * 128 * 2 * 2 * 64,
            "multiplies": 28 * 28 * 128 * 2 * 2 * 64,
            "additions": 28 * 28 * 128 * 2 * 2 * 64 - 56 * 56 * 64 + 56 * 56 * 64,
            "connections": 28 * 28 * 128 * 2 * 2 * 64 + 56 * 56 * 64,
        },
    ),
    (
        deconv(8, k=4, s=2, p=1),  # s < k: 16×12 are touched, 14×10 stay
        [(7, 5, 6)],
        (6 * 2 + 4 - 2, 4 * 2 + 4 - 2, 8),
        {
            "weight": 4 * 4 * 6 * 8,
            "bias": 8,
            "headline": 7 * 5 * 6 * 4 * 4 * 8,
            "multiplies": 7 * 5 * 6 * 4 * 4 * 8,
            "additions": 7 * 5 * 6 * 4 * 4 * 8 - 16 * 12 * 8 + 14 * 10 * 8,
            "connections": 7 * 5 * 6 * 4 * 4 * 8 + 14 * 10 * 8,
        },
    ),
    (
        deconv(5, k=2, s=3, nobias=True),  # s > k: gaps; 4·2 × 3·2 of 11×8 are touched
        [(4, 3, 2)],
        (3 * 3 + 2, 2 * 3 + 2, 5),
        {
            "weight": 2 * 2 * 2 * 5,
            "headline": 4 * 3 * 2 * 2 * 2 * 5,
            "multiplies": 4 * 3 * 2 * 2 * 2 * 5,
            "additions": 4 * 3 * 2 * 2 * 2 * 5 - 8 * 6 * 5,
            "connections": 4 * 3 * 2 * 2 * 2 * 5,
        },
    ),
    (
        deconv(5, k=2, s=3),  # the bias is added in the gaps too
        [(4, 3, 2)],
        (11, 8, 5),
        {
            "weight": 2 * 2 * 2 * 5,
            "bias": 5,
            "headline": 4 * 3 * 2 * 2 * 2 * 5,
            "multiplies": 4 * 3 * 2 * 2 * 2 * 5,
            "additions": 4 * 3 * 2 * 2 * 2 * 5 - 8 * 6 * 5 + 11 * 8 * 5,
            "connections": 4 * 3 * 2 * 2 * 2 * 5 + 11 * 8 * 5,
        },
    ),
    (
        deconv(12, k=3, s=2, p=1, g=3, nobias=True),  # each input reaches 12/3 filters
        [(6, 6, 9)],
        (5 * 2 + 3 - 2, 5 * 2 + 3 - 2, 12),
        {
            "weight": 3 * 3 * (9 // 3) * 12,
            "headline": 6 * 6 * 9 * 3 * 3 * 4,
            "multiplies": 6 * 6 * 9 * 3 * 3 * 4,
            "additions": 6 * 6 * 9 * 3 * 3 * 4 - 13 * 13 * 12,
            "connections": 6 * 6 * 9 * 3 * 3 * 4,
        },
    ),
    (
        deconv(21, k=64, s=32, p=16, g=21, nobias=True),  # FCN-32s' upsampling, channel by channel
        [(10, 8, 21)],
        (9 * 32 + 64 - 32, 7 * 32 + 64 - 32, 21),
        {
            "weight": 64 * 64 * 1 * 21,
            "headline": 10 * 8 * 21 * 64 * 64,
            "multiplies": 10 * 8 * 21 * 64 * 64,
            "additions": 10 * 8 * 21 * 64 * 64 - (9 * 32 + 64) * (7 * 32 + 64) * 21,
            "connections": 10 * 8 * 21 * 64 * 64,
        },
    ),
    (
        deconv(4, k=(2, 3), s=(1, 4), p=(0, 1), nobias=True),  # s < k down, s > k across
        [(5, 4, 2)],
        (4 * 1 + 2, 3 * 4 + 3 - 2, 4),
        {
            "weight": 2 * 3 * 2 * 4,
            "headline": 5 * 4 * 2 * 2 * 3 * 4,
            "multiplies": 5 * 4 * 2 * 2 * 3 * 4,
            "additions": 5 * 4 * 2 * 2 * 3 * 4 - (4 + 2) * (4 * 3) * 4,
            "connections": 5 * 4 * 2 * 2 * 3 * 4,
        },
    ),
    (
        deconv(100, k=4),  # DCGAN's first: a vector becomes a 4×4 map
        [(1, 1, 10)],
        (4, 4, 100),
        {
            "weight": 4 * 4 * 10 * 100,
            "bias": 100,
            "headline": 10 * 4 * 4 * 100,
            "multiplies": 10 * 4 * 4 * 100,
            "additions": 10 * 4 * 4 * 100 - 4 * 4 * 100 + 4 * 4 * 100,
            "connections": 10 * 4 * 4 * 100 + 4 * 4 * 100,
        },
    ),
    (  # a row and a column more than the convolution of stride 2 that it undoes; 17 = (8 − 1)·2 + 3
        deconv(4, k=3, s=2, p=1, g=4, out=1),
        [(8, 8, 4)],
        (17 - 2 * 1 + 1, 16, 4),
        {
            "weight": 3 * 3 * 1 * 4,
            "bias": 4,
            "headline": 8 * 8 * 4 * 9,
            "multiplies": 8 * 8 * 4 * 9,
            "additions": 8 * 8 * 4 * 9 - 17 * 17 * 4 + 16 * 16 * 4,
            "connections": 8 * 8 * 4 * 9 + 16 * 16 * 4,
        },
    ),
    (  # dilation 2: 0…9 + 0, 2, 4 are all of 0…13
        deconv(1, k=3, d=2),
        [(10, 10, 1)],
        (14, 14, 1),
        {
            "weight": 9,
            "bias": 1,
            "headline": 900,
            "multiplies": 10 * 10 * 9,
            "additions": 900 - 14 * 14 + 14 * 14,
            "connections": 900 + 14 * 14,
        },
    ),
    (  # along an axis 0, 2, 4 + 0, 4: 0, 2, 4, 6, 8, five values of the nine
        deconv(1, k=2, s=2, d=4, nobias=True),
        [(3, 3, 1)],
        (9, 9, 1),
        {
            "weight": 4,
            "headline": 36,
            "multiplies": 3 * 3 * 4,
            "additions": 36 - 5 * 5,
            "connections": 36,
        },
    ),
    (
        deconv(3, nobias=True),  # 1×1: what a 1×1 conv does, no more
        [(4, 5, 2)],
        (4, 5, 3),
        {
            "weight": 1 * 1 * 2 * 3,
            "headline": 4 * 5 * 2 * 3,
            "multiplies": 4 * 5 * 2 * 3,
            "additions": 4 * 5 * 3 * (2 - 1),
            "connections": 4 * 5 * 2 * 3,
        },
    ),
]
