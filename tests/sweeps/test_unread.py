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


@pytest.mark.parametrize(
    ("kernel", "words", "notes"),
    [
        # m is read where `deep` is true: not at m=1,3,5 with deep=false
        ("m if deep else 1", "--vary m=1:5:2 --vary deep=false,true", ["3 of 6 points: it counts with"]),
        ("m if deep else 1", "--vary m=1:5:2 --vary deep=true,false", ["3 of 6 points: it counts with"]),
        # where the arriving map is large, whichever size is looked at first
        ("m if deep or shape[0] > 8 else 1", "--vary m=1:5:2 --vary input=8,16", ["3 of 6 points: "]),
        ("m if deep or shape[0] > 8 else 1", "--vary m=1:5:2 --vary input=16,8", ["3 of 6 points: "]),
        ("m if deep else 1", "--deep --vary m=1:5:2 --vary input=8,16", []),
    ],
)
@pytest.mark.parametrize("default", [True, False], ids=["in defaults", "in the line"])
def test_a_condition_within_an_expression(
    kernel: str, words: str, notes: list[str], default: bool, tmp_path: Path
) -> None:
    argument = f"k{{{kernel}}} half"
    text = SPEC.replace("if deep: conv {m}", "conv 4" if default else f"conv 4 {argument}")
    text += f'[defaults]\nconv = "{argument}"' if default else ""
    path = tmp_path / "net.toml"
    path.write_text(text)
    result = CliRunner().invoke(commands, ["sweep", str(path), *words.split()], catch_exceptions=False)
    found = result.stderr.splitlines()
    assert len(found) == len(notes)
    for line, told in zip(found, notes, strict=True):
        assert f"nothing reads `m` at {told}" in line


def test_points_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(SPEC)
    (tmp_path / "points.csv").write_text("m,deep\n3,false\n3,true\n8,false\n5,false\n")
    words = ["sweep", str(tmp_path / "net.toml"), "--points", str(tmp_path / "points.csv")]
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert result.stderr == f"note: nothing reads `m` at 3 of 4 points: {DEEP}\n"
