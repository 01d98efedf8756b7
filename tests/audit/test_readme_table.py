"""The README's table of numbers that disagree is recomputed: every row is a published number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.api import load
from archcalc.audit.published import families, numbers
from archcalc.audit.verdicts import Networks, judge, shown
from archcalc.commands.reconcile import relative

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Why tools disagree\n")[2].partition("\n## ")[0]
ROWS = [
    tuple(map(str.strip, line.strip("|").split("|"))) for line in SECTION.splitlines() if line[:1] == "|"
]
ALL = [number for family in families() for number in numbers(family)]
NETWORKS = Networks(lambda name: relative(load(name)))


def test_there_is_a_table() -> None:
    assert len(ROWS) > 12
    assert f"recomputes {len(ALL)} numbers" in SECTION


@pytest.mark.parametrize("row", ROWS[2:], ids=lambda row: " ".join(row[:3]))
def test_rows_are_recomputed(row: tuple[str, ...]) -> None:
    """What archcalc counts and, where that differs, what the source counts."""
    network, printed, by, ours, theirs, why = row
    own = [n for n in ALL if n.network == network and n.printed == printed and n.source.startswith(by)]
    verdict = judge(own[0], NETWORKS)
    assert shown(verdict.computed) == ours
    assert ("" if verdict.reached is None else shown(verdict.reached)) == theirs
    for product in re.findall(r"\d+(?:·\d+)+", why):  # '55·48·96' is one of the two
        first, second, third = map(int, product.split("·"))
        assert f"{first * second * third:,}" in (ours, theirs)
