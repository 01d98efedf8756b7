"""What tests/differential recorded: which models become layers, and how near torch their values are."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


LOWERED, VALUES = rows("lowered_models.csv"), rows("model_values.csv")


def test_most_models_become_layers() -> None:
    """The others say why."""
    equal = [row for row in LOWERED if row["verdict"] == "equal"]
    assert len(LOWERED) > 150 and len(equal) >= 0.94 * len(LOWERED)
    assert all(row["reason"] for row in LOWERED if row["verdict"] != "equal")


@pytest.mark.parametrize("row", VALUES, ids=lambda row: row["model"])
def test_values_are_torchs(row: dict[str, str]) -> None:
    """Every layer within 10⁻⁴ of its largest value; some are gathered of several of torch's."""
    assert float(row["largest"]) <= 1e-4
    assert int(row["compared"]) >= int(row["layers"]) // 2


def test_fifteen_models_were_run() -> None:
    assert len(VALUES) >= 15
