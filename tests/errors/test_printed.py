"""Names and texts of a spec are data: no terminal, page or file gets them unescaped, right or wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from archcalc import cli

EVIL = "\x1b[31mred\x1b[0m\u202egnp.exe\u202c\x9b2J\n\r\t[bold]x[/bold]\u2066\u200b"
SPEC = f"""
title = {json.dumps(EVIL)}
paper = {json.dumps(EVIL)}
input = "8x8x4"
layers = ["conv 4 | {{act}}", "if word == 'a': relu", "output side = conv 4"]
[vars]
act = {{ default = "relu", help = {json.dumps(EVIL)}, choices = ["relu", {json.dumps(EVIL)}] }}
word = "a"
"""
COMMANDS = ["params", "flops", "show", "memory", "field", "explain"]


FORMATS = ["table", "json", "csv", "md", "latex"]


def run(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[str]]:
    monkeypatch.setattr(sys, "argv", ["archcalc", *words])
    code = cli._run()
    printed = capsys.readouterr()
    return code, (printed.out + printed.err).split("\n")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("changes", [[], ["--word", EVIL]], ids=["as it is", "with a variable set"])
def test_output(
    command: str,
    format: str,
    changes: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "\x1b[31m\u202e.toml"
    path.write_text(SPEC, encoding="utf-8")
    code, lines = run([command, str(path), *changes, "--format", format], monkeypatch, capsys)
    assert code == 0
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--act", "rleu"],
        ["--wrod", "b"],
        ["--set", EVIL],
        ["--act", EVIL, "--n"],
    ],
)
def test_help_and_errors(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "\x1b[31m\u202e.toml"
    path.write_text(SPEC, encoding="utf-8")
    _, lines = run(["params", str(path), *words], monkeypatch, capsys)
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize("text", ["layers = 3", "input = ", '[block."\u202e"]', "\xa0= 3"])
def test_errors_in_a_file_of_a_strange_name(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "\x1b[31m\u202e\n.toml"
    path.write_text(text, encoding="utf-8")
    code, lines = run(["params", str(path)], monkeypatch, capsys)
    assert code == 2
    assert [line for line in lines if not line.isprintable()] == []
