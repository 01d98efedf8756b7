"""Numbers of the papers and of the course notes, with the arithmetic or the source."""

from __future__ import annotations

import pytest

import archcalc


def test_lenet5_1998() -> None:
    """LeCun et al. 1998, section II.B: parameters and connections layer by layer."""
    analysis = archcalc.load("lenet5_1998").analyze()
    parameters = {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164, "OUT": 0}
    connections = {
        "C1": 122_304,
        "S2": 5_880,
        "C3": 151_600,
        "S4": 2_000,
        "C5": 48_120,
        "F6": 10_164,
        "OUT": 840,
    }
    for name in parameters:
        layers = [x for x in analysis.layers if x.path.split("/")[0] == name]
        assert sum(x.costs.parameters for x in layers) == parameters[name], name
        assert sum(x.costs.connections for x in layers) == connections[name], name
    assert analysis.parameters == 60_000
    assert analysis.total.connections == 340_908
    assert analysis.total.fixed == 84 * 10


def test_lenet5_1998_multiplies() -> None:
    """Products, and with the subsampling coefficients and the RBF units all multiplies."""
    total = archcalc.load("lenet5_1998").analyze().total
    convs = 28 * 28 * 6 * 25 + 10 * 10 * 60 * 25 + 120 * 400
    assert total.multiplies == convs + 120 * 84 == 325_680
    assert total.census.multiplies == 325_680 + (14 * 14 * 6 + 5 * 5 * 16) + 84 * 10 == 328_096


@pytest.mark.parametrize(
    ("settings", "multiplies"),
    [
        ("inception", 28 * 28 * 32 * 5 * 5 * 192),  # "120 Mil" in the notes
        ("inception:bottleneck=16", 28 * 28 * 16 * 192 + 28 * 28 * 32 * 5 * 5 * 16),  # "12.4mil"
    ],
)
def test_inception_bottleneck(settings: str, multiplies: int) -> None:
    layers = archcalc.load(settings).analyze().layers
    branch = sum(x.costs.multiplies for x in layers if x.path.startswith("5x5/"))
    assert branch == multiplies
    assert multiplies in (120_422_400, 12_443_648)


@pytest.mark.parametrize(("settings", "channels"), [("inception", 256), ("inception:proj=0", 416)])
def test_inception_channels(settings: str, channels: int) -> None:
    """64 + 128 + 32 and the pool: projected to 32, or all 192 of the input (the truly naive module)."""
    graph = archcalc.load(settings).graph
    assert graph.nodes[graph.output].shape == (28, 28, channels)


def test_googlenet_3a() -> None:
    """GoogLeNet's module 3a: Szegedy et al. 2014, Table 1, prints 159 K and 128 M."""
    analysis = archcalc.load("inception", reduce3=96, bottleneck=16).analyze()
    weights = 192 * (64 + 96 + 16 + 32) + 9 * 96 * 128 + 25 * 16 * 32
    assert analysis.total.weights == weights == 163_328  # 159.5 × 1024
    assert analysis.multiplies == 28 * 28 * weights


@pytest.mark.parametrize(
    ("name", "layers"),
    [("vgg16", 16), ("vgg19", 19), ("alexnet", 8), ("lenet5", 5), ("plain34", 34)]
    + [(f"resnet{n}", n) for n in (18, 34, 50, 101, 152)],
)
def test_weight_layers(name: str, layers: int) -> None:
    """The number in the network's name, or in its paper."""
    assert archcalc.load(name).graph.weight_layers == layers


def test_vgg16_transfer() -> None:
    """A new head of 3 classes (notes C): 4096·3 weights and 3 biases in place of 4,097,000."""
    base, changed = archcalc.load("vgg16").analyze(), archcalc.load("vgg16", classes=3).analyze()
    assert base.parameters - changed.parameters == 4_097_000 - (4096 * 3 + 3)
