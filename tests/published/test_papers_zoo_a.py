"""Networks that neither table of exact counts has: what papers, packages and the course notes print.

`REFERENCE` was counted by running the packages' own code under torch 2.13.0 on a CPU: parameters by
`numel`, running statistics of batch norm, and products by a hook on every conv and linear layer.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from support.exact import ROWS

import archcalc
from archcalc.analysis.field import receptive_fields
from archcalc.errors import SpecError
from archcalc.symbols import Int

# parameters, running mean and variance, multiplies
REFERENCE = {
    # timm 1.0.31: inception_v4, inception_resnet_v2, legacy_xception, mobilenetv3_*_075
    "inception_v4": (42_679_816, 63_168, 12_253_974_624),
    "inception_resnet_v2": (55_843_464, 60_544, 13_155_794_016),
    "xception": (22_855_952, 54_528, 8_357_403_496),
    "mobilenet_v3_large_075": (3_993_528, 19_088, 154_560_624),
    "mobilenet_v3_small_075": (2_041_872, 9_680, 43_399_344),
    # torchvision 0.29.2: mobilenet_v2(width_mult=…)
    "mobilenet_v2_035": (1_677_128, 14_080, 59_285_808),
    "mobilenet_v2_050": (1_968_680, 18_544, 97_131_840),
    "mobilenet_v2_075": (2_636_424, 26_640, 209_069_792),
    "mobilenet_v2_130": (5_386_792, 44_256, 509_374_560),
    "mobilenet_v2_140": (6_108_776, 47_936, 582_195_824),
}


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_code(name: str) -> None:
    analysis = archcalc.load(name).analyze()
    assert (analysis.parameters, analysis.total.statistics, analysis.multiplies) == REFERENCE[name]


# timm's own table: infer_gmacs, infer_macts, param_count (millions) of results/
# benchmark-infer-amp-nchw-pt110-cu113-rtx3090.csv in huggingface/pytorch-image-models
TIMM = {
    "inception_v4": ("12.28", "15.09", "42.68"),
    "inception_resnet_v2": ("13.18", "25.06", "55.84"),
    "xception": ("8.40", "35.83", "22.86"),
    "mobilenet_v2_035": ("0.07", "2.86", "1.68"),
    "mobilenet_v2_050": ("0.10", "3.64", "1.97"),
    "mobilenet_v2_075": ("0.22", "5.86", "2.64"),
    "mobilenet_v2_140": ("0.60", "9.57", "6.11"),
    "mobilenet_v3_large_075": ("0.16", "4.00", "3.99"),
    "mobilenet_v3_small_075": ("0.05", "1.30", "2.04"),
}


@pytest.mark.parametrize("name", TIMM)
def test_timm(name: str) -> None:
    """Its GMACs add 2 for each value that a batch norm gives (as fvcore does)."""
    network = archcalc.load(name)
    analysis = network.analyze()
    normalized, activations = (
        sum(n.shape.values for n in network.graph.nodes if n.operator.name in operators)
        for operators in (("bn",), ("conv", "linear"))
    )
    gmacs, macts, params = TIMM[name]
    assert_printed(gmacs, analysis.multiplies + 2 * normalized, 10**9)
    assert_printed(macts, activations, 10**6)
    assert_printed(params, analysis.parameters, 10**6)


def assert_printed(digits: str, value: Int, unit: int) -> None:
    """`value` in `unit` is `digits` up to half of the last one."""
    places = len(digits.partition(".")[2])
    error = abs(Fraction(int(value), unit) - Fraction(digits))
    assert error <= Fraction(1, 2 * 10**places), f"{value} for {digits}"


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("xception", 22_910_480),
        ("inception_v3_keras", 23_851_784),
        ("inception_resnet_v2_keras", 55_873_736),
        ("mobilenet_v1", 4_253_864),
        ("vgg16", 138_357_544),
        ("vgg19", 143_667_240),
    ],
)
def test_keras(name: str, total: int) -> None:
    """docs/templates/applications.md of Keras 2: with running statistics."""
    analysis = archcalc.load(name).analyze()
    assert analysis.parameters + analysis.total.statistics == total


@pytest.mark.parametrize(
    ("name", "paper", "slim"),
    [
        ("mobilenet_v1", 569, "4.24"),
        ("mobilenet_v1_075", 325, "2.59"),
        ("mobilenet_v1_050", 149, "1.34"),
        ("mobilenet_v1_025", 41, "0.47"),
    ],
)
def test_mobilenet_v1(name: str, paper: int, slim: str) -> None:
    """Howard et al. 2017, Table 6; slim's mobilenet_v1.md, which counts a batch norm 3 times."""
    analysis = archcalc.load(name).analyze()
    assert_printed(str(paper), analysis.multiplies, 10**6)
    assert_printed(slim, analysis.parameters + analysis.total.statistics // 2, 10**6)


@pytest.mark.parametrize(
    ("name", "macs", "params"),
    [
        ("mobilenet_v2", 300, "3.47"),
        ("mobilenet_v2_035", 59, "1.66"),
        ("mobilenet_v2_050", 97, "1.95"),
        ("mobilenet_v2_075", 209, "2.61"),
        ("mobilenet_v2_130", 509, "5.34"),
        ("mobilenet_v2_140", 582, "6.06"),
    ],
)
def test_mobilenet_v2(name: str, macs: int, params: str) -> None:
    """slim's nets/mobilenet/README.md: millions cut off; parameters without batch norm's two."""
    analysis = archcalc.load(name).analyze()
    assert analysis.multiplies // 10**6 == macs
    assert_printed(params, analysis.parameters - analysis.total.statistics, 10**6)


def test_mobilenet_v3_large_075() -> None:
    """Howard et al. 2019, Table 3, and slim's README: 155 M and 4.0 M."""
    analysis = archcalc.load("mobilenet_v3_large_075").analyze()
    assert_printed("155", analysis.multiplies, 10**6)
    assert_printed("4.0", analysis.parameters, 10**6)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("vgg11", 133),
        ("vgg11_lrn", 133),
        ("vgg13", 133),
        ("vgg16_c", 134),
        ("vgg16", 138),
        ("vgg19", 144),
    ],
)
def test_vgg_table_2(name: str, millions: int) -> None:
    """Simonyan & Zisserman 2014, Table 2: number of parameters in millions."""
    assert_printed(str(millions), archcalc.load(name).analyze().parameters, 10**6)


def test_vgg11_lrn() -> None:
    """Configuration A and a normalization of 5 channels: k + 1 multiplies and k additions a value."""
    plain, lrn = (archcalc.load(name).analyze().total for name in ("vgg11", "vgg11_lrn"))
    assert lrn.parameters == int(ROWS["vgg11_224"]["params"])
    assert lrn.multiplies == int(ROWS["vgg11_224"]["macs"])
    assert lrn.census.multiplies - plain.census.multiplies == 6 * 224 * 224 * 64
    assert lrn.census.additions - plain.census.additions == 5 * 224 * 224 * 64


def test_global_pooling_against_dense() -> None:
    """Course notes B: a global average pool has no parameters to optimize (and VGG's last 1000 few)."""
    dense, pooled = (archcalc.load("vgg16", head=head).analyze().parameters for head in ("fc", "gap"))
    assert dense - pooled == (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 - 512) * 1000
    dense, pooled = (archcalc.load("nin", head=head).analyze().parameters for head in ("fc", "gap"))
    assert dense - pooled == 6 * 6 * 1000 * 1000 + 1000


def test_allconv() -> None:
    """Course notes B: 4×4×16 with a receptive field of 22, then 10 filters of 4×4 for a dense layer."""
    network = archcalc.load("allconv")
    last = next(i for i, node in enumerate(network.graph.nodes) if node.path == "conv")
    (before,) = network.graph.nodes[last].inputs
    assert network.graph.nodes[before].shape == (4, 4, 16)
    fields = receptive_fields(network.graph)
    height = fields.nodes[before].height
    assert height is not None
    assert height.size == 22
    analysis = network.analyze()
    first, others, norms, dense = 9 * 16 + 16, 5 * (9 * 16 * 16 + 16), 6 * 2 * 16, 4 * 4 * 16 * 10 + 10
    assert analysis.parameters == first + others + norms + dense == 14_522
    sides = 24**2 + 10**2 + 8**2 + 6**2 + 4**2
    assert analysis.multiplies == 26**2 * 9 * 16 + sides * 9 * 16 * 16 + 4 * 4 * 16 * 10 == 1_924_672


def test_inception_320() -> None:
    """Course notes B: 32, 64, 128 and 96 channels, 320 together."""
    network = archcalc.load("inception_320")
    assert network.graph.nodes[network.graph.output].shape == (28, 28, 32 + 64 + 128 + 96)
    weights = 192 * (32 + 9 * 64 + 25 * 128 + 96)
    assert network.analyze().total.weights == weights
    assert network.analyze().multiplies == 28 * 28 * weights


def test_inception_3a() -> None:
    """Szegedy et al. 2014, Table 1: 159 K (of 1024) and 128 M."""
    analysis = archcalc.load("inception_3a").analyze()
    assert analysis.total.weights == 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32
    assert analysis.total.weights // 1024 == 159
    assert analysis.multiplies // 10**6 == 128


def test_inception_without_padding() -> None:
    """Course notes B: 28, 26, 24 and, pooled by 2, 14 wide. Those cannot be concatenated."""
    with pytest.raises(SpecError) as caught:
        _ = archcalc.load("inception:padding=valid").graph
    (mistake,) = caught.value.diagnostics
    assert mistake.message == "cannot concatenate 26×26×128 with 28×28×64"
    assert mistake.label.endswith("inputs 28×28×64, 26×26×128, 24×24×32, 14×14×32")
    assert "pad the convs" in mistake.help


@pytest.mark.parametrize(
    ("module", "millions"),
    [
        ("3a", 128),
        ("3b", 304),
        ("4a", 73),
        ("4b", 88),
        ("4c", 100),
        ("4d", 119),
        ("4e", 170),
        ("5b", 71),
    ],
)
def test_googlenet_table_1(module: str, millions: int) -> None:
    """Szegedy et al. 2014, Table 1, column "ops": some are rounded, some cut off."""
    layers = archcalc.load("googlenet").analyze().layers
    ours = sum(layer.costs.multiplies for layer in layers if layer.path.startswith(f"{module}/"))
    assert abs(ours - millions * 10**6) < 10**6


def test_googlenet_table_1_of_5a() -> None:
    """It prints a reduction of 32 and 54 M multiplies; 32 makes 51 M, and 48 the 54."""
    layers = archcalc.load("googlenet").analyze().layers
    ours = sum(layer.costs.multiplies for layer in layers if layer.path.startswith("5a/"))
    assert ours == 49 * (832 * (256 + 160 + 32 + 128) + 9 * 160 * 320 + 25 * 32 * 128)
    assert (ours // 10**6, (ours + 49 * 16 * (832 + 25 * 128)) // 10**6) == (51, 54)


def test_googlenet_separable_stem() -> None:
    """Row 1 of Table 1: 2.7 K and 34 M; the text's 1.5 billion multiply-adds for the whole network."""
    analysis = archcalc.load("googlenet_separable").analyze()
    stem = [layer.costs for layer in analysis.layers if layer.path.startswith("conv1/")]
    assert sum(c.weights for c in stem) == 7 * 7 * 24 + 24 * 64 == 2_712
    assert sum(c.multiplies for c in stem) == 112 * 112 * 2_712 == 34_019_328
    assert_printed("1.5", analysis.multiplies, 10**9)


@pytest.mark.parametrize(
    ("name", "layers"),
    [("googlenet", 22), ("mobilenet_v1", 28), ("squeezenet1_0", 18), ("zfnet", 8), ("vgg16_c", 16)],
)
def test_weight_layers(name: str, layers: int) -> None:
    """As the papers count: GoogLeNet is "22 layers deep"; SqueezeNet has 2 a fire module, and 2."""
    assert archcalc.load(name).graph.weight_layers == layers


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("vgg16", 212),
        ("bn_inception", 699),
        ("inception_v3", 1311),
        ("inception_v4", 2071),
        ("inception_resnet_v2", 3039),
        ("mobilenet_v1", 315),
        ("mobilenet_v1_075", 315),
    ],
)
def test_receptive_fields(name: str, pixels: int) -> None:
    """The table in the README of google-research/receptive_field (Araujo et al. 2019)."""
    field = receptive_fields(archcalc.load(name).graph).of_network
    assert field.height is not None
    assert field.width is not None
    assert field.height.size == field.width.size == pixels


@pytest.mark.parametrize("size", ["32x32x3", "224x224x3", "320x256x3"])
def test_torchvision_averages_before_the_dense_layers(size: str) -> None:
    """AdaptiveAvgPool2d((7, 7)) of vgg.py and ((6, 6)) of alexnet.py: as many parameters at any size.

    138,357,544 and 61,100,840 are the num_params of their IMAGENET1K_V1 weights.
    """
    if size != "32x32x3":  # AlexNet needs 63
        assert archcalc.load("alexnet_torch", input=size).analyze().parameters == 61_100_840
    assert archcalc.load("vgg16_torch", input=size).analyze().parameters == 138_357_544
