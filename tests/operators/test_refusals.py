"""Every refusal of an operator: its text, the argument that it blames, the way out that it shows."""

from __future__ import annotations

import ast
import math
import traceback
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import archcalc.operators
from archcalc.arithmetic import Margin
from archcalc.errors import ShapeError
from archcalc.operators import operator_class
from archcalc.operators.argument import Argument
from archcalc.operators.shape import Shape
from archcalc.symbols import Program


class Call(NamedTuple):
    """An operator as it is called, and what it is given."""

    name: str
    required: tuple[Any, ...]
    optional: dict[str, Any]
    inputs: tuple[tuple[int, ...], ...] = ()

    def run(self) -> None:
        inputs = [x if isinstance(x, Shape) else Shape(*x) for x in self.inputs]
        rank = inputs[0].rank if inputs else 2
        operator = operator_class(self.name)(*self.required, **self.optional, rank=rank)
        if inputs:
            operator.output_shape(*inputs)

    def lifted(self, program: Program) -> Call:
        """The same with every number a symbol of `program`."""

        def lift(value: Any) -> Any:
            if isinstance(value, tuple):
                return getattr(value, "_make", tuple)(map(lift, value))
            if isinstance(value, bool) or not isinstance(value, int):
                return value
            return program.variable(f"n{len(program.inputs)}", value)

        optional = {k: v if k in STRUCTURAL else lift(v) for k, v in self.optional.items()}
        return Call(self.name, lift(self.required), optional, lift(self.inputs))


def call(name: str, *required: Any, on: Any = (), **optional: Any) -> Call:
    return Call(name, required, optional, tuple(on if isinstance(on, list) else [on] if on else []))


STRUCTURAL = ("layers", "biases")  # decided while building, as a repeat is
MAP, TOKENS, VOLUME = (28, 27, 192), Shape(196, 768), (4, 8, 8, 6)
NO_MAP = "`linear` sees each token, `transpose` makes channels of tokens"
SEQUENCE = "`tokens` makes a sequence of a map"
POSITIVE, NATURAL = "must be a positive integer, not", "must be an integer of 0 or more, not"
NUMBER, EPS = "must be a positive number of at most 1, not", "as in `eps={0.001}`"
AXES = "`bilinear` goes along one, two or three"
RESIZE = "as in `resize 65x65`, or `resize @e4` for the size of another tensor"
TWO_SIDES = "only padding has two sides: `p0:1`"
BOUNDS = "as in `clip low={-1} high={1}`"
ODD = "use `same`, or write the padding: `p1`"
CHANNELS = "`conv 8` behind the 4×4×9, or `conv 9` behind the 4×4×8, makes the channels equal"
DECIMAL = "floor(x), ceil(x) or round_to(x, 8) makes it one"
FLATTEN = "`flatten` or `gap` the map first"
SMALLER = "padding (`half`), or a larger input"
STRIDES = "heights and widths must agree: pad the convs (`half`), or give both the same strides"
ROUND = "floor(x), ceil(x) or round_to(x, 8) makes it one"
MAPS = "heights and widths must agree; pad the convs (`half`), or pool with stride 1 (`s1 half`)"
NO_TABLE, NO_CHANNEL = (
    "`table` must be a list of lists of channels",
    "`table` holds channels: integers from 0",
)

# the call; the message, the argument to blame, the help
REFUSALS: list[tuple[Call, str, str, str]] = [
    (call("relu", 7, on=MAP), "relu takes 0 arguments at most", "", ""),
    # groups: every number that divides both is listed, a dozen at most
    (
        call("conv", 256, g=5, on=MAP),
        "5 groups do not divide 192 channels",
        "g",
        "groups that divide both 192 and 256: 1, 2, 4, 8, 16, 32, 64",
    ),
    (
        call("conv", 31, g=2, on=MAP),
        "2 groups do not divide 31 filters",
        "g",
        "groups that divide both 192 and 31: 1",
    ),
    (
        call("deconv", 4096, g=3, on=(3, 3, 4096)),
        "3 groups do not divide 4096 channels",
        "g",
        "groups that divide both 4096 and 4096: 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, …",
    ),
    (
        call("deconv", 60, g=8, on=(3, 3, 120)),
        "8 groups do not divide 60 filters",
        "g",
        "groups that divide both 120 and 60: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60",
    ),
    (
        call("conv", 10**6, g=3, on=(1, 1, 10**6)),
        "3 groups do not divide 1000000 channels",
        "g",
        "groups that divide both 1000000 and 1000000: 1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 40, 50, …",
    ),
    (  # too many to look through
        call("conv", 1000001, g=3, on=(1, 1, 1000001)),
        "3 groups do not divide 1000001 channels",
        "g",
        "",
    ),
    # windows
    (
        call("conv", 8, k=7, on=(5, 9, 3)),
        "a window of 7 does not fit the height of 5",
        "k",
        f"a kernel of at most 5, {SMALLER}",
    ),
    (
        call("conv", 8, k=(1, 7), p=(0, 1), on=(5, 4, 3)),
        "a window of 7 does not fit the width of 6",
        "k",
        f"a kernel of at most 6, {SMALLER}",
    ),
    (  # span 3·(3 − 1) + 1; a kernel of 2 spans 4, which fits 6
        call("conv", 8, k=3, d=3, p=1, on=(4, 4, 3)),
        "a window of 7 does not fit the height of 6",
        "k",
        f"a kernel of at most 2, {SMALLER}",
    ),
    (
        call("maxpool", 3, on=(3, 2, 8)),
        "a window of 3 does not fit the width of 2",
        "window",
        f"a kernel of at most 2, {SMALLER}",
    ),
    (
        call("avgpool", 8, s=1, ceil=True, on=(7, 7, 8)),
        "a window of 8 does not fit the height of 7",
        "window",
        f"a kernel of at most 7, {SMALLER}",
    ),
    (call("conv", 8, k=4, half=True), "`half` padding needs an odd kernel, not 4", "half", ODD),
    (call("conv", 8, k=(3, 2), half=True), "`half` padding needs an odd kernel, not 2", "half", ODD),
    (call("sumpool", 2, half=True), "`half` padding needs an odd kernel, not 2", "half", ODD),
    (
        call("deconv", 8, k=2, s=2, p=4, on=(4, 9, 3)),
        "a padding of 4 crops the whole output of 8",
        "p",
        "",
    ),
    (
        call("deconv", 8, k=3, s=2, out=2, on=(4, 4, 3)),
        "an output padding of 2 is no less than stride and dilation",
        "out",
        "at most 1: with more, a larger kernel or stride is meant",
    ),
    (call("deconv", 8, out=-1), f"`out` {NATURAL} -1", "out", ""),
    (call("deconv", 8, d=0), f"`d` {POSITIVE} 0", "d", ""),
    (
        call("deconv", 8, k=3, s=2, out=(1, 1, 0), on=(4, 4, 3)),
        "`out` of 1×1×0 names 3 axes; what arrives has 2",
        "out",
        "`out=3` is 3 along each axis, `out=3x3` names all 2",
    ),
    (
        call("deconv", 8, k=2, p=(0, 3), on=(4, 4, 3)),
        "a padding of 3 crops the whole output of 5",
        "p",
        "",
    ),
    # connection tables
    (
        call("conv", 2, g=2, table=[[0], [1]], on=(4, 4, 2)),
        "a connection table and groups exclude each other",
        "table",
        "",
    ),
    (
        call("conv", 3, table=[[0], [1]], on=(4, 4, 2)),
        "the table has 2 rows for 3 filters",
        "table",
        "",
    ),
    (call("conv", 3, table=[], on=(4, 4, 2)), "the table has 0 rows for 3 filters", "table", ""),
    (
        call("conv", 2, table=[[0, 5], [1]], on=(4, 4, 5)),
        "the table names channel 5; there are 5, from 0",
        "table",
        "",
    ),
    (call("conv", 2, table="C3"), NO_TABLE, "table", ""),
    (call("conv", 2, table=3), NO_TABLE, "table", ""),
    (call("conv", 2, table=[0, 1]), NO_TABLE, "table", ""),
    (call("conv", 2, table=["01", "12"]), NO_TABLE, "table", ""),
    (call("conv", 2, table=[[0], []]), NO_TABLE, "table", ""),
    (call("conv", 2, table=[[0], [-1]]), NO_CHANNEL, "table", ""),
    (call("conv", 2, table=[[0], [True]]), NO_CHANNEL, "table", ""),
    (call("conv", 2, table=[[0], [Fraction(1, 2)]]), NO_CHANNEL, "table", ""),
    (call("conv", 2, table=[[0], [1, 2, 1]]), "`table` names a channel twice in one row", "table", ""),
    # vectors
    (call("linear", 10, on=(7, 7, 512)), "`linear` takes a vector, not a 7×7×512 map", "", FLATTEN),
    (call("rbf", 10, on=(1, 2, 84)), "`rbf` takes a vector, not a 1×2×84 map", "", FLATTEN),
    # joins
    (
        call("add", on=[(28, 28, 64), (28, 28, 256)]),
        "cannot add 28×28×256 to 28×28×64",
        "",
        "`conv 64` behind the 28×28×256, or `conv 256` behind the 28×28×64, makes the channels equal",
    ),
    (
        call("add", on=[(28, 28, 64), (28, 14, 64)]),
        "cannot add 28×14×64 to 28×28×64",
        "",
        "`maxpool 1 s1x2` or `conv 64 s1x2` behind the 28×28×64 makes it 28×14×64",
    ),
    (
        call("add", on=[(9, 9, 8), (9, 9, 8), (3, 9, 8)]),
        "cannot add 3×9×8 to 9×9×8",
        "",
        "`maxpool 1 s3x1` or `conv 8 s3x1` behind the 9×9×8 makes it 3×9×8",
    ),
    (
        call("add", on=[(28, 28, 128), (55, 55, 64)]),  # (55 − 1) // 2 + 1 = 28
        "cannot add 55×55×64 to 28×28×128",
        "",
        "`conv 128 s2` behind the 55×55×64 makes it 28×28×128",
    ),
    (call("add", on=[(28, 28, 8), (26, 26, 8)]), "cannot add 26×26×8 to 28×28×8", "", STRIDES),
    (
        call("add", on=[TOKENS, Shape(196, 192)]),
        "cannot add 196×192 to 196×768",
        "",
        "`linear 768` behind the 196×192, or `linear 192` behind the 196×768, makes the channels equal",
    ),
    (
        call("concat", on=[(28, 28, 64), (28, 27, 3)]),
        "cannot concatenate 28×27×3 with 28×28×64",
        "",
        MAPS,
    ),
    (call("concat", on=[(8, 8, 1), (9, 8, 1)]), "cannot concatenate 9×8×1 with 8×8×1", "", MAPS),
    (  # a vector would do, if it had as many channels
        call("mul", on=[(28, 28, 64), (1, 1, 32)]),
        "cannot multiply 32 with 28×28×64",
        "",
        "the vector needs 64 channels: `linear 64`; "
        "`{channels}` are those that arrive at their own step",
    ),
    (
        call("mul", on=[(7, 7, 8), (7, 7, 9)]),
        "cannot multiply 7×7×9 with 7×7×8",
        "",
        "`conv 8` behind the 7×7×9, or `conv 9` behind the 7×7×8, makes the channels equal",
    ),
    (
        call("mul", on=[(14, 14, 8), (28, 28, 8)]),
        "cannot multiply 28×28×8 with 14×14×8",
        "",
        "`maxpool 1 s2` or `conv 8 s2` behind the 28×28×8 makes it 14×14×8",
    ),
    (call("mul", on=[(1, 7, 8), (7, 2, 8)]), "cannot multiply 7×2×8 with 1×7×8", "", STRIDES),
    (call("sub", on=[(4, 4, 8), (4, 4, 9)]), "cannot subtract 4×4×9 from 4×4×8", "", CHANNELS),
    (call("maximum", on=[(4, 4, 8), (4, 4, 9)]), "cannot compare 4×4×9 with 4×4×8", "", CHANNELS),
    (  # both stretch, but the third stands against what they make
        call("add", on=[(1, 1, 8), (3, 4, 8), (2, 4, 8)]),
        "cannot add 2×4×8 to 3×4×8",
        "",
        "`maxpool 1 s2x1` or `conv 8 s2x1` behind the 3×4×8 makes it 2×4×8",
    ),
    (
        call("add", on=[Shape(9, 8), (1, 1, 7)]),
        "cannot add 7 to 9×8",
        "",
        "the vector needs 8 channels: `linear 8`; `{channels}` are those that arrive at their own step",
    ),
    (
        call("concat", axis="height", on=[(4, 5, 8), (3, 5, 7)]),
        "cannot concatenate 3×5×7 with 4×5×8 along the height",
        "",
        "all axes but the height must agree",
    ),
    (
        call("concat", axis="length", on=[TOKENS, VOLUME]),
        "cannot concatenate 4×8×8×6 with 196×768 along the length",
        "",
        SEQUENCE,
    ),
    (
        call("concat", axis="length", on=[(4, 5, 8), (4, 5, 8)]),
        "4×5×8 has no axis `length`",
        "axis",
        "its axes: height, width, channels",
    ),
    (
        call("slice", 2, axis="frames", on=TOKENS),
        "196×768 has no axis `frames`",
        "axis",
        "its axes: length, channels",
    ),
    (
        call("slice", 2, axis="height", **{"from": 6}, on=(7, 6, 5)),
        "height 6 to 7 of 7",
        "size",
        "",
    ),
    (
        call("matmul", on=[TOKENS, Shape(196, 64)]),
        "cannot multiply 196×768 by 196×64",
        "",
        "the other needs 768 positions, and as many matrices: n×k by k×m",
    ),
    (
        call("matmul", on=[TOKENS, Shape(50, 768)]),
        "cannot multiply 196×768 by 50×768",
        "",
        "`transposed` multiplies by the transpose of @label",
    ),
    (
        call("matmul", transposed=True, on=[TOKENS, Shape(768, 196)]),
        "cannot multiply 196×768 by the transpose of 768×196",
        "",
        "the other needs 768 channels, and as many matrices: n×k by m×k",
    ),
    (  # 8 matrices and 7
        call("matmul", on=[(8, 12, 16), (7, 16, 5)]),
        "cannot multiply 8×12×16 by 7×16×5",
        "",
        "the other needs 16 positions, and as many matrices: n×k by k×m",
    ),
    (
        call("mean", axis="length", on=(7, 6, 5)),
        "7×6×5 has no axis `length`",
        "axis",
        "its axes: height, width, channels",
    ),
    (
        call("roll", 1, axis="frames", on=(7, 6, 5)),
        "7×6×5 has no axis `frames`",
        "axis",
        "its axes: height, width, channels",
    ),
    (call("roll", Fraction(1, 2)), "`shift` must be an integer, not 0.5", "shift", DECIMAL),
    *(
        (
            call("permute", order, on=(7, 6, 5)),
            f"`order` of {told} is no order of 3 axes",
            "order",
            "each axis once, from 0, the channels are the last: `1x0x2`",
        )
        for order, told in (
            ([0, 0, 2], "0×0×2"),
            ([1, 2, 3], "1×2×3"),
            ([1, 0], "1×0"),
            ([1], "1"),
            ([0, 1, 2, 3], "0×1×2×3"),
            ([0, 1, -1], "0×1×-1"),
            (list(range(50)), "0×1×2×3×4×5×6×7×8…"),
        )
    ),
    (
        call("reshape", (7, 7, 256), on=(14, 14, 256)),
        "cannot reshape 14×14×256 to 7×7×256: 12544 values, not 50176",
        "shape",
        "",
    ),
    (
        call("reshape", (10**18, 10**18, 10**18), on=(14, 14, 256)),
        f"cannot reshape 14×14×256 to {10**18}×{10**18}×{10**18}: {10**54} values, not 50176",
        "shape",
        "",
    ),
    (
        call("reshape", [-1, 100], on=(14, 14, 256)),
        "cannot reshape 14×14×256 to _×100: 100 does not divide 50176 values",
        "shape",
        "",
    ),
    (
        call("reshape", [-1, -1, 2]),
        "`shape` leaves 2 axes open",
        "shape",
        "one follows from the others: `_x64`",
    ),
    (
        call("reshape", [1] * 50),
        "50 axes: a tensor has channels, and at most three of positions",
        "shape",
        "as in `14x14x256`",
    ),
    (
        call("reshape", []),
        "0 axes: a tensor has channels, and at most three of positions",
        "shape",
        "as in `14x14x256`",
    ),
    (
        call("offset", (7, 96), on=(14, 14, 96)),
        "a stored tensor of 7×96 does not go with 14×14×96",
        "shape",
        "each of its axes is as long as that, or 1",
    ),
    (
        call("factor", (97,), on=(14, 14, 96)),
        "a stored tensor of 97 does not go with 14×14×96",
        "shape",
        "each of its axes is as long as that, or 1",
    ),
    (
        call("offset", (96,), fixed=True, of=9, on=(14, 14, 96)),
        "`fixed` and `of` contradict each other",
        "of",
        "leave `fixed` away",
    ),
    (
        call("factor", [-1, 14, 96], on=(14, 14, 96)),
        "`factor` has a size for each axis",
        "shape",
        "as in `7x7x96`, or `96`",
    ),
    (call("reshape", (0, 4)), f"`shape` {POSITIVE} 0", "shape", ""),
    (call("reshape", [4, -2]), f"`shape` {POSITIVE} -2", "shape", ""),
    (
        call("concat", axis="hight"),
        "`axis` is channels or length or frames or height or width, not hight",
        "axis",
        "did you mean `height`?",
    ),
    (
        call("concat", crop=True, on=[(56, 56, 8), (64, 55, 4)]),
        "`concat crop` cannot cut 64×55×4 to 56×56×8",
        "crop",
        "",
    ),
    # channels
    (call("padchannels", 32, on=(9, 9, 33)), "cannot pad 33 channels to 32", "channels", ""),
    (call("slice", 65, on=(9, 9, 64)), "channels 0 to 64 of 64", "size", ""),
    (call("slice", 16, **{"from": 49}, on=(9, 9, 64)), "channels 49 to 64 of 64", "size", ""),
    (call("shuffle", 3, on=(9, 9, 64)), "3 groups do not divide 64 channels", "groups", ""),
    # kinds of arguments: sizes, pairs, paddings, offsets, flags
    (call("conv", 0), f"`filters` {POSITIVE} 0", "filters", ""),
    (call("linear", -3), f"`units` {POSITIVE} -3", "units", ""),
    (call("lrn", True), f"`size` {POSITIVE} true", "size", ""),
    (call("conv", Fraction(3, 2)), f"`filters` {POSITIVE} 1.5", "filters", ROUND),
    (call("conv", 64.0), f"`filters` {POSITIVE} 64.0", "filters", ""),
    (call("conv", "many"), f"`filters` {POSITIVE} many", "filters", ""),
    (call("conv", None), f"`filters` {POSITIVE} None", "filters", ""),
    (call("conv", (3, 5)), f"`filters` {POSITIVE} 3×5", "filters", ""),
    (call("conv", 8, g=0), f"`g` {POSITIVE} 0", "g", ""),
    (call("conv", 8, k=0), f"`k` {POSITIVE} 0", "k", ""),
    (call("conv", 8, k=(3, 0)), f"`k` {POSITIVE} 0", "k", ""),
    (call("conv", 8, k=(Fraction(1, 2), 3)), f"`k` {POSITIVE} 0.5", "k", ROUND),
    (call("conv", (1, 2, 3)), f"`filters` {POSITIVE} 1×2×3", "filters", ""),
    (
        call("conv", 8, k=(1, 2, 3)),
        "`k` of 1×2×3 names 3 axes; what arrives has 2",
        "k",
        "`k3` is 3 along each axis, `k3x3` names all 2",
    ),
    (
        call("conv", 8, k=(1, 3), on=TOKENS),
        "`k` of 1×3 names 2 axes; what arrives has 1",
        "k",
        "`k3` is 3 along each axis",
    ),
    (
        call("maxpool", (2, 2), on=VOLUME),
        "`window` of 2×2 names 2 axes; what arrives has 3",
        "window",
        "`3` is 3 along each axis, `3x3x3` names all 3",
    ),
    (
        call("conv", 8, k=5, on=VOLUME),
        "a window of 5 does not fit the frames of 4",
        "k",
        "a kernel of at most 4, padding (`half`), or a larger input",
    ),
    (
        call("conv", 8, k=200, on=TOKENS),
        "a window of 200 does not fit the length of 196",
        "k",
        "a kernel of at most 196, padding (`half`), or a larger input",
    ),
    (
        call("windowattention", 3, 4, on=VOLUME),
        "`windowattention` takes a map, not the volume 4×8×8×6",
        "",
        "",
    ),
    (
        call("maxpool", 2, d=4, p=2, on=(2, 9, 1)),
        "a dilation of 4 steps over the height of 2: from padding to padding",
        "d",
        "a dilation of at most 2, or no padding",
    ),
    (
        call("maxpool", 3, d=2, p=5, on=(9, 9, 1)),
        "padding of 5 makes windows of 5 that hold nothing else",
        "p",
        "a padding of at most 4",
    ),
    (
        call("add", on=[VOLUME, (8, 8, 6)]),
        "cannot add 8×8×6 to 4×8×8×6",
        "",
        "both must have as many axes",
    ),
    (
        call("add", on=[VOLUME, (3, 8, 8, 6)]),
        "cannot add 3×8×8×6 to 4×8×8×6",
        "",
        "frames, heights and widths must agree: pad the convs (`half`), or give both the same strides",
    ),
    (
        call("add", on=[VOLUME, (2, 8, 8, 6)]),
        "cannot add 2×8×8×6 to 4×8×8×6",
        "",
        "`maxpool 1 s2x1x1` or `conv 6 s2x1x1` behind the 4×8×8×6 makes it 2×8×8×6",
    ),
    (call("conv", 8, k=[3, [3]]), f"`k` {POSITIVE} [3]", "k", ""),
    (call("conv", [8, 8]), f"`filters` {POSITIVE} [8, 8]", "filters", ""),
    (call("conv", 8, s=False), f"`s` {POSITIVE} false", "s", ""),
    (call("conv", 8, d=-1), f"`d` {POSITIVE} -1", "d", ""),
    (
        call("maxpool", 2, s=2, p=2, on=(9, 9, 1)),
        "padding of 2 makes windows of 2 that hold nothing else",
        "p",
        "a padding of at most 1",
    ),
    (
        call("avgpool", (3, 1), p=(2, 1), on=(9, 9, 1)),
        "padding of 1 makes windows of 1 that hold nothing else",
        "p",
        "a padding of at most 0",
    ),
    (
        call("maxpool", 3, s=2, same=True, ceil=True),
        "`same` leaves nothing to round: `ceil` says nothing",
        "ceil",
        "`same` makes ceil(input/stride) outputs already",
    ),
    (
        call("avgpool", 3, s=2, zeros=True, nozeros=True),
        "`zeros` and `nozeros` contradict each other",
        "nozeros",
        "",
    ),
    (call("conv", 8, p=-1), f"`p` {NATURAL} -1", "p", ""),
    (call("conv", 8, p=Margin(0, -1)), f"`p` {NATURAL} -1", "p", ""),
    (call("conv", 8, k=Margin(0, 1)), f"`k` {POSITIVE} 0:1", "k", TWO_SIDES),
    (call("conv", Margin(0, 1)), f"`filters` {POSITIVE} 0:1", "filters", TWO_SIDES),
    (
        call("conv", 8, p=(Margin(0, 1), 1, 0), on=MAP),
        "`p` of 0:1×1×0 names 3 axes; what arrives has 2",
        "p",
        "`p3` is 3 along each axis, `p3x3` names all 2",
    ),
    (
        call("conv", 8, k=7, p=Margin(0, 1), on=(5, 9, 3)),
        "a window of 7 does not fit the height of 6",
        "k",
        f"a kernel of at most 6, {SMALLER}",
    ),
    (
        call("maxpool", 2, p=Margin(0, 2), on=(9, 9, 1)),
        "padding of 2 makes windows of 2 that hold nothing else",
        "p",
        "a padding of at most 1",
    ),
    (
        call("maxpool", 2, d=3, p=Margin(3, 1), on=(2, 9, 1)),
        "a dilation of 3 steps over the height of 2: from padding to padding",
        "d",
        "a dilation of at most 2, or no padding",
    ),
    (
        call("deconv", 8, k=2, s=2, p=Margin(5, 3), on=(4, 9, 3)),
        "a padding of 5:3 crops the whole output of 8",
        "p",
        "",
    ),
    (call("conv", 8, p=(0, -2)), f"`p` {NATURAL} -2", "p", ""),
    (call("conv", 8, p="same"), f"`p` {NATURAL} same", "p", ""),
    (call("slice", 8, **{"from": -1}), f"`from` {NATURAL} -1", "from", ""),
    (call("slice", 8, **{"from": (0, 1)}), f"`from` {NATURAL} 0×1", "from", ""),
    (call("maxpool", 0), f"`window` {POSITIVE} 0", "window", ""),
    (call("maxpool", 2, s=0), f"`s` {POSITIVE} 0", "s", ""),
    (call("maxpool", "window"), f"`window` {POSITIVE} window", "window", ""),
    (call("upsample", (2, 0)), f"`factor` {POSITIVE} 0", "factor", ""),
    (call("bn", noscale=1), "`noscale` is a flag: true or false", "noscale", ""),
    (call("conv", 8, half="yes"), "`half` is a flag: true or false", "half", ""),
    (call("bn", eps=0), f"`eps` {NUMBER} 0", "eps", EPS),
    (call("bn", eps=2), f"`eps` {NUMBER} 2", "eps", EPS),
    (call("ln", eps=Fraction(-1, 8)), f"`eps` {NUMBER} -0.125", "eps", EPS),
    (call("ln", eps=True), f"`eps` {NUMBER} true", "eps", EPS),
    (call("ln", eps=float("nan")), f"`eps` {NUMBER} nan", "eps", EPS),
    (call("ln", eps="small"), f"`eps` {NUMBER} small", "eps", EPS),
    (call("ln", eps=[1]), f"`eps` {NUMBER} [1]", "eps", EPS),
    (call("leaky", slope=0), f"`slope` {NUMBER} 0", "slope", "as in `slope={0.001}`"),
    (call("leaky", slope=2), f"`slope` {NUMBER} 2", "slope", "as in `slope={0.001}`"),
    (call("elu", alpha=0), "`alpha` must be a positive number, not 0", "alpha", "as in `alpha={1.5}`"),
    (call("elu", alpha=-1), "`alpha` must be a positive number, not -1", "alpha", "as in `alpha={1.5}`"),
    (call("clip", low="0"), "`low` must be a number, not 0", "low", "as in `low={1.5}`"),
    (call("clip", high=math.inf), "`high` must be a number, not inf", "high", "as in `high={1.5}`"),
    (call("clip"), "clip needs `low` or `high`", "", BOUNDS),
    (call("clip", low=1, high=1), "`low` of 1 is not below `high` of 1", "low", BOUNDS),
    (call("clip", low=6, high=-6), "`low` of 6 is not below `high` of -6", "low", BOUNDS),
    (
        call("glu", on=(7, 9, 63)),
        "`glu` halves the channels, and 63 is odd",
        "",
        "64 channels make 32",
    ),
    (call("swiglu", on=(7, 1)), "`swiglu` halves the channels, and 1 is odd", "", "2 channels make 1"),
    (
        call("groupnorm", 5, on=MAP),
        "192 channels do not divide into 5 groups",
        "groups",
        "",
    ),
    # maps and sequences
    (call("tokens", on=TOKENS), "`tokens` takes a map, not 196×768 tokens", "", NO_MAP),
    (
        call("windowattention", 3, 7, on=TOKENS),
        "`windowattention` takes a map, not 196×768 tokens",
        "",
        NO_MAP,
    ),
    (call("rbf", 8, on=TOKENS), "`rbf` takes a vector, not a 196×768 map", "", FLATTEN),
    (
        call("attention", 12, on=MAP),
        "`attention` takes a sequence of tokens, not 28×27×192",
        "",
        SEQUENCE,
    ),
    (call("classtoken", on=MAP), "`classtoken` takes a sequence of tokens, not 28×27×192", "", SEQUENCE),
    (call("posembed", on=MAP), "`posembed` takes a sequence of tokens, not 28×27×192", "", SEQUENCE),
    (
        call("posembed", places=100, on=TOKENS),
        "196 tokens for a table of 100 places",
        "places",
        "",
    ),
    (call("sinusoid", on=MAP), "`sinusoid` takes a sequence of tokens, not 28×27×192", "", SEQUENCE),
    (call("lstm", 64, on=MAP), "`lstm` takes a sequence of tokens, not 28×27×192", "", SEQUENCE),
    (
        call("lstm", 64, proj=64, on=TOKENS),
        "a projection to 64 is no less than the 64 units",
        "proj",
        "",
    ),
    (
        call("gru", 64, nobias=True, biases=1),
        "`nobias` and `biases` contradict each other",
        "biases",
        "",
    ),
    (call("rnn", 64, biases=3), "a gate has 1 or 2 biases, not 3", "biases", ""),
    (call("rnn", 64, layers=5000), "5000 layers: there may be 1000", "layers", ""),
    (
        call("embedding", 1000, 64, on=TOKENS),
        "`embedding` takes an id a place, not 196×768",
        "",
        'ids have one channel: `input = "128x1"`, or `slice 1 from=2` of several',
    ),
    (call("transpose", on=MAP), "`transpose` takes a sequence of tokens, not 28×27×192", "", SEQUENCE),
    (call("token", 0, on=(1, 1, 9)), "`token` takes a sequence of tokens, not 9", "", SEQUENCE),
    (call("token", 196, on=TOKENS), "token 196 of 196, counted from 0", "index", ""),
    (call("attention", 10, on=TOKENS), "10 heads do not divide 768 channels", "heads", ""),
    (
        call("attention", 12, on=[TOKENS, MAP]),
        "`attention` takes a sequence of tokens, not 28×27×192",
        "",
        SEQUENCE,
    ),
    (
        call("attention", 12, kv=5, on=TOKENS),
        "5 heads of keys and values do not divide 12 heads",
        "kv",
        "",
    ),
    (
        call("attention", 12, head=9, rotary=True, on=TOKENS),
        "`rotary` turns pairs of channels: a head of 9 leaves one",
        "rotary",
        "`head` sets the channels of a head",
    ),
    (
        call("attention", 12, causal=True, on=[TOKENS, Shape(20, 768)]),
        "`causal` compares places: 196 queries, 20 keys",
        "causal",
        "with another sequence as memory, leave it out",
    ),
    (
        call("attention", 12, relative=8, on=[TOKENS, Shape(20, 768)]),
        "`relative` compares places: 196 queries, 20 keys",
        "relative",
        "with another sequence as memory, leave it out",
    ),
    (
        call("attention", 12, on=[TOKENS, TOKENS, Shape(20, 768)]),
        "196 keys for 20 values",
        "",
        "keys and values are of the same tokens",
    ),
    (
        call("attention", 12, bare=True, nobias=True),
        "`bare` has no projections: leave `nobias` out",
        "nobias",
        "",
    ),
    (
        call("attention", 12, bare=True, on=[TOKENS, Shape(20, 384)]),
        "keys of 384 channels for 12 heads of 64",
        "",
        "`bare` takes queries, keys and values as they arrive: heads × channels of a head",
    ),
    (
        call("attention", 12, kv=4, bare=True, on=[TOKENS, Shape(20, 256), Shape(20, 255)]),
        "values of 255 channels for 4 heads",
        "",
        "`bare` takes queries, keys and values as they arrive: heads × channels of a head",
    ),
    (
        call("attention", 12, base=500),
        "`base` is that of `rotary`, which is not there",
        "base",
        "",
    ),
    (call("windowattention", 5, 7, on=MAP), "5 heads do not divide 192 channels", "heads", ""),
    (
        call("windowattention", 3, 7, shift=7, on=MAP),
        "a shift of 7 is no less than the window of 7",
        "shift",
        "",
    ),
    (call("add", on=[MAP, TOKENS]), "cannot add 196×768 to 28×27×192", "", SEQUENCE),
    (
        call("add", on=[(196, 1, 768), TOKENS]),
        "cannot add 196×768 to 196×1×768",
        "",
        "`tokens` makes a sequence of a map",
    ),
    (
        call("add", on=[TOKENS, Shape(197, 768)]),
        "cannot add 197×768 to 196×768",
        "",
        "both sequences must have as many tokens",
    ),
    (
        call("mul", on=[TOKENS, (196, 1, 768)]),
        "cannot multiply 196×1×768 with 196×768",
        "",
        "`tokens` makes a sequence of a map",
    ),
    (
        call("mul", on=[(3, 4, 8), Shape(1, 8)]),
        "cannot multiply 1×8 with 3×4×8",
        "",
        "`tokens` makes a sequence of a map",
    ),
    (
        call("concat", on=[TOKENS, (196, 1, 768)]),
        "cannot concatenate 196×1×768 with 196×768",
        "",
        "`tokens` makes a sequence of a map",
    ),
    # missing and unknown
    (call("conv"), "conv needs `filters`", "filters", ""),
    (call("maxpool"), "maxpool needs `window`", "window", ""),
    (call("maxpool", s=2), "maxpool needs `window`", "window", ""),
    (
        call("pad", (1, 28), reflect=True, on=MAP),
        "cannot reflect 28 values of a width of 27",
        "size",
        "at most 26, or `edge`",
    ),
    (
        call("pad", 1, reflect=True, edge=True),
        "`reflect` and `edge` contradict each other",
        "edge",
        "",
    ),
    (call("pad", -1), f"`size` {NATURAL} -1", "size", ""),
    (
        call("crop", Margin(20, 8), on=MAP),
        "a crop of 20:8 leaves nothing of the height of 28",
        "size",
        "at most 27 on both sides together",
    ),
    (
        call("pixelshuffle", 5, on=MAP),
        "192 channels are no multiple of 25, one for each place",
        "factor",
        "`conv 200` before it",
    ),
    (
        call("pixelunshuffle", 2, on=MAP),
        "the width of 27 is no multiple of 2",
        "factor",
        "`pad 0:1` before it, or `todepth`, which fills up",
    ),
    (
        call("upsample", 2, bilinear=True, bicubic=True),
        "`bilinear` and `bicubic` contradict each other",
        "bicubic",
        "",
    ),
    (call("upsample", 2, bicubic=True, on=TOKENS), "`bicubic` takes a map, not 1 axis", "bicubic", AXES),
    (call("resize", 2, bicubic=True, on=VOLUME), "`bicubic` takes a map, not 3 axes", "bicubic", AXES),
    (
        call("resize", 9, corners=True),
        "`corners` needs `bilinear` or `bicubic`",
        "corners",
        "the nearest value has no corners: write `bilinear corners`, or leave it out",
    ),
    (call("resize", on=MAP), "`resize` takes a size or a @label", "size", RESIZE),
    (call("resize", 3, on=[MAP, MAP]), "`resize` takes a size or a @label, not both", "size", RESIZE),
    (
        call("resize", on=[MAP, VOLUME]),
        "cannot resize 28×27×192 to the size of 4×8×8×6",
        "",
        "both must have as many axes",
    ),
    (call("resize", (0, 3)), f"`size` {POSITIVE} 0", "size", ""),
    (
        call("deformconv", 8, k=3, p=1, on=[MAP, (28, 27, 27)]),
        "the offsets are 28×27×27, not 28×27×18",
        "",
        "a `conv 18` with the kernel, stride and padding of this layer makes them",
    ),
    (
        call("deformconv", 8, k=3, modulated=True, on=[MAP, (28, 27, 27)]),
        "the offsets are 28×27×27, not 26×25×27",
        "",
        "a `conv 27` with the kernel, stride and padding of this layer makes them",
    ),
    (
        call("deformconv", 8, on=[TOKENS, TOKENS]),
        "`deformconv` takes a map, not 196×768 tokens",
        "",
        NO_MAP,
    ),
    (call("shuffle"), "shuffle needs `groups`", "groups", ""),
    (call("relu", slope=2), "relu has no argument `slope`", "", ""),
    (call("relu6", alpha=2), "relu6 has no argument `alpha`", "", ""),
    (call("deconv", 8, half=True), "deconv has no argument `half`", "", ""),
    (call("avgpool", 3, d=2), "avgpool has no argument `d`", "", ""),
]
IDS = [f"{refused.name}: {message}" for refused, message, _, _ in REFUSALS]


@pytest.mark.parametrize("on_symbols", [False, True], ids=["ints", "symbols"])
@pytest.mark.parametrize("refused, message, field, help", REFUSALS, ids=IDS)
def test_refusal(refused: Call, message: str, field: str, help: str, on_symbols: bool) -> None:
    """On symbols the same text at the recorded point, with numbers in it and nothing decided."""
    program = Program()
    with pytest.raises(ShapeError) as caught:
        (refused.lifted(program) if on_symbols else refused).run()
    error = caught.value
    assert (error.message, error.field, error.help) == (message, field, help)
    assert [(d.message, d.help) for d in error.diagnostics] == [(message, help)]
    assert program.guards == []


def refuse_word() -> None:
    Argument("axis", "word", "which", "width", ("height", "width")).accept("hight")


def test_a_word_of_a_few() -> None:
    with pytest.raises(ShapeError) as caught:
        refuse_word()
    assert caught.value.message == "`axis` is height or width, not hight"
    assert (caught.value.field, caught.value.help) == ("axis", "did you mean `height`?")


def raise_sites() -> set[tuple[str, int, int]]:
    """Every `require(…)` and `ShapeError(…)` in the operators: file, first and last line."""
    folder = Path(archcalc.operators.__file__).parent
    return {
        (str(path), node.lineno, node.end_lineno or 0)
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("require", "ShapeError")
    }


def test_every_refusal_has_a_case() -> None:
    sites, reached = raise_sites(), set()
    for run in (refuse_word, *(refused.run for refused, *_ in REFUSALS)):
        try:
            run()
        except ShapeError as error:
            for frame in traceback.extract_tb(error.__traceback__):
                reached.update(
                    s for s in sites if s[0] == frame.filename and s[1] <= frame.lineno <= s[2]
                )
    assert len(sites) > 20
    assert sorted(sites - reached) == []
