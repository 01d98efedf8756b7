"""Operators that only move values: operator, inputs, output; all of them cost nothing."""

from archcalc.arithmetic import Margin
from archcalc.operators import operator_class
from archcalc.operators.shape import Shape

flatten, todepth, padchannels, cut, shuffle = map(
    operator_class, ("flatten", "todepth", "padchannels", "slice", "shuffle")
)
roll, permute, reshape = map(operator_class, ("roll", "permute", "reshape"))
pad, crop, pixelshuffle, pixelunshuffle = map(
    operator_class, ("pad", "crop", "pixelshuffle", "pixelunshuffle")
)

ROWS = [
    (flatten(), [(7, 6, 512)], (1, 1, 7 * 6 * 512), {}),
    (flatten(), [(1, 1, 10)], (1, 1, 10), {}),
    (flatten(), [Shape(49, 10)], (1, 1, 49 * 10), {}),
    (todepth(2), [(56, 54, 96)], (28, 27, 96 * 4), {}),
    (todepth((1, 3)), [(5, 9, 2)], (5, 3, 2 * 3), {}),
    (todepth(2), [(7, 1, 8)], (4, 1, 8 * 4), {}),  # zeros below and to the right
    (padchannels(64), [(28, 27, 32)], (28, 27, 64), {}),
    (padchannels(32), [(28, 27, 32)], (28, 27, 32), {}),
    (cut(16), [(28, 27, 64)], (28, 27, 16), {}),
    (cut(16, **{"from": 48}), [(28, 27, 64)], (28, 27, 16), {}),  # the last: 48 + 16 = 64
    (cut(64), [(28, 27, 64)], (28, 27, 64), {}),
    (cut(16), [Shape(197, 64)], Shape(197, 16), {}),
    (pad(3), [(224, 200, 3)], (3 + 224 + 3, 206, 3), {}),
    (pad((Margin(0, 1), 2), edge=True), [(8, 9, 3)], (8 + 1, 2 + 9 + 2, 3), {}),
    (crop(Margin(0, 1)), [(8, 9, 3)], (7, 8, 3), {}),
    (crop((4, 0)), [(9, 9, 3)], (1, 9, 3), {}),
    (pixelshuffle(3), [(85, 85, 9)], (255, 255, 1), {}),  # 9 channels are one of 3 × 3
    (pixelshuffle((1, 2)), [(5, 4, 6)], (5, 8, 3), {}),
    (pixelshuffle(2, rank=1), [Shape(10, 6)], Shape(20, 3), {}),
    (pixelunshuffle(2), [(8, 6, 3)], (4, 3, 3 * 4), {}),
    (pixelunshuffle((2, 1, 3), rank=3), [Shape(4, 5, 6, 2)], Shape(2, 5, 2, 2 * 6), {}),
    (cut(3, axis="height", **{"from": 4}), [(7, 6, 5)], (3, 6, 5), {}),  # the last: 4 + 3 = 7
    (cut(2, axis="width"), [(7, 6, 5)], (7, 2, 5), {}),
    (cut(9, axis="length", **{"from": 1}), [Shape(10, 8)], Shape(9, 8), {}),
    (cut(1, axis="frames"), [Shape(4, 7, 6, 5)], Shape(1, 7, 6, 5), {}),
    (shuffle(4), [(28, 27, 64)], (28, 27, 64), {}),
    (shuffle(1), [(5, 4, 3)], (5, 4, 3), {}),
    (shuffle(3), [(5, 4, 3)], (5, 4, 3), {}),
    (roll(3), [(7, 6, 5)], (7, 6, 5), {}),
    (roll(-3, axis="height"), [(7, 6, 5)], (7, 6, 5), {}),
    (permute((1, 0, 2)), [(7, 6, 5)], (6, 7, 5), {}),
    (permute((2, 0, 1)), [(7, 6, 5)], (5, 7, 6), {}),
    (permute((1, 0), rank=1), [Shape(196, 768)], Shape(768, 196), {}),
    (permute((3, 1, 2, 0), rank=3), [Shape(4, 7, 6, 5)], Shape(5, 7, 6, 4), {}),
    (reshape((14, 14, 768), rank=1), [Shape(196, 768)], (14, 14, 768), {}),
    (reshape((12, -1, 64), rank=1), [Shape(196, 768)], (12, 196, 64), {}),  # 196 · 768 / (12 · 64)
    (reshape((-1,)), [(7, 6, 5)], (1, 1, 7 * 6 * 5), {}),
    (reshape((4, 5, -1, 2)), [(8, 5, 6)], Shape(4, 5, 8 * 5 * 6 // 40, 2), {}),
]
