"""Where room is short, what matters is whole: operators of `show --all`, titles of `list`, help."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.operators import TABLE, operator_class


def run(columns: str, *words: str) -> str:
    result = CliRunner().invoke(commands, list(words), env={"COLUMNS": columns}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("columns", ["72", "80", "100"])
@pytest.mark.parametrize("name", ["alexnet", "resnext50_32x4d", "mobilenet_v2"])
def test_operators_are_whole(name: str, columns: str) -> None:
    text = run(columns, "show", name, "--all")
    (network,) = json.loads(run(columns, "show", name, "--format", "json"))["networks"]
    assert all(len(line) <= int(columns) for line in text.splitlines())
    grouped = {layer["text"] for layer in network["layers"] if " g" in layer["text"]}
    assert grouped
    words = text.split()
    assert all(word in words for operator in grouped for word in operator.split())
    assert "…" not in text


@pytest.mark.parametrize("name", TABLE)
def test_the_page_of_an_operator_is_no_wider_than_a_terminal(name: str) -> None:
    """Its docstring is wrapped, and loses no word."""
    text = run("80", "operators", name)
    assert max(map(len, text.splitlines())) <= 80
    assert " ".join(str(operator_class(name).__doc__).split()) in " ".join(text.split())


@pytest.mark.parametrize("columns", ["", "120"])
def test_titles_are_whole(columns: str) -> None:
    """In a pipe, and in a terminal of 120 columns: a line for each network."""
    text = run(columns, "list")
    listed = json.loads(run(columns, "list", "--format", "json"))["networks"]
    lines = {line.split()[0]: line for line in text.splitlines()[1:] if line.strip()}
    assert all(network["title"] in lines[network["name"]] for network in listed)


def test_titles_are_broken_not_cut() -> None:
    """All their words are there at 80 columns."""
    text = run("80", "list")
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "…" not in text
    listed = json.loads(run("80", "list", "--format", "json"))["networks"]
    assert {word for network in listed for word in network["title"].split()} <= set(text.split())
