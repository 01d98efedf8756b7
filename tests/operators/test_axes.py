"""Windows along one, two and three axes, against numbers worked out by hand and NumPy written out."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from support.operator_cases import op, weights_of

from archcalc.analysis.costs import count
from archcalc.errors import ArchError
from archcalc.execution import reference
from archcalc.execution.counted import loops
from archcalc.execution.fast.operators import KERNELS, prepare, scratch
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape, agree
from archcalc.symbols import Program

RNG = np.random.default_rng(5)


def executed(operator: Operator, x: Shape, weights: dict[str, Any], array: Any) -> list[Any]:
    """The output by definition, by loops and by the fast kernel."""
    y = np.zeros((1, *map(int, operator.output_shape(x))), np.float32)
    room = np.zeros(scratch(operator, array.shape, y.shape), np.float32)
    KERNELS[operator.name](
        operator, [array], prepare(operator, weights, y.shape[-1], np.float32), y, room
    )
    return [reference.run(operator, [array], weights), loops.run(operator, [array], weights).output, y]


def test_a_list_names_the_axes() -> None:
    """A computed size for each axis is the size written out; a list of another length is refused."""
    listed, written = op("conv", 16, s=[1, 2, 2], rank=3), op("conv", 16, s=(1, 2, 2), rank=3)
    assert (listed.s, listed.k) == (written.s, written.k) == ((1, 2, 2), (1, 1, 1))
    with pytest.raises(ArchError, match=r"`s` of \[1, 2\] names 2 axes; what arrives has 3"):
        op("conv", 16, s=[1, 2], rank=3)


def test_a_conv_over_frames() -> None:
    """3 → 16 channels, kernel 3×5×5, stride 1×2×2, padding 1×2×2, on 16 frames of 224×224.

    16 frames stay; (224 + 4 − 5) // 2 + 1 = 112.
    """
    conv, x = op("conv", 16, k=(3, 5, 5), s=(1, 2, 2), p=(1, 2, 2), rank=3), Shape(16, 224, 224, 3)
    assert conv.output_shape(x) == Shape(16, 112, 112, 16)
    costs = count(conv, (x,))
    assert (costs.weights, costs.biases) == (3 * 5 * 5 * 3 * 16, 16) == (3_600, 16)
    assert costs.parameters == 3_616
    assert costs.multiplies == 16 * 112 * 112 * 16 * (3 * 5 * 5 * 3) == 722_534_400


def test_a_dilated_max_pool() -> None:
    """A window of 1×3, stride 2, dilation 2 on 1×9: taps 0 2 4, 2 4 6, 4 6 8."""
    pool, x = op("maxpool", (1, 3), s=2, d=2), Shape(1, 9, 1)
    assert pool.output_shape(x) == Shape(1, 3, 1)
    values = np.array([5, 9, 1, 9, 2, 9, 3, 9, 4], np.float32)
    expected = [max(5, 1, 2), max(1, 2, 3), max(2, 3, 4)]
    for y in executed(pool, x, {}, values.reshape(1, 1, 9, 1)):
        assert y.reshape(-1).tolist() == expected
    assert sum(w.total for w in pool.work(x)) == 3 * 2


@pytest.mark.parametrize("x", [Shape(11, 4), Shape(6, 7, 4), Shape(5, 6, 7, 4)], ids=str)
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_conv_and_deconv_written_out(x: Shape, groups: int) -> None:
    """k3 s2 p1 along each axis, value by value."""
    conv, deconv = (op(name, 8, k=3, s=2, p=1, g=groups, rank=x.rank) for name in ("conv", "deconv"))
    array = RNG.standard_normal((1, *x)).astype(np.float32)
    sizes, inside, outside = [int(n) for n in x.extents], 4 // groups, 8 // groups
    for operator in (conv, deconv):
        weights = weights_of(operator, (x,))
        y = np.zeros([(n - 1) // 2 + 1 if operator is conv else 2 * n - 1 for n in sizes] + [8])
        small, large = (y, array[0]) if operator is conv else (array[0], y)
        for place in product(*map(range, small.shape[:-1])):
            for tap in product(range(3), repeat=x.rank):
                at = tuple(2 * o + u - 1 for o, u in zip(place, tap, strict=True))
                if not all(0 <= i < n for i, n in zip(at, large.shape, strict=False)):
                    continue
                source, target = (at, place) if operator is conv else (place, at)
                for g in range(groups):
                    own = slice(g * outside, (g + 1) * outside)
                    read = array[0][source][g * inside : (g + 1) * inside]
                    y[target][own] += read @ weights["weight"][tap][:, own]
        for found in executed(operator, x, weights, array):
            assert found.shape[1:] == y.shape
            np.testing.assert_allclose(found[0], y + weights["bias"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_means_count_what_is_there(rank: int) -> None:
    """avgpool 3 s2 p1 on sides of 5 holding ones: corners see 2 of 3 along each axis, the middle 3."""
    pool, x = op("avgpool", 3, s=2, p=1, rank=rank), Shape(*[5] * rank, 1)
    along = np.array([2, 3, 2]) / 3
    expected = along
    for _ in range(rank - 1):
        expected = np.multiply.outer(expected, along)
    for y in executed(pool, x, {}, np.ones((1, *x), np.float32)):
        np.testing.assert_allclose(y[0, ..., 0], expected, rtol=1e-6)


def test_shapes_of_symbols_are_not_compared_in_silence() -> None:
    program = Program()
    n = program.variable("n", 4)
    same, other = Shape(n, 3), Shape(program.variable("m", 4), 3)
    assert same == Shape(n, 3)  # the very symbol
    with pytest.raises(TypeError, match="compared by `agree`"):
        bool(same == other)
    with pytest.raises(TypeError, match="compared by `agree`"):
        bool(same != Shape(4, 3))
    condition = agree(same, other)
    assert program.guards == []
    assert program.evaluate({"n": 4, "m": 5}, [condition]).results == (0,)
    assert program.evaluate({"n": 5, "m": 5}, [condition]).results == (1,)
    assert agree(same, Shape(4, 4, 3)) == 0


def test_names_of_axes() -> None:
    assert Shape(16_000, 1).axes == ("length",)
    assert Shape(2, 3, 4).axes == ("height", "width")
    assert Shape(9, 2, 3, 4).named == (("frames", 9), ("height", 2), ("width", 3))
    assert [str(x) for x in (Shape(16, 1), Shape(1, 1, 4), Shape(1, 1, 1, 4))] == [
        "16×1",
        "4",
        "1×1×1×4",
    ]
    assert (Shape(9, 2, 3, 4).values, Shape(9, 2, 3, 4).positions) == (9 * 2 * 3 * 4, 9 * 2 * 3)


NETWORKS = {
    # 996 = (16000 − 80) // 16 + 1, 249 = 996 / 4
    "16000x1 | conv 64 k80 s16 | maxpool 4 | conv 64 k3 half | gap | linear 35": (
        (80 * 64 + 64) + (3 * 64 * 64 + 64) + (64 * 35 + 35),
        996 * 64 * 80 + 249 * 64 * 3 * 64 + 64 * 35,
    ),
    "8x16x16x3 | conv 4 k3 half | maxpool 2 | conv 6 k1x3x3 g2 | flatten | linear 5": (
        (27 * 3 * 4 + 4) + (9 * 2 * 6 + 6) + (4 * 6 * 6 * 6 * 5 + 5),
        8 * 16 * 16 * 4 * 27 * 3 + 4 * 6 * 6 * 6 * 9 * 2 + 4 * 6 * 6 * 6 * 5,
    ),
    # three times as high and wide: each of the 9 channels is one of 3 × 3 places
    "85x85x1 | conv 64 k5 half | relu | conv 32 k3 half | relu | conv 9 k3 half | pixelshuffle 3": (
        (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 9 + 9),
        85 * 85 * (25 * 64 + 9 * 64 * 32 + 9 * 32 * 9),
    ),
    # 12 → 6 → 12 by an output padding of 1; what lies between positions has no weights
    "12x12x4 | conv 8 k3 s2 p0:1 | deconv 4 k3 s2 p1 out=1 d1 | upsample 2 bilinear | crop 1:2": (
        (9 * 4 * 8 + 8) + (9 * 8 * 4 + 4),
        6 * 6 * 9 * 4 * 8 + 6 * 6 * 8 * 9 * 4,
    ),
    "9x5x6x2 | pad 1 | upsample 1x2x2 bilinear | resize 4x5x6 bilinear corners | conv 3 k2": (
        8 * 2 * 3 + 3,
        3 * 4 * 5 * 3 * 8 * 2,
    ),
    "40x3 | pad 0:2 edge | resize 17 bilinear | pixelunshuffle 1 | deconv 2 k3 d2 s2 out=1": (
        3 * 3 * 2 + 2,
        17 * 3 * 3 * 2,
    ),
    # a U-Net of one step: 64 → 32 → (32 − 1)·2 + 2 = 64
    "64x8 | conv 16 k3 half s2 | relu | deconv 8 k2 s2 | add @in | conv 1": (
        (3 * 8 * 16 + 16) + (2 * 16 * 8 + 8) + (8 + 1),
        32 * 16 * 3 * 8 + 32 * 16 * 2 * 8 + 64 * 8,
    ),
}


@pytest.mark.parametrize("text", NETWORKS)
def test_networks(text: str) -> None:
    """Counted by arithmetic, and verified by execution."""
    from archcalc.api import load
    from archcalc.execution.inputs import seeded_input
    from archcalc.execution.verify import prove
    from archcalc.execution.weights import make

    network = load(text)
    analysis = network.analyze()
    assert (analysis.parameters, analysis.multiplies) == NETWORKS[text]
    graph = network.graph
    proof = prove(graph, make(graph), seeded_input(graph.input, 1, 0)[0])
    assert (proof.failures, proof.left_out, proof.skipped) == ((), (), "")


def test_another_rank_is_refused() -> None:
    from archcalc.api import load

    with pytest.raises(ArchError, match="names 2 axes; what arrives has 1"):
        load("16000x1 | conv 8 k1x3").analyze()
    with pytest.raises(ArchError, match="takes a map, not the volume"):
        load("4x8x8x6 | windowattention 3 4").analyze()
