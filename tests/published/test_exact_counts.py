"""Counts of a separate program in plain arithmetic that shares no code with archcalc.

tests/data/exact_counts.csv: `params` weights, biases, batch-norm scale and shift; `params_bn4` the
running mean and variance too; `macs` multiplies of conv and linear layers, then by kind.
"""

from __future__ import annotations

import pytest
from support.exact import NETWORKS, ROWS

import archcalc

KINDS = {
    "macs_conv": "conv",
    "macs_grouped": "grouped conv",
    "macs_depthwise": "depthwise conv",
    "macs_fc": "linear",
}


@pytest.mark.parametrize("key", NETWORKS)
def test_counts(key: str) -> None:
    row, analysis = ROWS[key], archcalc.load(NETWORKS[key]).analyze()
    assert analysis.parameters == int(row["params"])
    assert analysis.parameters + analysis.total.statistics == int(row["params_bn4"])
    assert analysis.multiplies == int(row["macs"])
    for column, kind in KINDS.items():
        products = sum(layer.costs.multiplies for layer in analysis.layers if layer.kind == kind)
        assert products == int(row[column]), column


@pytest.mark.parametrize("key", NETWORKS)
def test_input(key: str) -> None:
    """The row is about the same image (channels × height × width there)."""
    channels, height, width = map(int, ROWS[key]["input"].split("x"))
    assert archcalc.load(NETWORKS[key]).graph.input == (height, width, channels)
