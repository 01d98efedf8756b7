"""Small networks that counting tools fall into: shared, unused, unweighted layers, odd axes, joins.

What is right is worked out beside each; `run --verify` then does the work.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import commands


class Trap(NamedTuple):
    """A spec, and what it comes to: parameters, products, output, and what of the census is asked."""

    spec: str
    parameters: int
    multiplies: int
    output: str
    census: dict[str, int] = {}  # noqa: RUF012 - a constant


TWO_INPUTS = """
layers = ["a = tower", "@right | reuse @a | sub @a"]
[inputs]
left = "33x33x1"
right = "33x33x1"
[block.tower]
layers = "conv 16 k5 s2 | relu | conv 32 k3 | gap"
"""
HEADS = """
input = "12x64"
layers = [
  "q = heads",
  "k = @in | heads",
  "v = @in | heads",
  "@q | matmul @k transposed scaled | softmax | matmul @v",
  "permute 1x0x2 | reshape _x64 | linear 64 nobias",
]
[block.heads]
layers = "linear 64 nobias | reshape _x8x8 | permute 1x0x2"
"""
BARE = """
layers = "@q | matmul @k transposed scaled | softmax | matmul @v"
[inputs]
q = "10x64"
k = "20x64"
v = "20x32"
"""
TRAPS = {
    # hooks on modules see nothing of it, and some tools count a weight where there is none
    "attention of three inputs, bare": Trap(
        BARE,
        0,
        10 * 20 * 64 + 10 * 20 * 32,
        "10×32",
        {  # 63 additions a score, 19 a value; the softmax of 20 adds 19 and subtracts 20
            "multiplies": 10 * 20 * 64 + 10 * 20 * 32 + 10 * 20,
            "additions": 10 * 20 * 63 + 10 * 32 * 19 + 10 * (19 + 20),
            "exponentials": 10 * 20,
        },
    ),
    # 4 projections of 64 × 64; the scores of 8 heads of 8 channels, and their mixture
    "attention of eight heads, written out": Trap(
        HEADS, 4 * 64 * 64, 12 * 4 * 64 * 64 + 2 * 8 * 12 * 12 * 8, "12×64"
    ),
    # (KᵀV first) 64 × 32 for each of 20 tokens, then 10 queries by 64 × 32
    "linear attention: the other order": Trap(
        BARE.replace(
            '"@q | matmul @k transposed scaled | softmax | matmul @v"',
            '["m = @k | permute 1x0 | matmul @v", "@q | matmul @m"]',
        ),
        0,
        64 * 20 * 32 + 10 * 64 * 32,
        "10×32",
    ),
    "one layer on three slices": Trap(
        """
        input = "1x1x300"
        layers = [
          "first = slice 100",
          "p = linear 100 nobias",
          "second = @in | slice 100 from=100 | reuse @p",
          "@in | slice 100 from=200 | reuse @p | add @p @second",
        ]
        """,
        100 * 100,
        3 * 100 * 100,
        "100",
    ),
    # (33 − 5) // 2 + 1 = 15: 15 × 15 × 16 outputs of 25 products, 13 × 13 × 32 of 9 · 16; both twice
    "two inputs through one tower": Trap(
        TWO_INPUTS,
        16 * 25 + 16 + 32 * 9 * 16 + 32,
        2 * (15 * 15 * 16 * 25 + 13 * 13 * 32 * 9 * 16),
        "32",
    ),
    # a detector's head on maps of 8 × 8 and 4 × 4
    "one head on two scales": Trap(
        'input = "8x8x16"\nlayers = ["h = conv 4 k3 half", "output large = @h", '
        '"@in | maxpool 2 | reuse @h"]',
        4 * 9 * 16 + 4,
        (8 * 8 + 4 * 4) * 4 * 9 * 16,
        "4×4×4",
    ),
    "a layer four times in a row, one weight": Trap(
        'input = "8x8x6"\nlayers = ["c = conv 6 k3 half nobias", "3 x reuse @c"]',
        6 * 6 * 9,
        4 * 8 * 8 * 6 * 6 * 9,
        "8×8×6",
    ),
    # what nobody reads is written and so is run: it counts
    "a layer that nobody reads": Trap(
        'input = "8x8x3"\nlayers = ["idle = conv 8 k3", "@in | conv 4"]',
        8 * 9 * 3 + 8 + 4 * 3 + 4,
        6 * 6 * 8 * 27 + 8 * 8 * 4 * 3,
        "8×8×4",
    ),
    # a weight of 80 × 1 × 64, not 80 × 80; (16,000 − 80) // 16 + 1 = 996 places
    "a 1-D conv over samples": Trap(
        'input = "16000x1"\nlayers = "conv 64 k80 s16 | gap | linear 35"',
        80 * 64 + 64 + 64 * 35 + 35,
        996 * 64 * 80 + 64 * 35,
        "35",
    ),
    "a depthwise 1-D conv": Trap(
        'input = "100x24"\nlayers = "conv 24 k9 half g24 nobias | conv 8"',
        24 * 9 + 24 * 8 + 8,
        100 * 24 * 9 + 100 * 24 * 8,
        "100×8",
    ),
    # kernel 3 × 5 × 5, stride 1 × 2 × 2, padding 1 × 2 × 2: 16 frames stay, (32 + 4 − 5) // 2 + 1 = 16
    "a 3-D conv": Trap(
        'input = "16x32x32x3"\nlayers = "conv 16 k3x5x5 s1x2x2 p1x2x2"',
        3 * 5 * 5 * 3 * 16 + 16,
        16 * 16 * 16 * 16 * 3 * 5 * 5 * 3,
        "16×16×16×16",
    ),
    # a transposed conv works on its input: 2 · 3 · 3 places, 8 taps, 4 to 3 channels in each of 2 groups
    "a grouped transposed 3-D conv": Trap(
        'input = "2x3x3x8"\nlayers = "deconv 6 k2 s2 g2"',
        8 * 8 * 3 + 6,
        2 * 3 * 3 * 8 * 8 * 3,
        "4×6×6×6",
    ),
    # (2+1)-D: a conv over the image, then over time; 6 frames
    "a 3-D conv in two factors": Trap(
        'input = "6x8x8x4"\nlayers = "conv 8 k1x3x3 p0x1x1 nobias | conv 8 k3x1x1 p1x0x0 nobias"',
        9 * 4 * 8 + 3 * 8 * 8,
        6 * 8 * 8 * 8 * (9 * 4 + 3 * 8),
        "6×8×8×8",
    ),
    # the gate is no product of a weight: 16 × 16 × 64 multiplies in the census, none in the headline
    "a vector as a gate": Trap(
        'input = "16x16x64"\nlayers = "gap | linear 4 | relu | linear 64 | sigmoid | mul @in"',
        64 * 4 + 4 + 4 * 64 + 64,
        2 * 64 * 4,
        "16×16×64",
    ),
    # CBAM: mean and maximum over the channels side by side, 7 × 7 over both, one number a place
    "a map of one channel as a gate": Trap(
        'input = "14x14x64"\nlayers = ["m = mean", "@in | max | concat @m", '
        '"conv 1 k7 half nobias | sigmoid | mul @in"]',
        7 * 7 * 2,
        14 * 14 * 7 * 7 * 2,
        "14×14×64",
        {"comparisons": 14 * 14 * 63},
    ),
    "a vector added to every position": Trap(
        'input = "14x14x64"\nlayers = "gap | linear 64 | add @in"',
        64 * 64 + 64,
        64 * 64,
        "14×14×64",
        {  # the mean, the layer, the sum
            "additions": 64 * (14 * 14 - 1) + 64 * 63 + 64 + 14 * 14 * 64,
        },
    ),
    # pooled along rows and along columns, joined lengthwise, one conv for both (coordinate attention)
    "rows behind columns": Trap(
        'input = "6x6x8"\nlayers = ["rows = mean axis=width", "@in | mean axis=height | permute 1x0x2", '
        '"concat @rows axis=height | conv 4 nobias"]',
        8 * 4,
        (6 + 6) * 8 * 4,
        "12×1×4",
    ),
    # a larger of two (maxout) halves the channels at a comparison a value
    "maxout": Trap(
        'input = "8x8x3"\nlayers = ["c = conv 16", "a = slice 8", "@c | slice 8 from=8 | maximum @a"]',
        3 * 16 + 16,
        8 * 8 * 16 * 3,
        "8×8×8",
        {"comparisons": 8 * 8 * 8},
    ),
    # x + t · (y − x): a multiply and two additions a value
    "a highway": Trap(
        'input = "1x1x16"\nlayers = ["t = linear 16 | sigmoid", '
        '"@in | linear 16 | sub @in | mul @t | add @in"]',
        2 * (16 * 16 + 16),
        2 * 16 * 16,
        "16",
    ),
    # every token of one sequence with every one of the other: no weight
    "similarity of two sequences": Trap(
        'layers = "@a | matmul @b transposed | max | mean axis=length"\n[inputs]\n'
        'a = "30x128"\nb = "180x128"',
        0,
        30 * 180 * 128,
        "1×1",
        {"comparisons": 30 * 179},
    ),
    # the 49 tokens are the channels of a layer: 49 → 20 → 49, the same for each of 8 channels
    "mixing tokens": Trap(
        'input = "7x7x8"\nlayers = "tokens | permute 1x0 | linear 20 | gelu | linear 49 | permute 1x0"',
        49 * 20 + 20 + 20 * 49 + 49,
        8 * 2 * 49 * 20,
        "49×8",
    ),
    # frames as a batch: one image's layers on 5 of them are 5 × the work and once the weights
    "the mean of frames": Trap(
        'input = "5x8x8x3"\n'
        'layers = "conv 4 k1x3x3 nobias | mean axis=frames | reshape 6x6x4 | gap | linear 2"',
        9 * 3 * 4 + 4 * 2 + 2,
        5 * 6 * 6 * 4 * 27 + 4 * 2,
        "2",
    ),
    # a vector of 8, whatever the length
    "the last of a sequence": Trap(
        'input = "9x8"\nlayers = "token {shape[0]-1} | linear 2"', 8 * 2 + 2, 8 * 2, "2"
    ),
    # moves of values: nothing is computed
    "rolled, cut, turned and put back": Trap(
        'input = "8x8x4"\n'
        'layers = "roll 3 | slice 4 axis=height | permute 2x1x0 | reshape 128 | reshape 4x8x4"',
        0,
        0,
        "4×8×4",
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name: str, tmp_path: Path) -> None:
    trap, path = TRAPS[name], tmp_path / "trap.toml"
    path.write_text(trap.spec)
    analysis = archcalc.load(str(path)).analyze()
    assert (analysis.parameters, analysis.multiplies) == (trap.parameters, trap.multiplies)
    assert str(analysis.graph.nodes[analysis.graph.output].shape) == trap.output
    census = analysis.total.census._asdict()
    assert {kind: census[kind] for kind in trap.census} == trap.census
    result = CliRunner().invoke(commands, ["run", str(path), "--verify"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
