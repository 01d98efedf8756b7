"""conv, by hand: operator, inputs, output, what it costs. What is left out is zero.

Multiplies: outputs × kernel × channels/groups; additions: one fewer an output, plus one with bias;
connections: the multiplies, plus one a bias used.
"""

from archcalc.operators import operator_class

conv = operator_class("conv")

# LeCun et al. 1998, Table I: 6 maps of three channels, 9 of four, one of all six
LENET_C3 = [
    *([i, (i + 1) % 6, (i + 2) % 6] for i in range(6)),
    *([i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6] for i in range(6)),
    *([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]),
]

ROWS = [
    (
        conv(32, k=5, half=True),  # the 5×5 branch of an inception module
        [(28, 28, 192)],
        (28, 28, 32),
        {
            "weight": 5 * 5 * 192 * 32,
            "bias": 32,
            "headline": 28 * 28 * 32 * 5 * 5 * 192,
            "multiplies": 28 * 28 * 32 * 5 * 5 * 192,
            "additions": 28 * 28 * 32 * (5 * 5 * 192 - 1) + 28 * 28 * 32,
            "connections": 28 * 28 * 32 * 5 * 5 * 192 + 28 * 28 * 32,
        },
    ),
    (
        conv(16),  # kernel and stride are 1: a linear layer at every position
        [(28, 28, 192)],
        (28, 28, 16),
        {
            "weight": 1 * 1 * 192 * 16,
            "bias": 16,
            "headline": 28 * 28 * 16 * 192,
            "multiplies": 28 * 28 * 16 * 192,
            "additions": 28 * 28 * 16 * (192 - 1) + 28 * 28 * 16,
            "connections": 28 * 28 * 16 * (192 + 1),
        },
    ),
    (
        conv(6, k=5),  # LeNet-5's C1, 122,304 connections in the paper
        [(32, 32, 1)],
        (28, 28, 6),
        {
            "weight": 5 * 5 * 1 * 6,
            "bias": 6,
            "headline": 28 * 28 * 6 * 25,
            "multiplies": 28 * 28 * 6 * 25,
            "additions": 28 * 28 * 6 * 24 + 28 * 28 * 6,
            "connections": 28 * 28 * 6 * (25 + 1),
        },
    ),
    (
        conv(4096, k=7, nobias=True),  # the kernel is the whole input: a linear layer
        [(7, 7, 512)],
        (1, 1, 4096),
        {
            "weight": 7 * 7 * 512 * 4096,
            "headline": 4096 * 7 * 7 * 512,
            "multiplies": 4096 * 7 * 7 * 512,
            "additions": 4096 * (7 * 7 * 512 - 1),
            "connections": 4096 * 7 * 7 * 512,
        },
    ),
    (
        conv(256, k=5, p=2, g=2),  # AlexNet's second: each half sees 48 of 96 channels
        [(27, 27, 96)],
        (27, 27, 256),
        {
            "weight": 5 * 5 * (96 // 2) * 256,
            "bias": 256,
            "headline": 27 * 27 * 256 * 5 * 5 * 48,
            "multiplies": 27 * 27 * 256 * 5 * 5 * 48,
            "additions": 27 * 27 * 256 * (5 * 5 * 48 - 1) + 27 * 27 * 256,
            "connections": 27 * 27 * 256 * (5 * 5 * 48 + 1),
        },
    ),
    (
        conv(32, k=3, s=2, p=1, g=32, nobias=True),  # depthwise; (112 + 2 − 3) // 2 + 1 = 56
        [(112, 112, 32)],
        (56, 56, 32),
        {
            "weight": 3 * 3 * 1 * 32,
            "headline": 56 * 56 * 32 * 9,
            "multiplies": 56 * 56 * 32 * 9,
            "additions": 56 * 56 * 32 * 8,
            "connections": 56 * 56 * 32 * 9,
        },
    ),
    (
        conv(24, k=3, half=True, g=8),  # three filters a channel
        [(5, 6, 8)],
        (5, 6, 24),
        {
            "weight": 3 * 3 * 1 * 24,
            "bias": 24,
            "headline": 5 * 6 * 24 * 9,
            "multiplies": 5 * 6 * 24 * 9,
            "additions": 5 * 6 * 24 * 8 + 5 * 6 * 24,
            "connections": 5 * 6 * 24 * (9 + 1),
        },
    ),
    (
        conv(8, k=3, d=2),  # the kernel spans 2·(3 − 1) + 1 = 5
        [(10, 9, 4)],
        (10 - 5 + 1, 9 - 5 + 1, 8),
        {
            "weight": 3 * 3 * 4 * 8,
            "bias": 8,
            "headline": 6 * 5 * 8 * 3 * 3 * 4,
            "multiplies": 6 * 5 * 8 * 3 * 3 * 4,
            "additions": 6 * 5 * 8 * (3 * 3 * 4 - 1) + 6 * 5 * 8,
            "connections": 6 * 5 * 8 * (3 * 3 * 4 + 1),
        },
    ),
    (
        conv(8, k=3, d=4, half=True, nobias=True),  # pads 4·(3 − 1)/2 = 4 on both sides
        [(10, 9, 4)],
        (10, 9, 8),
        {
            "weight": 3 * 3 * 4 * 8,
            "headline": 10 * 9 * 8 * 3 * 3 * 4,
            "multiplies": 10 * 9 * 8 * 3 * 3 * 4,
            "additions": 10 * 9 * 8 * (3 * 3 * 4 - 1),
            "connections": 10 * 9 * 8 * 3 * 3 * 4,
        },
    ),
    (
        conv(64, k=(1, 7), s=(2, 1), p=(0, 3), nobias=True),
        [(17, 15, 8)],
        ((17 - 1) // 2 + 1, (15 + 2 * 3 - 7) // 1 + 1, 64),
        {
            "weight": 1 * 7 * 8 * 64,
            "headline": 9 * 15 * 64 * 7 * 8,
            "multiplies": 9 * 15 * 64 * 7 * 8,
            "additions": 9 * 15 * 64 * (7 * 8 - 1),
            "connections": 9 * 15 * 64 * 7 * 8,
        },
    ),
    (
        conv(5, k=(3, 5), s=(2, 3), d=(3, 1)),  # spans 7 and 5
        [(20, 21, 2)],
        ((20 - 7) // 2 + 1, (21 - 5) // 3 + 1, 5),
        {
            "weight": 3 * 5 * 2 * 5,
            "bias": 5,
            "headline": 7 * 6 * 5 * 3 * 5 * 2,
            "multiplies": 7 * 6 * 5 * 3 * 5 * 2,
            "additions": 7 * 6 * 5 * (3 * 5 * 2 - 1) + 7 * 6 * 5,
            "connections": 7 * 6 * 5 * (3 * 5 * 2 + 1),
        },
    ),
    (
        conv(4, k=(1, 3), p=(0, 1)),  # one axis: height 1
        [(1, 16, 4)],
        (1, 16, 4),
        {
            "weight": 1 * 3 * 4 * 4,
            "bias": 4,
            "headline": 16 * 4 * 3 * 4,
            "multiplies": 16 * 4 * 3 * 4,
            "additions": 16 * 4 * (3 * 4 - 1) + 16 * 4,
            "connections": 16 * 4 * (3 * 4 + 1),
        },
    ),
    (
        conv(64, k=7, s=2, half=True, nobias=True),  # even and odd size: 112 and 113
        [(224, 225, 3)],
        ((224 + 6 - 7) // 2 + 1, (225 + 6 - 7) // 2 + 1, 64),
        {
            "weight": 7 * 7 * 3 * 64,
            "headline": 112 * 113 * 64 * 7 * 7 * 3,
            "multiplies": 112 * 113 * 64 * 7 * 7 * 3,
            "additions": 112 * 113 * 64 * (7 * 7 * 3 - 1),
            "connections": 112 * 113 * 64 * 7 * 7 * 3,
        },
    ),
    (
        conv(3, k=4, s=3, p=1, nobias=True),  # (9 + 2 − 4) / 3 is rounded down, (8 + 2 − 4) / 3 is 2
        [(9, 8, 2)],
        (2 + 1, 2 + 1, 3),
        {
            "weight": 4 * 4 * 2 * 3,
            "headline": 3 * 3 * 3 * 4 * 4 * 2,
            "multiplies": 3 * 3 * 3 * 4 * 4 * 2,
            "additions": 3 * 3 * 3 * (4 * 4 * 2 - 1),
            "connections": 3 * 3 * 3 * 4 * 4 * 2,
        },
    ),
    (
        conv(4, k=3, s=2, same=True, nobias=True),  # 7 / 2 rounded up, 8 / 2
        [(7, 8, 3)],
        (4, 4, 4),
        {
            "weight": 3 * 3 * 3 * 4,
            "headline": 4 * 4 * 4 * 3 * 3 * 3,
            "multiplies": 4 * 4 * 4 * 3 * 3 * 3,
            "additions": 4 * 4 * 4 * (3 * 3 * 3 - 1),
            "connections": 4 * 4 * 4 * 3 * 3 * 3,
        },
    ),
    (
        conv(2, k=(4, 1), s=(1, 3), same=True, nobias=True),  # even kernel; stride over its kernel
        [(5, 7, 3)],
        (5, 3, 2),
        {
            "weight": 4 * 1 * 3 * 2,
            "headline": 5 * 3 * 2 * 4 * 3,
            "multiplies": 5 * 3 * 2 * 4 * 3,
            "additions": 5 * 3 * 2 * (4 * 3 - 1),
            "connections": 5 * 3 * 2 * 4 * 3,
        },
    ),
    (
        conv(16, k=5, table=LENET_C3),  # LeNet-5's C3: 1,516 parameters, 151,600 connections
        [(14, 14, 6)],
        (10, 10, 16),
        {
            "weight": 5 * 5 * (6 * 3 + 9 * 4 + 1 * 6),
            "bias": 16,
            "headline": 10 * 10 * 5 * 5 * 60,
            "multiplies": 10 * 10 * 5 * 5 * 60,
            "additions": 10 * 10 * (5 * 5 * 60 - 16) + 10 * 10 * 16,
            "connections": 10 * 10 * (5 * 5 * 60 + 16),
        },
    ),
    (
        conv(3, k=(2, 1), nobias=True, table=[[0], [1, 3], [0, 1, 2]]),
        [(4, 5, 4)],
        (3, 5, 3),
        {
            "weight": 2 * 1 * (1 + 2 + 3),
            "headline": 3 * 5 * 2 * (1 + 2 + 3),
            "multiplies": 3 * 5 * 2 * (1 + 2 + 3),
            "additions": 3 * 5 * ((2 * 1 - 1) + (2 * 2 - 1) + (2 * 3 - 1)),
            "connections": 3 * 5 * 2 * (1 + 2 + 3),
        },
    ),
]
