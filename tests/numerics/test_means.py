"""What a mean divides by: padding counts as zeros, what rounding up adds beyond it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc.graph.build import build
from archcalc.numerics import loops, reference
from archcalc.numerics.forward import Forward
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
        # TensorFlow's padding is behind: from 0 and 2, and it counts as zeros here, too
        ("3 s2 same", 4, [1, 2 / 3]),
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
