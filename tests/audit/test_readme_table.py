"""The table of numbers that disagree is recomputed: every row is a published number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.verdicts import judged

from archcalc.audit.published import families, numbers
from archcalc.audit.verdicts import shown

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "archcalc/help/audit.md").read_text(encoding="utf-8")
HEAD = ("network", "printed", "by", "archcalc counts", "they count", "why")


def rows_of(text: str) -> list[tuple[str, ...]]:
    lines = [line for line in text.splitlines() if line[:1] == "|"]
    rows = [tuple(map(str.strip, line.strip("|").split("|"))) for line in lines]
    start = rows.index(HEAD) + 2
    return [row for row in rows[start:] if len(row) == len(HEAD)]


ROWS = rows_of(PAGE)
ALL = [number for family in families() for number in numbers(family)]


def test_there_is_a_table() -> None:
    assert len(ROWS) > 12
    assert len(rows_of(README)) == 8
    assert {*rows_of(README)} <= {*ROWS}
    for text in (README, PAGE):
        assert f"recomputes {len(ALL)} numbers" in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:3]))
def test_rows_are_recomputed(row: tuple[str, ...]) -> None:
    """What archcalc counts and, where that differs, what the source counts."""
    network, printed, by, ours, theirs, why = row
    own = [n for n in ALL if n.network == network and n.printed == printed and n.source.startswith(by)]
    verdict = judged(own[0])
    assert shown(verdict.computed) == ours
    assert ("" if verdict.reached is None else shown(verdict.reached)) == theirs
    for product in re.findall(r"\d+(?:·\d+)+", why):  # '55·48·96' is one of the two
        first, second, third = map(int, product.split("·"))
        assert f"{first * second * third:,}" in (ours, theirs)
