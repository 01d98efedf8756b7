"""What a mean divides by: the padding as the operator says, never what rounding up adds beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc.execution import reference
from archcalc.execution.counted import loops
from archcalc.execution.forward import Forward
from archcalc.graph.build import build
from archcalc.spec.model import Source
from archcalc.spec.read import read


@pytest.mark.parametrize(
    ("arguments", "size", "along"),
    [
        # windows of 3 from 0 and 2, of which the second reaches one pixel beyond the map: 2 of 2
        ("3 s2 ceil", 4, [1, 1]),
        # from −1, 1 and 3: one zero and 2 of the map; 3; 1, one zero, and one beyond the padding
        ("3 s2 p1 ceil", 4, [2 / 3, 1, 1 / 2]),
        # nothing to round: from −1, 1 and 3
        ("3 s2 p1 ceil", 5, [2 / 3, 1, 2 / 3]),
        ("3 s2 p1", 4, [2 / 3, 1]),
        ("3 s1 half", 4, [2 / 3, 1, 1, 2 / 3]),
        # TensorFlow's padding is behind: from 0 and 2, and it does not count
        ("3 s2 same", 4, [1, 1]),
        ("3 s2 same zeros", 4, [1, 2 / 3]),
        ("3 s1 half nozeros", 4, [1, 1, 1, 1]),
        ("3 s2 p1 ceil nozeros", 4, [1, 1, 1]),
        ("3 s1 half zeros", 4, [2 / 3, 1, 1, 2 / 3]),
    ],
)
def test_means_of_ones(arguments: str, size: int, along: list[float]) -> None:
    text = f"input = '{size}x{size}x2'\nlayers = 'avgpool {arguments}'"
    graph = build(read(Source("net.toml", text)), {})
    pool, image = graph.nodes[1].operator, np.ones((2, size, size, 2), np.float32)
    expected = np.tile(np.outer(along, along)[:, :, None], (2, 1, 1, 2))
    found: list[Any] = [
        reference.run(pool, [image], {}),
        loops.run(pool, [image], {}).output,
        Forward(graph, {}, 2).run(image)["output"],
    ]
    for values in found:
        assert values.shape == expected.shape
        assert values == pytest.approx(expected, rel=1e-6)


def test_a_mean_of_what_is_there() -> None:
    """6×6 holding 1…36, the top right window: (5 + 6 + 11 + 12 + 17 + 18) / 6 would be two columns by
    three rows; with `same` the window of the first row has two rows: (5 + 6 + 11 + 12) / 4 at stride 1.

    At stride 2 TensorFlow pads behind alone: rows 0…2, columns 4…5: (5 + 6 + 11 + 12 + 17 + 18) / 6.
    """
    image = np.arange(1, 37, dtype=np.float32).reshape(1, 6, 6, 1)
    for arguments, row, column, value in (
        ("3 s2 same", 0, -1, (5 + 6 + 11 + 12 + 17 + 18) / 6),
        ("3 s1 same", 0, -1, (5 + 6 + 11 + 12) / 4),
        ("3 s1 p1", 0, -1, (5 + 6 + 11 + 12) / 9),
        ("3 s1 p1 nozeros", 0, -1, (5 + 6 + 11 + 12) / 4),
    ):
        graph = build(read(Source("net.toml", f"input='6x6x1'\nlayers='avgpool {arguments}'")), {})
        pool = graph.nodes[1].operator
        for found in (reference.run(pool, [image], {}), Forward(graph, {}, 1).run(image)["output"]):
            assert found[0, row, column, 0] == pytest.approx(value, rel=1e-6)
