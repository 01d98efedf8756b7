"""Terms: each amount of a small network by hand, and of large ones against an independent program."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.exact import NETWORKS, ROWS

import archcalc
from archcalc.analysis.costs import Analysis
from archcalc.analysis.memory import stored
from archcalc.audit.terms import TERMS, Ledger, Share, head, rule

SMALL = """
input = "8x8x3"
layers = [
  "conv 4 k3 p1 nobias | bn | relu | lrn 5 | maxpool 3 s2 p1 ceil",
  "block",
  "conv 6 g2 | sigmoid | avgpool 2 | dropout",
  "gap | linear 10 | softmax",
]

[block.block]
add.main = "conv 4 k1 | bn noscale"
add.short = "@in"
"""
# maps: 8×8×4 up to the max pool, 5×5×4 behind it (ceil((8 + 2 − 3)/2) + 1), 5×5×6, pooled 2×2×6, 6, 10
AMOUNTS = {
    "products": 8 * 8 * 4 * 27 + 5 * 5 * 4 * 4 + 5 * 5 * 6 * 2 + 6 * 10,
    "conv products": 8 * 8 * 4 * 27 + 5 * 5 * 4 * 4 + 5 * 5 * 6 * 2,
    "linear products": 60,
    "conv biases added": 5 * 5 * 4 + 5 * 5 * 6,  # the first has none
    "linear biases added": 10,
    "bn values": 8 * 8 * 4 + 5 * 5 * 4,
    "lrn values": 8 * 8 * 4,
    "lrn neighbors": 8 * 8 * 4 * 5,
    "lrn scalings": 8 * 8 * 4 + 8 * 8 * (2 + 2 * 4),
    "relu values": 8 * 8 * 4,
    "curve values": 5 * 5 * 6,
    "softmax values": 10,
    "max pool outputs": 5 * 5 * 4,
    "max pool windows": 5 * 5 * 4 * 9,
    "max pool strides": 5 * 5 * 4 * 4,
    "average pool outputs": 2 * 2 * 6,
    "average pool windows": 2 * 2 * 6 * 4,
    "average pool strides": 2 * 2 * 6 * 4,
    "global pool outputs": 6,
    "global pool inputs": 2 * 2 * 6,
    "additions of maps": 5 * 5 * 4,
    "weights": 4 * 27 + 4 * 4 + 6 * 2 + 60,
    "biases": 4 + 6 + 10,
    "linear parameters": 60 + 10,
    "norm scales": 4,  # the second has none
    "norm shifts": 4 + 4,
    "statistics": 2 * 4 + 2 * 4,
    "bn channels": 8,
    "bn layers": 2,
    "idle biases": 4,  # of the conv without one
    "map values": 8 * 8 * 4 + 5 * 5 * 4 * 3 + 5 * 5 * 6 + 2 * 2 * 6 + 6 + 10,
    "input values": 8 * 8 * 3,
    "conv values": 8 * 8 * 4 + 5 * 5 * 4 + 5 * 5 * 6,
    "linear values": 10,
    "dropout values": 2 * 2 * 6,
    "join values": 5 * 5 * 4,
}


# a product and a bias of a conv or a linear layer are a link each
LINKS = ("conv products", "conv biases added", "linear products", "linear biases added")
AMOUNTS["connections"] = sum(AMOUNTS[name] for name in LINKS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    path = Path(tmp_path_factory.mktemp("terms")) / "small.toml"
    path.write_text(SMALL)
    return archcalc.load(str(path)).analyze()


@pytest.mark.parametrize("name", TERMS)
def test_amount(name: str, small: Analysis) -> None:
    term = TERMS[name]
    by_layer = term.by_layer(small)
    assert len(by_layer) == len(small.layers)
    assert sum(by_layer) == term.total(small) == Ledger(small).amount(term) == AMOUNTS.get(name, 0)


@pytest.mark.parametrize("key", NETWORKS)
def test_against_independent_counts(key: str) -> None:
    analysis = archcalc.load(NETWORKS[key]).analyze()
    row, ledger = ROWS[key], Ledger(analysis)

    def amount(*names: str) -> int:
        return sum(ledger.amount(TERMS[name]) for name in names)

    parameters = amount("weights", "biases", "norm scales", "norm shifts")
    assert parameters == int(row["params"])
    assert parameters + amount("statistics") == int(row["params_bn4"])
    assert amount("conv products") == sum(
        int(row[f"macs_{kind}"]) for kind in ("conv", "grouped", "depthwise")
    )
    assert amount("linear products") == int(row["macs_fc"])
    assert amount("input values", "map values") == stored(analysis.graph)


@pytest.mark.parametrize(
    ("network", "first"),
    [
        ("vgg16", "flatten"),
        ("resnet50", "gap"),
        ("se_resnet50", "gap"),
        ("googlenet", "gap"),
        ("lenet5", "flatten"),
    ],
)
def test_head_begins_where_the_last_map_becomes_a_vector(network: str, first: str) -> None:
    analysis = archcalc.load(network).analyze()
    layers = analysis.layers[head(analysis) :]
    assert layers[0].node.operator.name == first
    assert not any(layer.node.operator.name in ("conv", "maxpool") for layer in layers)


def test_trunk_is_what_comes_before_the_head() -> None:
    """13 convs of VGG-16 without the three linear layers: 15,470,264,320 − 123,633,664."""
    trunk = Ledger(archcalc.load("vgg16").analyze(), trunk=True)
    assert trunk.amount(TERMS["products"]) == 15_346_630_656
    assert trunk.amount(TERMS["linear products"]) == 0


def test_rule() -> None:
    assert rule("products + 2 bn values − biases") == (
        Share(1, TERMS["products"]),
        Share(2, TERMS["bn values"]),
        Share(-1, TERMS["biases"]),
    )
    assert rule("−norm scales") == (Share(-1, TERMS["norm scales"]),)
    with pytest.raises(KeyError):
        rule("products of nothing")
