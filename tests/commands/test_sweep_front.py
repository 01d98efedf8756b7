"""A front drawn as text: every entry in its place."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archcalc.cli import commands
from archcalc.errors import UsageError

SPEC = """input = "1x1x8"
layers = ["linear {floor(a * w * 2)}"]
[vars]
a = 3
w = 0.5
"""
COLUMNS, ROWS = 56, 12


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SPEC)


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["sweep", "small.toml", *words])


def canvas(result: Result) -> list[str]:
    """The rows of marks, from the top."""
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if "│" in line]
    return [line.partition("│")[2].ljust(COLUMNS) for line in lines]


def marks(result: Result) -> set[tuple[int, int]]:
    """Column and row of each mark, from the left and from below."""
    rows = canvas(result)[::-1]
    assert len(rows) == ROWS
    return {(x, y) for y, row in enumerate(rows) for x, mark in enumerate(row) if mark == "•"}


def test_places_in_equal_steps() -> None:
    """8·a multiplies to the right and a upwards: on a line, from corner to corner."""
    found = run("--vary", "a=2:13", "--pareto", "max:multiplies,a", "--plot")
    assert marks(found) == {(round((a - 2) / 11 * 55), a - 2) for a in range(2, 14)}
    rows = found.stdout.splitlines()
    assert rows[-3].split() == ["16", "104"]
    assert rows[-3].rstrip().endswith("104")
    assert rows[-1] == "  12 entries: max:multiplies to the right, a upwards"
    drawn = [row for row in rows if "│" in row]
    assert [row.split("│")[0].strip() for row in (drawn[0], drawn[-1])] == ["13", "2"]


def test_places_in_equal_ratios() -> None:
    """From 9 to 9,000 parameters: 1, 10, 100, 1,000 are as far apart."""
    found = run("--vary", "a=1,10,100,1000", "--pareto", "max:params,a", "--plot")
    expected = {(round(i / 3 * 55), round(i / 3 * 11)) for i in range(4)}
    assert marks(found) == expected
    assert "of equal ratio: parameters, a" in found.stdout
    assert math.log10(9_000 / 9) == 3


def test_decimals_and_a_single_entry() -> None:
    found = run("--vary", "w=0.25:0.75:0.25", "--vary", "a=3", "--pareto", "w,params", "--plot")
    assert marks(found) == {(0, 0)}
    assert "0.25" in found.stdout.splitlines()[-3]


def test_no_entry_draws_nothing() -> None:
    odd_and_even = "a % 2 == 1 and a == 2 * (a // 2)"
    found = run("--vary", "a=2:13", "--where", odd_and_even, "--pareto", "params,max:a", "--plot")
    assert found.exit_code == 0
    assert "The front" not in found.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--plot"],
        ["--plot", "--pareto", "params"],
        ["--plot", "--top", "2"],
        ["--plot", "--pareto", "params,max:peak", "--format", "json"],
        ["--plot", "--pareto", "params,max:peak", "-o", "out"],
    ],
)
def test_what_cannot_be_drawn(words: list[str]) -> None:
    result = run("--vary", "a=2:13", *words)
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "--plot draws a front of two goals, as text"
    help = "as in --pareto params,multiplies --plot; `archcalc sweep plot DIR` draws what -o wrote"
    assert result.exception.diagnostics[0].help == help
