"""--sort and --top: every layer table, every format; the total stays."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.errors import UsageError


def run(*words: str) -> str:
    result = CliRunner().invoke(commands, list(words), env={"COLUMNS": "160"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def rows(*words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run(*words, "--format", "csv"))))


TABLES = [
    ("show", "parameters"),
    ("show", "alive"),
    ("params", "weights"),
    ("flops", "multiplies"),
    ("flops --as thop", "tool"),
    ("flops --census", "additions"),
    ("memory", "alive"),
    ("params --as keras", "ours"),
]


@pytest.mark.parametrize(("command", "column"), TABLES)
def test_rows_are_those_without_it(command: str, column: str) -> None:
    """The same rows, the largest first, equals in the network's order; the first three of them."""
    words = [*command.split(), "resnet18"]
    whole = rows(*words, "--top", "100000")
    expected = sorted(whole, key=lambda row: -int(row[column]))
    assert expected != whole
    assert rows(*words, "--sort", column) == expected
    assert rows(*words, "--sort", column, "--top", "3") == expected[:3]


@pytest.mark.parametrize("format", ["table", "md", "latex"])
def test_total_stays_and_missed_rows_are_told(format: str) -> None:
    """VGG-16's largest layer: 7·7·512·4096 weights and 4096 biases."""
    text = run("params", "vgg16", "--sort", "parameters", "--top", "1", "--all", "--format", format)
    assert f"{7 * 7 * 512 * 4096 + 4096:,}" in text
    assert "138,357,544" in text
    layers = len(rows("params", "vgg16"))
    assert f"{layers - 1} of {layers} rows are not shown" in text


def test_json_is_cut_and_ordered_alike() -> None:
    (network,) = json.loads(
        run("flops", "alexnet", "--sort", "multiplies", "--top", "2", "--format", "json")
    )["networks"]
    assert [layer["path"] for layer in network["layers"]] == [
        row["layer"] for row in rows("flops", "alexnet", "--sort", "multiplies", "--top", "2")
    ]
    assert network["not_shown"] == len(rows("flops", "alexnet")) - 2


def test_exact_values_not_texts() -> None:
    """1,000 comes after 999 as a number, before it as a text; 10×10 is more than 9×9."""
    spec = "12x12x1 | conv 9 k4 | conv 10 k4 | conv 1000 k1"
    assert [row["output"] for row in rows("show", spec, "--sort", "output", "--depth", "1")] == [
        "6×6×1000",
        "9×9×9",
        "6×6×10",
    ]
    assert [row["field"] for row in rows("field", "vgg16", "--sort", "field", "--top", "2")] == [
        "all"
    ] * 2


def test_rows_of_a_change() -> None:
    """The row that changed most first; the line of a group is no row of its own."""
    text = run("flops", "inception", "--bottleneck", "16", "--sort", "change")
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert lines[1:4] == ["5x5/conv", "5x5/reduce", "1x1"]
    assert "5x5" not in lines


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("parmeters", "did you mean `parameters`?"),
        ("zzz", "columns: layer, operator, output, parameters, multiplies, field, alive"),
    ],
)
def test_unknown_columns(word: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        run("show", "lenet5", "--sort", word)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.message, diagnostic.help) == (f"the table has no column `{word}`", help)


@pytest.mark.parametrize(
    ("word", "column"), [("macs", "multiplies"), ("flops", "multiplies"), ("params", "parameters")]
)
def test_other_names(word: str, column: str) -> None:
    assert run("show", "resnet18", "--sort", word) == run("show", "resnet18", "--sort", column)


BLOCK = """
title = "A block"
input = "8x8x4"
layers = ["q = conv 16 k3 half | maxpool 2 | conv 8 | maxpool 2", "flatten | linear 3"]
"""


@pytest.mark.parametrize("command", ["show", "params", "flops", "field", "memory"])
def test_a_block_shows_what_it_puts_out(command: str, tmp_path: Path) -> None:
    """Its convs keep 8×8, its two pools halve it twice; the last conv has 8 channels: 2×2×8."""
    spec = tmp_path / "net.toml"
    spec.write_text(BLOCK)
    found = rows(command, str(spec), "--depth", "1")
    assert [row["output"] for row in found if row["layer"] == "q"] == ["2×2×8"]
    told = json.loads(run(command, str(spec), "--depth", "1", "--format", "json"))["networks"][0]
    listed = told["memory"]["steps"] if command == "memory" else told["layers"]
    assert [layer["output"] for layer in listed if layer["path"] == "q"] == [[2, 2, 8]]


def test_a_peak_is_the_sum_of_its_terms() -> None:
    """All of them of the batch: ResNet-18's max pool reads 112·112·64 values and makes 56·56·64."""
    text = " ".join(run("memory", "resnet18", "--batch", "32").split())
    (held,) = re.findall(r"peak at maxpool: ([\d,]+) \(relu\) \+ ([\d,]+) \(maxpool\)", text)
    terms = [int(term.replace(",", "")) for term in held]
    assert terms == [32 * 112 * 112 * 64, 32 * 56 * 56 * 64]
    assert f"peak {sum(terms):,}" in text
    (network,) = json.loads(run("memory", "resnet18", "--batch", "32", "--format", "json"))["networks"]
    buffers = network["memory"]["buffers"]
    assert [b["size"] for b in buffers if "maxpool" in b["layers"]] == terms[1:]
