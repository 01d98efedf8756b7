"""A sweep says at how many points a variable is set that nothing reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.cli import commands

# `m` counts where the network is deep; `c` always
SPEC = """
input = "8x8x4"
layers = ["conv {c}", "if deep: conv {m}"]
[vars]
c = 8
m = 8
deep = false
"""
DEEP = "it counts with deep=true"


@pytest.mark.parametrize(
    ("words", "notes"),
    [
        # m: 2, 4, 6, 8, whichever is its own
        ("--vary m=2:8:2", [f"nothing reads `m` at 4 of 4 points: {DEEP}"]),
        ("--vary m=2:8:2 --vary deep=false,true", [f"nothing reads `m` at 4 of 8 points: {DEEP}"]),
        ("--vary m=2:8:2 --vary c=1:100", [f"nothing reads `m` at 400 of 400 points: {DEEP}"]),
        ("--vary m=2:6:2 --vary c=1:100", [f"nothing reads `m` at 300 of 300 points: {DEEP}"]),
        ("--m 3 --vary deep=false,true", [f"nothing reads `m` at 1 of 2 points: {DEEP}"]),
        ("--m 8 --vary deep=false,true", []),
        ("--deep --vary m=2:8:2", []),
        ("--vary c=1:100", []),
        # 1,000 points of a sample: every 16th is looked at, 63 of them
        (
            "--deep --m 3 --vary c=1:10000 --sample 1000",
            [],
        ),
        (
            "--m 3 --vary c=1:10000 --sample 1000",
            [f"nothing reads `m` at 63 of 63 points looked at: {DEEP}"],
        ),
    ],
)
def test_points_at_which_nothing_reads_it(words: str, notes: list[str], tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(SPEC)
    result = CliRunner().invoke(commands, ["sweep", str(path), *words.split()], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [f"note: {note}" for note in notes]


def test_points_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(SPEC)
    (tmp_path / "points.csv").write_text("m,deep\n3,false\n3,true\n8,false\n5,false\n")
    words = ["sweep", str(tmp_path / "net.toml"), "--points", str(tmp_path / "points.csv")]
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert result.stderr == f"note: nothing reads `m` at 3 of 4 points: {DEEP}\n"
