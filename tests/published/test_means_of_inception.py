"""TensorFlow and Keras leave the padding out of a mean, torch counts its zeros; so do their Inceptions.

tf.nn.avg_pool2d with padding="SAME"; torch.nn.functional.avg_pool2d(kernel_size=3, stride=1, padding=1).
"""

from __future__ import annotations

import numpy as np
import pytest

import archcalc
from archcalc.execution import reference
from archcalc.operators.pooling import AvgPool


@pytest.mark.parametrize(
    ("name", "corner"),
    [
        ("inception_v3", 4 / 9),
        ("inception_v3_keras", 1),
        ("inception_v4", 1),
        ("inception_resnet_v2", 1),
        ("inception_resnet_v2_keras", 1),
    ],
)
def test_the_corner_of_ones(name: str, corner: float) -> None:
    """The corner's window has 4 values of the map and 5 zeros."""
    graph = archcalc.load(name).graph
    pools = [node for node in graph.nodes if isinstance(node.operator, AvgPool)]
    assert pools
    for node in pools:
        ones = np.ones((1, *map(int, graph.input_shapes(node)[0])), np.float32)
        assert reference.run(node.operator, [ones], {})[0, 0, 0, 0] == pytest.approx(corner)
