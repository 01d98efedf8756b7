"""Pools, by hand: operator, inputs, output, what it costs. What is left out is zero.

Window − 1 comparisons (max) or additions (mean, sum) an output; a mean is one multiply more. A sum
pool is LeNet's trainable subsampling: its window counts as connections.
"""

from archcalc.operators import operator_class

maxpool, avgpool, sumpool, gap, adaptivepool = map(
    operator_class, ("maxpool", "avgpool", "sumpool", "gap", "adaptivepool")
)

ROWS = [
    (  # cells of 10: 0…3, 3…6, 6…9; 12 = 10 + 3 − 1 rows and as many columns, for 9 outputs
        adaptivepool(3),
        [(10, 10, 2)],
        (3, 3, 2),
        {"additions": 2 * (12 * 12 - 9), "multiplies": 9 * 2},
    ),
    (  # torchvision's AlexNet at 224: every cell is a value
        adaptivepool(6),
        [(6, 6, 256)],
        (6, 6, 256),
        {"multiplies": 6 * 6 * 256},
    ),
    (  # one cell, as gap
        adaptivepool(1),
        [(7, 5, 3)],
        (1, 1, 3),
        {"additions": 3 * (7 * 5 - 1), "multiplies": 3},
    ),
    (  # rows 0…3, 3…6 of 7; columns 0…1, 1…2, 2…3 of 4
        adaptivepool((2, 3), max=True),
        [(7, 4, 5)],
        (2, 3, 5),
        {"comparisons": 5 * (8 * 6 - 6)},
    ),
    (  # more cells than values: each reads one
        adaptivepool(4),
        [(2, 2, 1)],
        (4, 4, 1),
        {"multiplies": 16},
    ),
    (  # rows 0…1, 1…3, 3…4 of 5: 2 + 3 + 2 = 5 + 3 − 1
        adaptivepool((3, 1)),
        [(5, 1, 4)],
        (3, 1, 4),
        {"additions": 4 * (7 - 3), "multiplies": 3 * 4},
    ),
    (  # the stride is the window
        maxpool(2),
        [(224, 225, 64)],
        (112, 112, 64),
        {"comparisons": 112 * 112 * 64 * (2 * 2 - 1)},
    ),
    (  # AlexNet's overlapping windows
        maxpool(3, s=2),
        [(55, 55, 96)],
        ((55 - 3) // 2 + 1, 27, 96),
        {"comparisons": 27 * 27 * 96 * (3 * 3 - 1)},
    ),
    (  # (112 − 3) / 2 = 54.5 rounds down …
        maxpool(3, s=2),
        [(112, 112, 64)],
        (54 + 1, 55, 64),
        {"comparisons": 55 * 55 * 64 * 8},
    ),
    (  # … and up with `ceil`, as GoogLeNet's
        maxpool(3, s=2, ceil=True),
        [(112, 112, 64)],
        (55 + 1, 56, 64),
        {"comparisons": 56 * 56 * 64 * 8},
    ),
    (  # height: (3 + 2 − 2)/2 rounds up to 2, but the third window would start at 4 = 3 + 1, in the
        # padding, and is dropped; width: (4 + 2 − 2)/2 = 2, the third starts at 4 < 4 + 1 and stays
        maxpool(2, p=1, ceil=True),
        [(3, 4, 5)],
        (2, 3, 5),
        {"comparisons": 2 * 3 * 5 * 3},
    ),
    (  # no padding, stride over the window: starts 0, 2, (4 of 4: dropped) and 0, 2, 4 of 5
        maxpool(1, s=2, ceil=True),
        [(4, 5, 3)],
        (2, 3, 3),
        {},
    ),
    (  # half and ceil: (112 + 2 − 3)/2 = 55.5 rounds up to 56; the last starts at 112 < 112 + 1
        maxpool(3, s=2, half=True, ceil=True),
        [(112, 111, 2)],
        (56 + 1, 55 + 1, 2),
        {"comparisons": 57 * 56 * 2 * 8},
    ),
    (  # the pool branch of an inception module keeps its size
        maxpool(3, s=1, half=True),
        [(28, 28, 192)],
        (28, 28, 192),
        {"comparisons": 28 * 28 * 192 * 8},
    ),
    (  # ResNet's: (112 + 2 − 3) // 2 + 1 = 56
        maxpool(3, s=2, p=1),
        [(112, 112, 64)],
        (56, 56, 64),
        {"comparisons": 56 * 56 * 64 * 8},
    ),
    (  # 35/2 and 36/2 rounded up
        maxpool(3, s=2, same=True),
        [(35, 36, 288)],
        (18, 18, 288),
        {"comparisons": 18 * 18 * 288 * 8},
    ),
    (  # 5/2 rounded up, 4/2
        maxpool(2, s=2, same=True),
        [(5, 4, 3)],
        (3, 2, 3),
        {"comparisons": 3 * 2 * 3 * 3},
    ),
    (  # along one axis: 9 // 2 windows of 1×2
        maxpool((1, 2)),
        [(1, 9, 4)],
        (1, 4, 4),
        {"comparisons": 4 * 4 * (1 * 2 - 1)},
    ),
    (  # (10 − 3) // 2 + 1 = 4, (10 + 2 − 2) // 1 + 1 = 11
        maxpool((3, 2), s=(2, 1), p=(0, 1)),
        [(10, 10, 2)],
        (4, 11, 2),
        {"comparisons": 4 * 11 * 2 * (3 * 2 - 1)},
    ),
    (
        avgpool(7),
        [(7, 7, 2048)],
        (1, 1, 2048),
        {"additions": 2048 * (7 * 7 - 1), "multiplies": 2048},
    ),
    (
        avgpool(3, s=1, half=True),
        [(35, 35, 192)],
        (35, 35, 192),
        {"additions": 35 * 35 * 192 * 8, "multiplies": 35 * 35 * 192},
    ),
    (  # (17 − 5) // 3 + 1 = 5, (14 − 2) // 3 + 1 = 5
        avgpool((5, 2), s=3),
        [(17, 14, 3)],
        (5, 5, 3),
        {"additions": 5 * 5 * 3 * (5 * 2 - 1), "multiplies": 5 * 5 * 3},
    ),
    (  # LeNet-5's S2: 4 links an output, the bias is the following scale's
        sumpool(2),
        [(28, 28, 6)],
        (14, 14, 6),
        {"additions": 14 * 14 * 6 * 3, "connections": 14 * 14 * 6 * 4},
    ),
    (
        sumpool((2, 3), s=(2, 1)),
        [(6, 5, 2)],
        (3, 3, 2),
        {"additions": 3 * 3 * 2 * 5, "connections": 3 * 3 * 2 * (2 * 3)},
    ),
    (  # every value once: nothing to add or compare
        sumpool(1),
        [(3, 3, 2)],
        (3, 3, 2),
        {"connections": 3 * 3 * 2},
    ),
    (
        gap(),
        [(7, 7, 2048)],
        (1, 1, 2048),
        {"additions": 2048 * (7 * 7 - 1), "multiplies": 2048},
    ),
    (gap(), [(3, 5, 2)], (1, 1, 2), {"additions": 2 * (15 - 1), "multiplies": 2}),
    (gap(), [(1, 1, 8)], (1, 1, 8), {"multiplies": 8}),  # one position: still divided by 1
]
