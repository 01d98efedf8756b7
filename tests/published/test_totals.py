"""The totals of every bundled network stay what they were when they were last proven.

`tests/data/totals.csv` was written before the rules were reorganized. It is no evidence for a number
(that stands beside it in this folder); it shows when a change of structure moves one. A row changes
only together with the arithmetic that proves the new value, named in `MOVED`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import archcalc
from archcalc.analysis.memory import measure

RECORDED = Path(__file__).parents[1] / "data" / "totals.csv"
ROWS = list(csv.DictReader(RECORDED.open(encoding="utf-8")))

# network → the figures that moved since, with the test that proves the new value
MOVED = {"alexnet_torch": {"stored": "test_alexnet_torch_averages_its_map"}}


def test_every_bundled_network_has_a_row() -> None:
    from archcalc.totals import totals

    known = {row["network"] for row in ROWS}
    assert len(ROWS) == len(known) == 150
    assert known <= {row["name"] for row in totals()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["network"])
def test_totals_are_as_recorded(row: dict[str, str]) -> None:
    analysis = archcalc.load(row["network"]).analyze()
    memory = measure(analysis.graph)
    now = {
        "parameters": analysis.parameters,
        "statistics": analysis.total.statistics,
        "multiplies": analysis.multiplies,
        "weight_layers": analysis.weight_layers,
        "stored": memory.stored,
        "peak": memory.peak,
    }
    moved = MOVED.get(row["network"], {})
    assert {name: value for name, value in now.items() if name not in moved} == {
        name: int(row[name]) for name in now if name not in moved
    }


def test_alexnet_torch_averages_its_map() -> None:
    """torchvision's AdaptiveAvgPool2d(6) makes a map of 6·6·256 more, also where it is 6×6 already."""
    (row,) = (row for row in ROWS if row["network"] == "alexnet_torch")
    stored = measure(archcalc.load("alexnet_torch").graph).stored
    assert stored == int(row["stored"]) + 6 * 6 * 256
