"""archcalc audit: summary and findings, all numbers of a network, every format, the exit code."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.verdicts import judged

from archcalc.audit import published
from archcalc.audit.published import families, numbers
from archcalc.audit.verdicts import KINDS
from archcalc.cli import commands
from archcalc.commands import audit
from archcalc.errors import UsageError
from archcalc.views.diagnostics import render


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, ["audit", *words], env={"COLUMNS": "80"})


@pytest.fixture(autouse=True)
def judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each number is judged once for all formats: of every number it takes seconds."""
    monkeypatch.setattr(audit, "judge", lambda number, networks: judged(number))


@cache
def run(*words: str) -> str:
    result = invoke(*words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def test_the_summary_adds_up() -> None:
    """A column a verdict, and the findings that follow are those of its last two."""
    text = run()
    table, findings = text.split("wrong or unexplained numbers")
    rows = [line.split()[-7:] for line in table.splitlines()[3:] if line.startswith("  ")]
    *sources, total = [[int(cell.replace("–", "0")) for cell in row] for row in rows]
    assert [sum(column) for column in zip(*sources, strict=True)] == total
    assert total[0] == sum(total[1:]) == sum(1 for family in families() for _ in numbers(family))
    wrong, unexplained = total[-2:]
    assert findings.count("  wrong") == wrong
    assert findings.count("  unexplained") == unexplained
    assert "253,440 = 55 · (96 // 2) · 96" in findings


def test_one_network_or_its_family() -> None:
    """A name of a variant is that network, with whatever settings; the name of a file all of it."""
    document = json.loads(run("vgg16", "--format", "json"))["networks"]
    assert {number["network"] for number in document} == {"vgg16"}
    family = json.loads(run("vgg", "--format", "json"))["networks"]
    assert len(family) == len(list(numbers("vgg.toml"))) > len(document)
    document = json.loads(run("ResNet-18", "--format", "json"))["networks"]
    assert {number["network"] for number in document} == {"resnet18", "resnet18:input=64x64x3"}
    assert run("repvgg_a0").startswith("0 published numbers")


def test_formats_agree() -> None:
    document = json.loads(run("--format", "json"))["networks"]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv"))))
    assert [(n["printed"], n["verdict"]) for n in document] == [
        (r["printed"], r["verdict"]) for r in rows
    ]
    assert {n["verdict"] for n in document} == set(KINDS)
    assert "| vgg16 stored | 24M | 15,237,608 | wrong |" in run("vgg16", "--format", "md")
    assert "253,440" in run("alexnet", "--format", "latex")


def test_programs_read_plain_numbers() -> None:
    """VGG-16: 138,357,544 parameters; 5·5 weights to 3·3 are 25/9; a size has no plain number."""
    document = json.loads(run("--format", "json"))["networks"]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv"))))
    for told, row in zip(document, rows, strict=True):
        size = told["computed"]
        same = "×".join(map(str, size)) if isinstance(size, list) else str(size)
        assert row["computed"] == same
    computed = {(n["network"], n["quantity"], n["printed"]): n["computed"] for n in document}
    assert computed["vgg16", "parameters", "138 M"] == 138_357_544
    (ratio,) = [n["computed"] for n in document if n["printed"] == "2.78"]
    assert ratio == 25 / 9


def test_what_is_asked_for_twice_counts_once() -> None:
    once = run("lenet5")
    assert run("lenet5", "lenet5") == run("lenet5", "LeNet-5") == once
    family = json.loads(run("vgg", "--format", "json"))["networks"]
    both = json.loads(run("vgg16", "vgg", "--format", "json"))["networks"]
    assert sorted(map(repr, both)) == sorted(map(repr, family))


def test_all_shows_every_number() -> None:
    total = sum(1 for family in families() for _ in numbers(family))
    assert f"{total} published numbers\n" in run("--all")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{ of = "vgg16", parameters = "138,357,544" }', 0),
        ('{ of = "vgg16", parameters = "138,357,545" }', 1),
        ('{ of = "vgg16", parameters = "138,357,545", open = true }', 0),
        ('{ of = "vgg16", parameters = "138,357,545", read = "memory" }', 0),
        ('{ of = "vgg16", parameters = "138,357,545", arises = "parameters + 1" }', 0),
        ('{ of = "vgg16", parameters = "138,357,545", arises = "parameters + 2" }', 1),
    ],
)
def test_exit_code(line: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 if a number that should hold does not; what its entry owns up to is a finding."""
    monkeypatch.setattr(published, "folder", lambda: str(tmp_path))
    (tmp_path / "published").mkdir()
    text = f'[[source]]\nname = "a test"\nnumbers = [{line}]\n'
    (tmp_path / "published/vgg.toml").write_text(text, encoding="utf-8")
    result = invoke()
    assert result.exit_code == code, result.output
    assert ("1 that should hold do not" in result.output) == bool(code)


def test_unknown_networks() -> None:
    result = invoke("vgg17")
    assert isinstance(result.exception, UsageError)
    assert "did you mean" in result.exception.diagnostics[0].help


def test_settings_are_refused() -> None:
    result = invoke("resnet50:stride=1x1")
    assert isinstance(result.exception, UsageError)
    assert "without settings" in result.exception.diagnostics[0].message


def test_sources_are_chosen_by_a_part_of_their_name() -> None:
    """With a network as well, and every number of theirs, not findings only."""
    document = json.loads(run("vgg16", "--source", "KERAS", "--format", "json"))["networks"]
    every = json.loads(run("vgg16", "--format", "json"))["networks"]
    assert document == [number for number in every if "Keras" in number["source"]] != []
    assert "Keras Applications" in run("--source", "keras", "--format", "md")
    nobody = invoke("--source", "nobody")
    assert isinstance(nobody.exception, UsageError)
    assert render(nobody.exception) == (
        "error: no source of these numbers is called `nobody`\n"
        "  = help: `archcalc audit` lists the sources"
    )
