"""Networks made anew: what folding a batch norm leaves, and where it may not be folded."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.analysis.costs import analyze
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.neighbors import neighbors
from archcalc.audit.printed import parse
from archcalc.audit.rewrites import REWRITES
from archcalc.audit.search import find
from archcalc.spec import catalog


def neighbor(tmp_path: Path, layers: str) -> Neighbor:
    path = tmp_path / "net.toml"
    path.write_text(f'input = "8x8x3"\nlayers = {layers}\n')
    return Neighbor(catalog.find(str(path)), {})


def folded(network: Neighbor) -> Neighbor | None:
    return next((r for r in neighbors(network) if r.rewrite == "batch norm folded"), None)


@pytest.mark.parametrize(
    ("layers", "paths", "parameters"),
    [
        # a bias for each of 4 filters, 6 units and 5 filters in place of scale and shift
        ('"conv 4 k3 nobias | bn | relu | gap | linear 6 nobias | bn"', 5, 4 * 27 + 4 + 6 * 4 + 6),
        ('"deconv 5 k2 s2 nobias | bn"', 2, 5 * 12 + 5),
        ('"conv 4 k3 | bn | relu"', 3, 4 * 27 + 4),  # it has one already
        # of two, the second reads a batch norm no more
        ('"conv 4 k3 nobias | bn | bn"', 3, 4 * 27 + 4 + 2 * 4),
        # before its conv: the first norm stays
        ('"bn | relu | conv 4 k3 nobias | bn"', 4, 2 * 3 + 4 * 27 + 4),
    ],
)
def test_batch_norm_is_folded(tmp_path: Path, layers: str, paths: int, parameters: int) -> None:
    network = folded(neighbor(tmp_path, layers))
    assert network is not None
    assert len(network.analysis.layers) == paths
    assert network.analysis.total.parameters == parameters


@pytest.mark.parametrize(
    "layers",
    [
        '"conv 4 k3"',
        '"bn | conv 4 k3"',
        '["a = conv 3 k3 half nobias", "bn", "add @a"]',  # what the conv makes is read twice
    ],
)
def test_what_cannot_be_folded_stays(tmp_path: Path, layers: str) -> None:
    network = neighbor(tmp_path, layers)
    assert folded(network) is None
    graph = network.analysis.graph
    assert REWRITES["batch norm folded"].of(graph) is graph


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "densenet121", "inception_v3"])
def test_folding_keeps_products_and_shapes(name: str) -> None:
    network = Neighbor(catalog.find(name), {})
    other = folded(network)
    assert other is not None
    assert other.analysis.multiplies == network.analysis.multiplies
    own, new = network.analysis.graph, other.analysis.graph
    assert new.nodes[new.output].shape == own.nodes[own.output].shape
    places = {node.path: node.shape for node in own.nodes}
    assert all(places[node.path] == node.shape for node in new.nodes)


def test_folded_networks_are_readings() -> None:
    """MobileNet v2 has 17,056 channels of batch norm: 2 numbers each go, a bias comes."""
    (best,) = find(Neighbor(catalog.find("mobilenet_v2"), {}), parse("3487816")).matches
    assert best.reading.network.name == "mobilenet_v2, batch norm folded"
    assert best.reading.value == 3_504_872 - 2 * 17_056 + 17_056


# MobileNet v1 behind its first conv: the output's height, channels that come in, and filters
UNITS = [
    (112, 32, 64),
    (56, 64, 128),
    (56, 128, 128),
    (28, 128, 256),
    (28, 256, 256),
    (14, 256, 512),
    *[(14, 512, 512)] * 5,
    (7, 512, 1024),
    (7, 1024, 1024),
]


def test_full_convolutions_in_place_of_separable_ones() -> None:
    """Table 4 of the paper: 4866 million multiply-adds and 29.3 million parameters."""
    network = Neighbor(catalog.find("mobilenet_v1"), {})
    (full,) = (r for r in neighbors(network) if r.rewrite == "full convolutions" and r.steps == 1)
    convs = 112**2 * 32 * 27 + sum(size**2 * 9 * c * filters for size, c, filters in UNITS)
    assert full.analysis.multiplies == convs + 1024 * 1000
    assert convs // 10**6 == 4866  # without the classifier
    weights = 32 * 27 + sum(9 * c * filters for _, c, filters in UNITS)
    norms = 2 * (32 + sum(filters for _, _, filters in UNITS))
    parameters = weights + norms + 1025 * 1000
    assert full.analysis.total.parameters == parameters
    assert round(parameters / 10**6, 1) == 29.3
    (best,) = find(network, parse("29.3M")).matches
    assert (best.reading.network.name, best.reading.value) == (full.name, parameters)


@pytest.mark.parametrize(
    ("layers", "multiplies"),
    [
        ('"conv 3 k3 g3 s2 | relu | conv 5"', 9 * 9 * 3 * 5),  # 3×3 positions
        ('"conv 3 k3 g3 | conv 3 k3 g3 | conv 5"', 6 * 6 * 27 + 4 * 4 * 9 * 3 * 5),  # the last of two
        ('"conv 6 k3 g3 | conv 5"', None),  # two filters a channel
        ('["a = conv 3 k3 g3 half", "conv 3", "add @a"]', None),  # read twice
        ('"conv 3 g3 | conv 5"', None),  # no window
    ],
)
def test_what_is_separable(tmp_path: Path, layers: str, multiplies: int | None) -> None:
    graph = neighbor(tmp_path, layers).analysis.graph
    full = REWRITES["full convolutions"].of(graph)
    if multiplies is None:
        assert full is graph
    else:
        assert analyze(full).multiplies == multiplies
