"""Residual, dense, searched and attention networks that neither table of exact counts has.

`REFERENCE` was counted by running the packages' own code on a CPU under torch 2.13.0: `numel` of the
parameters, `numel` of running mean and variance, half of `torch.utils.flop_counter` on one image.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

import archcalc

# parameters, running mean and variance, multiplies
REFERENCE = {
    # timm 1.0.31: resnetv2_50, …_101, …_152; ResNetV2(layers=[3, 24, 36, 3]); seresnet50
    "resnet50_v2": (25_549_352, 45_440, 4_089_184_256),
    "resnet101_v2": (44_541_480, 97_664, 7_801_405_440),
    "resnet152_v2": (60_185_128, 143_744, 11_513_626_624),
    "resnet200_v2": (64_666_152, 168_320, 15_007_481_856),
    "se_resnet50": (28_088_024, 53_120, 4_091_699_200),
    # Keras 3.15.1 on its torch backend: ResNet101V2, ResNet152V2 (docs: 44.7 M and 60.4 M in total)
    "resnet101_v2_keras": (44_577_896, 97_664, 7_194_476_544),
    "resnet152_v2_keras": (60_236_904, 143_744, 10_906_697_728),
    # timm 1.0.31: darknet53, regnetx_002, regnety_002, mixer_*_224
    "darknet53": (41_609_928, 35_712, 9_285_115_904),
    "regnet_x_200mf": (2_684_792, 20_848, 199_039_872),
    "regnet_y_200mf": (3_162_996, 20_848, 199_514_080),
    "mixer_b_16": (59_880_472, 0, 12_601_767_936),
    "mixer_b_32": (60_293_428, 0, 3_237_722_112),
    "mixer_l_16": (208_196_168, 0, 44_547_678_208),
    # timm 1.0.31: repvgg_*, and the same through timm.utils.reparameterize_model
    "repvgg_a0": (9_108_968, 23_648, 1_512_581_120),
    "repvgg_a1": (14_092_264, 29_824, 2_626_488_320),
    "repvgg_a2": (28_210_600, 42_560, 5_685_345_280),
    "repvgg_b0": (15_817_960, 35_200, 3_397_191_680),
    "repvgg_b1": (57_415_016, 68_096, 13_128_089_600),
    "repvgg_b2": (89_022_376, 85_056, 20_418_170_880),
    "repvgg_b3": (123_085_288, 99_968, 29_120_696_320),
    "repvgg_a0:deploy=true": (8_309_384, 0, 1_361_451_008),
    "repvgg_a1:deploy=true": (12_789_864, 0, 2_363_967_488),
    "repvgg_a2:deploy=true": (25_499_944, 0, 5_116_951_552),
    "repvgg_b0:deploy=true": (14_339_048, 0, 3_057_600_512),
    "repvgg_b1:deploy=true": (51_829_480, 0, 11_815_485_440),
    "repvgg_b2:deploy=true": (80_315_112, 0, 18_376_609_792),
    "repvgg_b3:deploy=true": (110_960_872, 0, 26_208_882_688),
    # torchvision 0.29.2: swin_s, swin_b
    "swin_s": (49_606_258, 0, 8_740_875_264),
    "swin_b": (87_768_224, 0, 15_430_946_816),
}


@pytest.mark.parametrize("settings", REFERENCE)
def test_reference_code(settings: str) -> None:
    analysis = archcalc.load(settings).analyze()
    counts = (analysis.parameters, analysis.total.statistics, analysis.multiplies)
    assert counts == REFERENCE[settings]


# 2 × multiplies in billions, as printed: "operations" in the YOLO9000 paper (section 3) and on
# pjreddie.com/darknet/imagenet, where images are 256 × 256 (the YOLOv3 paper has 7.29 and 18.7)
@pytest.mark.parametrize(
    ("settings", "billions"),
    [("darknet19", "5.58"), ("darknet19:input=256x256x3", "7.29"), ("darknet53", "18.57")],
)
def test_darknet_operations(settings: str, billions: str) -> None:
    flops = archcalc.load(settings).analyze().flops
    assert abs(flops - Fraction(billions) * 10**9) <= 5_000_000


def test_darknet19_by_hand() -> None:
    """Table 6 of the YOLO9000 paper, and cfg/darknet19.cfg: filters, kernel, side of the map."""
    table = [(32, 3, 224), (64, 3, 112)]
    table += [(128, 3, 56), (64, 1, 56), (128, 3, 56), (256, 3, 28), (128, 1, 28), (256, 3, 28)]
    table += [(512, 3, 14), (256, 1, 14), (512, 3, 14), (256, 1, 14), (512, 3, 14)]
    table += [(1024, 3, 7), (512, 1, 7), (1024, 3, 7), (512, 1, 7), (1024, 3, 7), (1000, 1, 7)]
    inputs = [3, *(filters for filters, _, _ in table)]
    weights = [c * f * k * k for c, (f, k, _) in zip(inputs, table, strict=False)]
    norms = sum(2 * filters for filters, _, _ in table[:-1])
    analysis = archcalc.load("darknet19").analyze()
    assert analysis.weight_layers == len(table) == 19
    assert analysis.parameters == sum(weights) + norms + 1000 == 20_842_376
    sides = (side * side for _, _, side in table)
    assert analysis.multiplies == sum(w * s for w, s in zip(weights, sides, strict=True))


# millions of parameters in Table 4 of the paper; exact: the assertions of imgclsmob's
# wrn_cifar.py (osmr/imgclsmob), which has depth 16, 28 and 40
@pytest.mark.parametrize(
    ("settings", "exact", "millions"),
    [
        ("wide_resnet28_10", 36_479_194, "36.5"),
        ("wide_resnet40_4", None, "8.9"),
        ("wide_resnet16_8", None, "11.0"),
        ("wide_resnet28_10:n=2", 17_116_634, None),
        ("wide_resnet40_4:k=8", 35_748_314, None),
    ],
)
def test_wide_resnets(settings: str, exact: int | None, millions: str | None) -> None:
    parameters = archcalc.load(settings).analyze().parameters
    assert exact is None or parameters == exact
    assert millions is None or abs(parameters - Fraction(millions) * 10**6) <= 50_000


@pytest.mark.parametrize(
    ("name", "n", "k"),
    [("wide_resnet28_10", 4, 10), ("wide_resnet40_4", 6, 4), ("wide_resnet16_8", 2, 8)],
)
def test_wide_resnet_by_hand(name: str, n: int, k: int) -> None:
    """Table 1 of the paper: three groups of n units of two 3×3 convs, the first with a projection."""
    multiplies, parameters, channels = 32 * 32 * 27 * 16, 27 * 16, 16
    for width, side in ((16 * k, 32), (32 * k, 16), (64 * k, 8)):
        convs = 9 * channels * width + (2 * n - 1) * 9 * width * width + channels * width
        multiplies += side * side * convs
        parameters += convs + 2 * channels + (2 * n - 1) * 2 * width
        channels = width
    analysis = archcalc.load(name).analyze()
    assert analysis.multiplies == multiplies + channels * 10
    assert analysis.parameters == parameters + 2 * channels + channels * 10 + 10
    convs = [layer for layer in analysis.layers if layer.kind == "conv"]
    assert len(convs) == 6 * n + 4  # the depth in its name: the three projections count


def test_shortcuts_of_option_c() -> None:
    """ResNet-34: a 1×1 conv and its batch norm where B has an identity: 3, 3, 5 and 2 times."""
    more = sum(n * (c * c + 2 * c) for n, c in ((3, 64), (3, 128), (5, 256), (2, 512)))
    b, c = (archcalc.load("resnet34", shortcut=s).analyze() for s in ("project", "all"))
    assert c.parameters - b.parameters == more


# the shapes of figure 1, left side and right side, at the end of each pair of convs
UNET = {
    "e1": (568, 568, 64),
    "e2": (280, 280, 128),
    "e3": (136, 136, 256),
    "e4": (64, 64, 512),
    "bottom": (28, 28, 1024),
    "d4": (52, 52, 512),
    "d3": (100, 100, 256),
    "d2": (196, 196, 128),
    "d1": (388, 388, 64),
}


def test_unet_figure_1() -> None:
    graph = archcalc.load("unet_paper").graph
    ends = {node.path.split("/")[0]: tuple(node.shape) for node in graph.nodes}
    assert {name: ends[name] for name in UNET} == UNET
    assert graph.nodes[graph.output].shape == (388, 388, 2)
    assert graph.weight_layers == 23  # "in total the network has 23 convolutional layers"


def test_unet_by_hand() -> None:
    """Two 3×3 convs at every level, a 2×2 up-convolution that halves the channels, a last 1×1."""
    levels, last = [1, 64, 128, 256, 512, 1024], 64 * 2 + 2
    down = sum(9 * a * b + b + 9 * b * b + b for a, b in pairwise(levels))
    up = sum(4 * b * a + a + 9 * b * a + a + 9 * a * a + a for a, b in pairwise(levels[1:]))
    assert archcalc.load("unet_paper").analyze().parameters == down + up + last == 31_030_658
    assert archcalc.load("unet").analyze().parameters == down + up + 64 + 1 == 31_030_593
    # milesial/Pytorch-UNet: UNet(n_channels=3, n_classes=1), batch norm and no biases
    assert archcalc.load("unet", bn=True, input="256x256x3").analyze().parameters == 31_037_633


@pytest.mark.parametrize(
    ("name", "layers"),
    [(f"resnet{n}", n) for n in (20, 32, 44, 56, 110, 1202)]
    + [(f"densenet{n}", n) for n in (121, 161, 169, 201)]
    + [("darknet53", 53), ("resnet152_v2", 152)],
)
def test_weight_layers(name: str, layers: int) -> None:
    """The number in the network's name."""
    assert archcalc.load(name).graph.weight_layers == layers


# the widths that the paper and pycls have, where torchvision rounds them otherwise
REGNETS_OF_THE_PAPER = {
    # widths, depths, width of a group, squeeze-and-excitation; pycls' MODEL_ZOO.md: M parameters
    "regnet_x_400mf_pycls": ([32, 64, 160, 384], [1, 2, 7, 12], 16, False, "5.2"),
    "regnet_y_800mf_pycls": ([64, 128, 320, 768], [1, 3, 8, 2], 16, True, "6.3"),
    "regnet_y_8gf_pycls": ([168, 448, 896, 2016], [2, 4, 10, 1], 56, True, "39.2"),
}


@pytest.mark.parametrize("network", REGNETS_OF_THE_PAPER)
def test_regnets_of_the_paper(network: str) -> None:
    """Each unit 1×1, grouped 3×3, 1×1 with two numbers of batch norm a filter; its gate has biases."""
    widths, depths, group, gated, millions = REGNETS_OF_THE_PAPER[network]
    parameters, multiplies, side, before = 3 * 9 * 32 + 64, 3 * 9 * 32 * 112**2, 112, 32
    for width, depth in zip(widths, depths, strict=True):
        for unit in range(depth):
            wide, side = side, side // 2 if unit == 0 else side
            gate = 2 * width * (before // 4) if gated else 0
            shortcut = before * width if unit == 0 else 0
            first, grouped, last = before * width, 9 * width * group, width * width
            parameters += first + grouped + last + 3 * 2 * width
            parameters += gate + (before // 4 + width if gated else 0)
            parameters += shortcut + (2 * width if unit == 0 else 0)
            multiplies += first * wide**2 + (grouped + last + shortcut) * side**2 + gate
            before = width
    parameters += before * 1000 + 1000
    multiplies += before * 1000
    analysis = archcalc.load(network).analyze()
    assert (analysis.parameters, analysis.multiplies) == (parameters, multiplies)
    assert abs(parameters - Fraction(millions) * 10**6) <= 50_000
