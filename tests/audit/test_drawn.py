"""reconcile on numbers by others, drawn before it was first run on them: the right reason comes first.

The rows are of two tables: numbers that papers, notes and tools have published, and what tools print
(tools.csv). Left out are what archcalc does not count (rows of input sizes, of depths, ratios and
shapes, parameters that are not trained, what is no number above 0) and all counts of its own. Of the
1,074 rows that remain `Random(8).sample` drew the first 60, and `Random(9).sample` another 60 of the
rest. `number` is the printed text as one would hand it to reconcile; `reason` is who printed it and as
what, and `expected` a pattern for "READING | QUANTITY" of the first row of the answer.
"""

from __future__ import annotations

import csv
import re
from itertools import groupby
from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.cli import commands

DATA = Path(__file__).parent.parent / "data"
LEAST = {"reconcile_first.csv": 48, "reconcile_second.csv": 49}  # of 60; 48 are the goal


def first_reading(network: str, number: str) -> str:
    name = str(DATA / network) if network.endswith(".toml") else network
    result = CliRunner().invoke(commands, ["reconcile", name, number, "--format", "csv"])
    if result.exit_code:
        return f"exit code {result.exit_code}"
    row = next(csv.DictReader(result.output.splitlines()))
    return f"{row['reading']} | {row['quantity']}"


def misses(file: str) -> list[str]:
    rows = sorted(csv.DictReader((DATA / file).open()), key=lambda row: row["network"])
    found = []
    for network, numbers in groupby(rows, key=lambda row: row["network"]):
        for row in numbers:
            said = first_reading(network, row["number"])
            if not re.search(row["expected"], said):
                found.append(f"{network} {row['number']}: {said}; right: {row['reason']}")
    return found


@pytest.mark.zoo
@pytest.mark.parametrize("file", LEAST)
def test_right_reason_comes_first_as_often_as_it_did(file: str) -> None:
    missed = misses(file)
    assert len(missed) <= 60 - LEAST[file], "\n".join(missed)
