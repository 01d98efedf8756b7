"""All formats of a command say the same, and totals are the sums of their columns."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from support.sampled import two_of_each_family

import archcalc
from archcalc.cli import commands

# of every kind of layer, block and title: a format does not depend on the network
NAMES = (
    "lenet5_1998 alexnet inception googlenet_torch resnet18 densenet121 unet vit_b_16 swin_t squeezenet"
)


def run(*words: str) -> str:
    result = CliRunner().invoke(commands, list(words), env={"COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def document(*words: str) -> dict[str, Any]:
    parsed = json.loads(run(*words, "--format", "json"))
    assert parsed["schema_version"] == 1
    return parsed


def csv_rows(*words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run(*words, "--format", "csv"))))


def table_cells(text: str) -> list[list[str]]:
    """The rows of a text table as cells."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize(
    ("command", "keys"),
    [
        ("params", ["weights", "biases", "norms", "parameters", "statistics", "fixed"]),
        ("flops", ["multiplies"]),
        ("show", ["parameters", "multiplies"]),
    ],
)
def test_totals_are_sums_in_every_format(name: str, command: str, keys: list[str]) -> None:
    (network,) = document(command, name)["networks"]
    rows = csv_rows(command, name)
    table = run(command, name)
    (total_line,) = [cells for cells in table_cells(table) if cells[0] == "total"]
    for key in keys:
        total = network["total"][key]
        assert sum(layer[key] for layer in network["layers"]) == total
        assert sum(int(row[key]) for row in rows) == total
        if total:
            assert f"{total:,}" in total_line
            assert f"{total:,}" in run(command, name, "--format", "md")
            assert f"{total:,}" in run(command, name, "--format", "latex")


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "lenet5_1998", "inception"])
@pytest.mark.parametrize("options", [[], ["--depth", "1"], ["--depth", "2"], ["--all"]], ids=" ".join)
def test_rows_of_a_table_sum_up(name: str, options: list[str]) -> None:
    """Folding and grouping lose nothing."""
    lines = run("show", name, "--format", "md", *options).splitlines()
    header, _, *cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    column = header.index("multiplies")
    numbers = [int(row[column].replace(",", "").strip("*")) for row in cells]
    assert sum(numbers[:-1]) == numbers[-1] > 0


def test_json_has_one_shape() -> None:
    plain = document("flops", "inception")["networks"][0]
    changed = document("flops", "inception", "--bottleneck", "16", "--depth", "1", "--census")[
        "networks"
    ][0]
    assert plain.keys() == changed.keys()
    assert plain["base_total"] is None
    assert changed["base_total"] == plain["total"]
    assert changed["changed"] == {"bottleneck": 16}
    assert document("params", "vgg16", "lenet5").keys() == document("list", "lenet").keys()


def test_census_by_operator_and_by_layer() -> None:
    (network,) = document("flops", "lenet5_1998", "--census")["networks"]
    rows = csv_rows("flops", "lenet5_1998", "--census")
    for kind, total in network["total"]["census"].items():
        assert sum(int(row[kind]) for row in rows) == total
    assert len(rows) == len(network["layers"])


def test_csv_of_several_networks() -> None:
    rows = csv_rows("params", "lenet5", "alexnet")
    assert {row["network"] for row in rows} == {"lenet5", "alexnet"}
    total = sum(int(row["parameters"]) for row in rows if row["network"] == "lenet5")
    assert total == 61_706


def test_links_are_those_of_one_image() -> None:
    assert "connections are those of one image" in run("flops", "lenet5", "--census", "--batch", "3")
    assert "of one image" not in run("flops", "lenet5", "--batch", "3")


def test_protocol_multiplies_the_work_only() -> None:
    """Ten crops of four images through two networks: 80 times the work of one image."""
    (one,) = document("flops", "lenet5")["networks"]
    words = ["flops", "lenet5", "--crops", "10", "--batch", "4", "--ensemble", "2"]
    (many,) = document(*words)["networks"]
    assert many["total"]["multiplies"] == 80 * one["total"]["multiplies"]
    assert many["total"]["census"]["comparisons"] == 80 * one["total"]["census"]["comparisons"]
    assert many["total"]["parameters"] == one["total"]["parameters"]


def test_heads_of_a_markdown_table_are_cells() -> None:
    """A network of one text has bars in its name."""
    text = run("diff", "8x8x3 | conv 4", "8x8x3 | conv 8", "--format", "md")
    head, rule = text.splitlines()[2:4]
    assert len(re.findall(r"(?<!\\)\|", head)) == rule.count("|")


def test_cells_of_a_hostile_spec_are_text(tmp_path: Any) -> None:
    """A label that a spreadsheet would run, and a title with markup."""
    spec = tmp_path / "net.toml"
    spec.write_text('title = "*[red]|\\u001b[31m"\ninput = "8x8x1"\nlayers = "-1x = conv 2"\n')
    assert csv_rows("params", str(spec))[0]["layer"] == "'-1x"
    assert "\\*\\[red\\]\\|" in run("params", str(spec), "--format", "md")
    for format in ("table", "md", "latex", "csv"):
        assert "\x1b" not in run("params", str(spec), "--format", format)


@pytest.mark.parametrize("name", two_of_each_family())
def test_expanded_spec_is_the_same_network(name: str, tmp_path: Any) -> None:
    """`cat --expand` gives a spec without blocks or variables that counts the same, layer by layer."""
    path = tmp_path / "expanded.toml"
    path.write_text(run("cat", name, "--expand"))
    assert "[block" not in path.read_text()
    before, after = (archcalc.load(word).analyze() for word in (name, path))
    assert after.total == before.total
    assert [x.node.shape for x in after.layers] == [x.node.shape for x in before.layers]
    assert [x.costs for x in after.layers] == [x.costs for x in before.layers]
    assert after.graph.output == before.graph.output
