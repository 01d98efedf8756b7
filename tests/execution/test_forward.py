"""The forward pass in its arena: the values of the definitions, and no memory besides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.allocation import MIB, allocated_beside

import archcalc
from archcalc.execution import reference
from archcalc.execution.fast.operators import KERNELS
from archcalc.execution.forward import Forward
from archcalc.execution.weights import make
from archcalc.graph.model import Graph


def image_of(graph: Graph, batch: int = 1) -> Any:
    shape = (batch, *map(int, graph.input))
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def by_definition(graph: Graph, weights: Any, image: Any) -> list[Any]:
    """Every layer's output by the plain definitions, each in memory of its own."""
    values = [image]
    for node in graph.nodes[1:]:
        inputs = [values[i] for i in node.inputs]
        values.append(reference.run(node.operator, inputs, weights.get(node.path, {})))
    return values


def test_every_kernel_has_a_definition_to_hold_it_against() -> None:
    assert KERNELS.keys() == reference.REFERENCE.keys()


@pytest.mark.parametrize(
    ("name", "settings", "batch"),
    [
        ("lenet5", {}, 3),
        ("lenet5_1998", {}, 1),
        ("inception", {"bottleneck": 16}, 2),
        ("alexnet", {"input": "67x67x3"}, 1),
        pytest.param("vgg11_bn", {"input": "32x32x3"}, 2, marks=pytest.mark.zoo),
        ("resnet50", {"input": "48x48x3"}, 1),
        pytest.param("resnet34_pad", {"input": "64x64x3"}, 2, marks=pytest.mark.zoo),
        ("googlenet", {"input": "64x64x3", "aux": False}, 1),
        ("inception_v3", {"input": "75x75x3"}, 1),
        ("mobilenet_v1", {"input": "64x64x3"}, 2),
        ("mobilenet_v3_large", {"input": "64x64x3"}, 1),
        ("shufflenet_v2_x1_0", {"input": "64x64x3"}, 1),
        pytest.param("resnext50_32x4d", {"input": "48x48x3"}, 1, marks=pytest.mark.zoo),
        pytest.param("densenet121", {"input": "48x48x3"}, 1, marks=pytest.mark.zoo),
        ("unet", {"input": "32x32x1"}, 1),
        ("efficientnet_b0", {"input": "48x48x3"}, 1),
        ("vit_b_32", {"input": "64x96x3", "layers": 2, "width": 96}, 2),
        ("vit_b_16", {"input": "384x384x3", "layers": 1}, 1),
        ("swin_t", {"input": "40x72x3", "c": 24}, 2),
        ("mixer_b_32", {"input": "64x64x3", "layers": 2}, 2),
        ("convnext_tiny", {"input": "48x48x3"}, 1),
    ],
)
def test_values_of_every_layer(name: str, settings: dict[str, Any], batch: int) -> None:
    """max|a − b| ≤ 1e-4 · max|b|, layer by layer, though layers share one block of memory.

    Those whose operators others have wait for `-m zoo`.
    """
    graph = archcalc.load(name, **settings).graph
    weights, image = make(graph, "he", 0, np.float32), image_of(graph, batch)
    expected = by_definition(graph, weights, image)
    seen = []

    def watch(index: int, value: Any) -> None:
        scale = np.abs(expected[index]).max()
        assert np.abs(value - expected[index]).max() <= 1e-4 * scale, graph.nodes[index].path
        seen.append(index)

    outputs = Forward(graph, weights, batch).run(image, watch)
    assert seen == list(range(1, len(graph.nodes)))
    assert outputs["output"].shape == (batch, *map(int, graph.nodes[graph.output].shape))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        pytest.param("vgg16", {}, marks=pytest.mark.zoo),
        ("vit_b_16", {"layers": 1}),
        # a head's scores are 10 tiles
        pytest.param("vit_b_16", {"input": "640x640x3", "layers": 1}, marks=pytest.mark.zoo),
        pytest.param("swin_t", {}, marks=pytest.mark.zoo),
        ("mixer_b_16", {"layers": 2}),
    ],
)
def test_large_ones_allocate_nothing_else(name: str, settings: dict[str, Any]) -> None:
    """As every bundled network in test_zoo.py, where these wait among the large ones."""
    assert allocated_beside(archcalc.load(name, **settings).graph) <= MIB
