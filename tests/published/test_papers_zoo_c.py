"""Networks of several axes, several resolutions and several inputs, and Keras' later ones.

`REFERENCE` was counted by running the packages' own code on a CPU under torch 2.14.1: `numel` of the
parameters, `numel` of running mean and variance, half of `torch.utils.flop_counter` on one image.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

import archcalc

# parameters, running mean and variance, multiplies
REFERENCE = {
    # torchvision 0.29.1: models.video.r3d_18, mc3_18, r2plus1d_18 (its docs: 40.697, 43.343, 40.519 G)
    "r3d_18": (33_371_472, 9_600, 40_696_553_472),
    "mc3_18": (11_695_440, 9_600, 43_342_635_008),
    "r2plus1d_18": (31_505_325, 25_350, 40_519_080_960),
    # torchvision 0.29.1: efficientnet_v2_s, …_m, …_l; the same totals in Keras 3.15.1
    "efficientnet_v2_s": (21_458_488, 153_872, 8_365_617_152),
    "efficientnet_v2_m": (54_139_356, 292_032, 24_582_460_384),
    "efficientnet_v2_l": (118_515_272, 512_576, 56_079_699_008),
    # Keras 3.15.1 on its torch backend: EfficientNetV2B0 to B3
    "efficientnet_v2_b0": (7_139_704, 60_608, 718_086_176),
    "efficientnet_v2_b1": (8_141_052, 71_072, 1_196_819_360),
    "efficientnet_v2_b2": (10_096_086, 82_288, 1_697_542_832),
    "efficientnet_v2_b3": (14_358_406, 109_216, 3_011_458_816),
    # timm 1.0.31: convnext_xlarge
    "convnext_xlarge": (350_196_968, 0, 60_921_030_656),
    # Table 1 of Dai et al. 2016 written as torch.nn modules, padded so that convs keep the length
    "m3": (221_194, 1_024, 557_058_560),
    "m5": (559_114, 2_048, 278_533_120),
    "m11": (1_786_442, 4_480, 226_169_856),
    "m18": (3_683_786, 7_808, 399_381_504),
    # class M5 of torchaudio's tutorial on speech commands, which prints 26915 parameters
    "m5_keywords": (26_915, 384, 1_880_256),
    # Shi et al. 2016, section 3.3, as torch.nn modules on 85 × 85
    "espcn_x2": (21_284, 0, 153_054_400),
    "espcn_x3": (22_729, 0, 163_458_400),
    "espcn_x4": (24_752, 0, 178_024_000),
    # torchvision 0.29.1: deeplabv3_resnet50, …_resnet101, with aux_loss=True
    "deeplabv3_resnet50": (42_004_074, 57_216, 178_721_945_088),
    "deeplabv3_resnet101": (60_996_202, 109_440, 258_743_039_488),
    # timm 1.0.31: hrnet_w18, …_w32, …_w48, nasnetalarge
    "hrnet_w18": (21_299_004, 51_216, 4_283_537_072),
    "hrnet_w32": (41_232_680, 74_624, 8_921_133_056),
    "hrnet_w48": (77_469_864, 101_376, 17_277_996_032),
    "nasnet_large": (88_753_150, 196_668, 23_783_414_658),
    # Keras 3.15.1: NASNet as NASNetMobile calls it, on the torch backend
    "nasnet_mobile": (5_289_978, 36_738, 563_638_816),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_code(name: str) -> None:
    analysis = archcalc.load(name).analyze()
    assert (analysis.parameters, analysis.total.statistics, analysis.multiplies) == REFERENCE[name]


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("mobilenet_v3_large", 5_507_432),
        ("mobilenet_v3_small", 2_554_968),
        ("efficientnet_v2_b0", 7_200_312),
        ("efficientnet_v2_s", 21_612_360),
        ("efficientnet_v2_m", 54_431_388),
        ("efficientnet_v2_l", 119_027_848),
        ("nasnet_mobile", 5_326_716),
        ("nasnet_large", 88_949_818),
    ],
)
def test_keras(name: str, total: int) -> None:
    """`count_params()` of Keras 3.15.1: with running statistics."""
    analysis = archcalc.load(name).analyze()
    assert analysis.parameters + analysis.total.statistics == total


# pjreddie.com/darknet/yolo: 2 × multiplies in billions, as printed
@pytest.mark.parametrize(("side", "billions"), [(320, "38.97"), (416, "65.86"), (608, "140.69")])
def test_yolov3(side: int, billions: str) -> None:
    """Keras' summary of the same weights: 62,001,757, of which 52,608 are not trained."""
    analysis = archcalc.load("yolov3", input=f"{side}x{side}x3").analyze()
    assert abs(analysis.flops - Fraction(billions) * 10**9) <= 5_000_000
    assert (analysis.parameters, analysis.total.statistics) == (62_001_757 - 52_608, 52_608)


def test_yolov3_by_hand() -> None:
    """cfg/yolov3.cfg: 75 convs, 3 of them with a bias and 3·(4 + 1 + 80) filters."""
    graph = archcalc.load("yolov3").graph
    convs = [node for node in graph.nodes if node.operator.name == "conv"]
    heads = [tuple(node.shape) for node in convs if not node.operator.nobias]
    assert len(convs) == 75
    assert heads == [(13, 13, 255), (26, 26, 255), (52, 52, 255)]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_espcn_by_hand(scale: int) -> None:
    """Kernels of 5, 3 and 3; the last conv gives each pixel the scale² that it becomes."""
    weights = 25 * 64 + 9 * 64 * 32 + 9 * 32 * scale * scale
    network = archcalc.load(f"espcn_x{scale}")
    assert network.analyze().parameters == weights + 64 + 32 + scale * scale
    assert network.analyze().multiplies == 85 * 85 * weights
    assert network.graph.nodes[network.graph.output].shape == (85 * scale, 85 * scale, 1)


def test_crnn() -> None:
    """Table 1 as torch.nn modules: 8,330,789 parameters, convs of 616,833,024 products.

    Torch counts no LSTM: at 24 places each direction has 4 gates of 256 units over input and state. The
    authors' code joins both directions by a linear layer of 256; the paper prints 8.3 million.
    """
    analysis = archcalc.load("crnn").analyze()
    assert (analysis.parameters, analysis.total.statistics) == (8_330_789, 2_048)
    first, second = (2 * 4 * 256 * (inputs + 256) for inputs in (512, 256))
    linear = 512 * 256 + 512 * 37
    assert analysis.multiplies == 616_833_024 + 24 * (first + second + linear)


def test_siamese() -> None:
    """The two towers as torch.nn modules: 38,951,745 parameters, 1,817,251,840 products.

    By hand: four convs and a linear layer, once; their products twice, then 4,096 distances.
    """
    convs = [(1, 10, 64, 96), (64, 7, 128, 42), (128, 4, 128, 18), (128, 4, 256, 6)]
    weights = [before * k * k * after for before, k, after, _ in convs]
    linear = 6 * 6 * 256 * 4096
    biases = sum(after for _, _, after, _ in convs) + 4096
    products = sum(w * side * side for w, (*_, side) in zip(weights, convs, strict=True)) + linear
    analysis = archcalc.load("siamese").analyze()
    assert analysis.parameters == sum(weights) + linear + biases + 4096 + 1 == 38_951_745
    assert analysis.multiplies == 2 * products + 4096 == 1_817_251_840


# torch.nn.Transformer(), and of 1,024 channels, 16 heads and 4,096 inside; on 32 words of both languages
@pytest.mark.parametrize(
    ("name", "d", "parameters", "multiplies"),
    [
        ("transformer_base", 512, 44_140_544, 1_428_160_512),
        ("transformer_big", 1024, 176_361_472, 5_674_893_312),
    ],
)
def test_transformer(name: str, d: int, parameters: int, multiplies: int) -> None:
    """Torch has two norms more, behind each half, and no words: 37,000 for both ends and the head."""
    analysis = archcalc.load(name).analyze()
    assert analysis.parameters == parameters - 2 * 2 * d + 37_000 * d
    assert analysis.multiplies == multiplies + 32 * 37_000 * d


def test_ds_cnn_by_hand() -> None:
    """MLPerf Tiny's keyword spotting in Keras: 24,908 in total; four separable units behind one conv."""
    unit = (9 * 64 + 64) + 4 * 64 + (64 * 64 + 64) + 4 * 64
    analysis = archcalc.load("ds_cnn").analyze()
    total = 10 * 4 * 64 + 64 + 4 * 64 + 4 * unit + 64 * 12 + 12
    assert analysis.parameters + analysis.total.statistics == total == 24_908
    places = 25 * 5  # 49 × 10, halved and rounded up
    products = places * 64 * (10 * 4 + 4 * (9 + 64)) + 64 * 12
    assert analysis.multiplies == products


def test_m5_by_hand() -> None:
    """Table 1: 80 samples at a stride of 4, then kernels of 3; a pool of 4 behind every stage."""
    convs = [(1, 80, 128), (128, 3, 128), (128, 3, 256), (256, 3, 512)]
    lengths = [32_000 // 4, 8_000 // 4, 2_000 // 4, 500 // 4]
    weights = [before * kernel * filters for before, kernel, filters in convs]
    with_norms = sum(w + 3 * filters for w, (_, _, filters) in zip(weights, convs, strict=True))
    analysis = archcalc.load("m5").analyze()
    assert analysis.parameters == with_norms + 512 * 10 + 10
    assert analysis.multiplies == sum(w * n for w, n in zip(weights, lengths, strict=True)) + 512 * 10


# operators that torch dispatched for the same modules (timm 1.0.31, torchvision 0.29.1): convolution and
# addmm are products; a sum of n tensors is n − 1 of its additions
DISPATCHED = {
    "r3d_18": {"add": 8, "product": 21, "relu": 17},
    "efficientnet_v2_s": {"add": 35, "product": 171, "swish": 102, "sigmoid": 30, "mul": 30},
    "deeplabv3_resnet50": {"add": 16, "product": 63, "relu": 57, "bn": 61, "resize": 3, "gap": 1},
    "hrnet_w18": {"add": 177, "product": 326, "relu": 284, "upsample": 31},
    "nasnet_large": {"add": 110, "product": 489, "relu": 264, "concat": 26, "avgpool": 70, "maxpool": 8},
}


@pytest.mark.parametrize("name", DISPATCHED)
def test_every_operator_is_there(name: str) -> None:
    """What parameters and multiplies do not tell: identities of a sum, activations, pools."""
    found: Counter[str] = Counter()
    for node in archcalc.load(name).graph.nodes:
        kind = node.operator.name
        found["product" if kind in ("conv", "linear") else kind] += (
            len(node.inputs) - 1 if kind == "add" else 1
        )
    assert {kind: found[kind] for kind in DISPATCHED[name]} == DISPATCHED[name]


def test_factored_kernels_have_as_many_weights() -> None:
    """Tran et al. 2017, section 3.5: 3·3·n·m + 3·m·c products in place of 3·3·3·n·c, up to rounding."""
    graph = archcalc.load("r2plus1d_18").graph
    convs = [node.operator for node in graph.nodes if node.operator.name == "conv"]
    between = [conv.filters for conv in convs if conv.k == (1, 3, 3)]
    pairs = [(64, 64), (64, 128), (128, 256), (256, 512)]
    expected = [27 * n * c // (9 * n + 3 * c) for n, c in pairs]
    assert expected == [144, 230, 460, 921]
    assert set(between) == {144, 230, 288, 460, 576, 921, 1152}
