"""What torchvision documents: parameters, multiply-adds and the smallest input of its models.

tests/data/torchvision.csv holds num_params, _ops (GMAC, 3 decimals), crop size and min_size of the
IMAGENET1K_V1 weights, read from torchvision/models/*.py of the 0.29.2 wheel.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest
from support.exact import ROWS as EXACT

import archcalc
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.inputs import smallest_input
from archcalc.spec import catalog

TABLE = Path(__file__).parents[1] / "data" / "torchvision.csv"
ROWS = {row["name"]: row for row in csv.DictReader(TABLE.open())}
# where our name means another network than torchvision's
OURS = {"alexnet": "alexnet_torch", "googlenet": "googlenet_torch"}
BUNDLED = set(catalog.names())
NAMES = {name: OURS.get(name, name) for name in ROWS if OURS.get(name, name) in BUNDLED}
# torchvision's own parameters include the auxiliary classifier, its multiply-adds do not
WITH_AUX = {"inception_v3": ":aux=true"}
# built for one size there, which is the smallest too; here they follow the input
ONE_SIZE = {"swin_t", "vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32"}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_multiplies(name: str) -> None:
    row, ours = ROWS[name], NAMES[name]
    network = archcalc.load(ours)
    assert network.graph.input == (int(row["input"]), int(row["input"]), 3)
    trained = archcalc.load(ours + WITH_AUX.get(name, "")).analyze()
    assert trained.parameters == int(row["params"])
    error = abs(network.analyze().multiplies - Fraction(row["gmacs"]) * 10**9)
    assert error <= 500_000  # half of the last digit printed


@pytest.mark.parametrize("name", [n for n in NAMES if ROWS[n]["min_size"] and n not in ONE_SIZE])
def test_smallest_input(name: str) -> None:
    network = archcalc.load(NAMES[name])
    fields = receptive_fields(network.graph)
    found = smallest_input(network.spec, network.values, network.variant, network.graph, fields)
    assert found.legal == int(ROWS[name]["min_size"])


def test_sources_agree() -> None:
    """The two tables that the tests trust say the same of a network in both."""
    assert int(EXACT["resnet50_v1.5_224"]["params"]) == int(ROWS["resnet50"]["params"])
