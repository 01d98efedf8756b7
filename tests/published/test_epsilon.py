"""The epsilon of each normalization, as the implementations have it that networks are known by."""

from __future__ import annotations

from typing import Any

import pytest

import archcalc

# torchvision 0.29, torchvision/models/: `eps=` of the norm_layer, or what torch's BatchNorm2d has
TORCHVISION = {
    "inception_v3": 0.001,
    "googlenet_torch": 0.001,
    "mobilenet_v3_large": 0.001,
    "mobilenet_v3_small": 0.001,
    "efficientnet_b0": 1e-5,
    "efficientnet_b4": 1e-5,
    "efficientnet_b5": 0.001,
    "efficientnet_b6": 0.001,
    "efficientnet_b7": 0.001,
    "mnasnet1_0": 1e-5,
    "mobilenet_v2": 1e-5,
    "densenet121": 1e-5,
    "resnet50": 1e-5,
    "vgg16_bn": 1e-5,
    "vit_b_16": 1e-6,
    "convnext_tiny": 1e-6,
    "swin_t": 1e-5,
}
OTHERS = {
    "inception_v3_keras": 0.001,  # Keras: BatchNormalization's default
    "inception_resnet_v2_keras": 0.001,
    "xception": 0.001,
    "inception_v4": 0.001,  # TF-Slim: batch_norm_epsilon of inception_utils.inception_arg_scope
    "inception_resnet_v2": 0.001,
    "mixer_b_16": 1e-6,  # flax: LayerNorm's default
}


@pytest.mark.parametrize(("name", "eps"), (TORCHVISION | OTHERS).items())
def test_epsilon(name: str, eps: float) -> None:
    operators: list[Any] = [node.operator for node in archcalc.load(name).graph.nodes]
    assert {o.eps for o in operators if o.name in ("bn", "ln")} == {eps}
