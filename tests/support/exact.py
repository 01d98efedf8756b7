"""Counts of a separate program in plain arithmetic, and how a user asks for the networks they are of."""

from __future__ import annotations

import csv
from pathlib import Path

ROWS = {
    row["key"]: row
    for row in csv.DictReader((Path(__file__).parents[1] / "data" / "exact_counts.csv").open())
}
# the key of a row: how a user asks for that network
NETWORKS = {
    "lenet5_modern_32": "lenet5",
    "lenet5_modern_28_pad2": "lenet5:input=28x28x1:pad=2",
    "lenet5_modern_28_nopad": "lenet5:input=28x28x1",
    "alexnet_grouped_227": "alexnet",
    "alexnet_single_tower_227": "alexnet_single",
    "alexnet_single_tower_224_pad2": "alexnet_single:input=224x224x3:pad=2",
    "alexnet_grouped_224_pad2": "alexnet:input=224x224x3:pad=2",
    "alexnet_owt_torchvision_224": "alexnet_torch",
    "vgg11_224": "vgg11",
    "vgg11_bn_224": "vgg11_bn",
    "vgg13_224": "vgg13",
    "vgg13_bn_224": "vgg13_bn",
    "vgg16_224": "vgg16",
    "vgg16_bn_224": "vgg16_bn",
    "vgg19_224": "vgg19",
    "vgg19_bn_224": "vgg19_bn",
    "vgg16_notop_224": "vgg16:head=none",
    "resnet18_v1.5_224": "resnet18",
    "resnet34_v1.5_224": "resnet34",
    "resnet50_v1.5_224": "resnet50",
    "resnet101_v1.5_224": "resnet101",
    "resnet152_v1.5_224": "resnet152",
    "resnet50_orig_224": "resnet50_paper",
    "resnet101_orig_224": "resnet101_paper",
    "resnet152_orig_224": "resnet152_paper",
    "resnet50_keras_224": "resnet50_keras",
    "resnet101_keras_224": "resnet101_keras",
    "resnet152_keras_224": "resnet152_keras",
    "resnet18_optA_224": "resnet18_pad",
    "resnet34_optA_224": "resnet34_pad",
    "plain18_224": "plain18",
    "plain34_224": "plain34",
}
