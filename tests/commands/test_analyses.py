"""memory, field, explain and compare: what they promise, in every format, for any graph."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.graphs import random_graph

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError
from archcalc.graph.write import write


def invoke(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words), env={"COLUMNS": "80"})


def run(*words: str) -> str:
    result = invoke(*words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def document(*words: str) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(run(*words, "--format", "json"))["networks"]
    return parsed


def test_memory_formats_agree() -> None:
    (network,) = document("memory", "vgg16")
    memory = network["memory"]
    rows = {r["rule"]: r for r in csv.DictReader(io.StringIO(run("memory", "vgg16", "--format", "csv")))}
    table, markdown = run("memory", "vgg16"), run("memory", "vgg16", "--format", "md")
    latex = run("memory", "vgg16", "--format", "latex")
    for rule, values in memory["values"].items():
        assert int(rows[rule]["values"]) == values
        assert int(rows[rule]["bytes"]) == memory["bytes"][rule] == 4 * values
        for text in (table, markdown, latex):
            assert f"{values:,}" in text
    assert memory["peak_at"] == "stage1/conv2"
    assert max(step["alive"] for step in memory["steps"]) == memory["values"]["peak"]


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_memory_of_a_dtype_and_a_batch(dtype: str, size: int) -> None:
    """A batch has its activations as often as it has images, the weights once."""
    (one,) = document("memory", "lenet5", "--dtype", dtype)
    (many,) = document("memory", "lenet5", "--dtype", dtype, "--batch", "3")
    assert one["memory"]["bytes"]["peak"] == size * (28 * 28 * 6 + 14 * 14 * 6)
    assert many["memory"]["bytes"]["peak"] == 3 * one["memory"]["bytes"]["peak"]
    assert many["memory"]["bytes"]["weights"] == one["memory"]["bytes"]["weights"] == size * 61_706


def test_memory_of_four_bits() -> None:
    """25,557,032 / 2; the 53,120 statistics besides."""
    (found,) = document("memory", "resnet50", "--dtype", "int4")
    assert found["memory"]["bytes"]["parameters"] == 12_778_516
    assert found["memory"]["bytes"]["weights"] == 12_778_516 + 53_120 // 2


def test_memory_of_mixed_types() -> None:
    """A byte a weight; a bias for each of 26,560 normalized channels and of 1,000 classes."""
    (found,) = document("memory", "resnet50", "--dtype", "int8xint16xint32")
    memory = found["memory"]
    assert memory["types"] == {"weights": "int8", "activations": "int16", "accumulators": "int32"}
    biases = 26_560 + 1_000
    weights = 25_557_032 - 53_120 - 1_000
    assert (memory["values"]["deployed"], memory["bytes"]["deployed"]) == (
        weights + biases,
        weights + 4 * biases,
    )
    assert memory["bytes"]["weights"] == memory["values"]["weights"]
    assert memory["bytes"]["peak"] == 2 * memory["values"]["peak"] == 2 * 1_806_336
    assert all(step["bytes"] == 2 * step["alive"] for step in memory["steps"])
    assert "batch norms folded, biases int32" in run("memory", "resnet50", "--dtype", "int8")


def test_the_terms_of_a_peak_within_attention_are_what_is_alive() -> None:
    """197 tokens of 768: the residual, three projections, and 12 heads' scores of all pairs."""
    text = " ".join(run("memory", "vit_b_16", "--attention", "plain").split())
    tokens = 197 * 768
    terms = f"{tokens:,} (classtoken) + {3 * tokens:,} (encoder/msa/attention: q, k, v)"
    assert f"{terms} + {12 * 197 * 197:,} (encoder/msa/attention: scores)" in text


def test_inside_attention_an_order_is_judged_by_the_same_rule() -> None:
    """The search of orders knows maps alone: 1,070,892 values are above what it proves, 907,776."""
    text = run("memory", "vit_b_16", "--attention", "plain", "--order", "best")
    assert "1,070,892" in text
    assert "order: best found, not proven; the spec's order needs no more" in text
    memory = document("memory", "vit_b_16", "--attention", "fused", "--order", "best")[0]["memory"]
    assert (memory["attention"], memory["proven"], memory["values"]["peak"]) == ("fused", True, 907_776)


def test_memory_in_the_best_order() -> None:
    text = run("memory", "inception", "--order", "best")
    assert "proven best" in text
    assert "401,408" in text
    assert "476,672" in text  # what the spec's order needs


def test_memory_shows_where_the_96_megabytes_come_from() -> None:
    text = " ".join(run("memory", "vgg16").split())
    assert "96MB per image" in text
    assert "24,319,464" in text
    assert "15,237,608 values" in text
    assert "96MB" not in run("memory", "vgg19")
    assert "96MB" not in run("memory", "vgg16", "--head", "none")


def test_field_formats_agree() -> None:
    (network,) = document("field", "vgg16")
    assert network["field"]["network"]["height"] == {
        "size": 212,
        "stride": 32.0,
        "padding": 90,
        "offset": 15.5,
    }
    rows = list(csv.DictReader(io.StringIO(run("field", "vgg16", "--format", "csv"))))
    by_path = {m["path"]: m for m in network["field"]["maps"]}
    for row in rows:
        axis = by_path[row["layer"]]["height"]
        assert row["field"] == ("all" if axis is None else str(axis["size"]))
    assert "the network sees 212 pixels, at stage5/maxpool" in run("field", "vgg16")


@pytest.mark.parametrize("side", [2, 20_002, 2_000_000_000])
def test_an_offset_keeps_its_half(side: int) -> None:
    """The center of pixels 0 to side − 1, to the last digit however far it is."""
    text = run("field", f"{side}x{side}x1 | conv 1 k{side}")
    assert f" {(side - 1) // 2}.5" in text


def test_explain_a_layer() -> None:
    text = run("explain", "inception", "5x5/conv", "--bottleneck", "16")
    assert "28·28·32 × 5·5·16 = 10,035,200" in text
    assert "height·width·filters × kernel height·kernel width·channels" in text


def test_explain_names_weights_of_one_role() -> None:
    """torch's names: from the input 64 × 4 gates × 32, from the state 32 × 4 × 32."""
    lines = [line.split() for line in run("explain", "20x64 | lstm 32", "lstm").splitlines()]
    told = dict(pairwise(" ".join(line) for line in lines))
    assert told["weights 64·128 = 8,192"] == "weight_ih_l0"
    assert told["weights 32·128 = 4,096"] == "weight_hh_l0"


def test_explain_says_what_is_taken_off() -> None:
    """A transposed convolution adds all products but the first that falls on each of 58 × 58 places."""
    text = run("explain", "28x28x64 | deconv 32 k4 s2 p1 nobias", "deconv")
    assert (
        "−(58·58·32) = -107,648\n               less the first of each sum: height·width·filters" in text
    )


def test_explain_with_a_symbol() -> None:
    """777,728·bottleneck = 28·28·192·b + 28·28·32·25·b; at 16 the notes' 12.4 million."""
    text = run("explain", "inception", "5x5", "--bottleneck", "16", "--symbol", "bottleneck")
    slope = 28 * 28 * 192 + 28 * 28 * 32 * 25
    assert f"{slope:,}·bottleneck = 12,443,648" in text
    assert slope * 16 == 12_443_648


@pytest.mark.parametrize("bottleneck", [1, 7, 16, 48])
def test_formula_evaluates_to_the_count(bottleneck: int) -> None:
    """The program recorded at one point gives the count at another."""
    network = archcalc.load("inception", bottleneck=5)
    graph, program = network.symbolic(["bottleneck"])
    from archcalc.analysis.costs import analyze

    found = program.evaluate({"bottleneck": bottleneck}, [analyze(graph).multiplies])
    assert found.valid and found.same_structure
    assert found.results == (archcalc.load("inception", bottleneck=bottleneck).analyze().multiplies,)


def test_explain_in_latex() -> None:
    text = run("explain", "inception", "5x5/conv", "--symbol", "bottleneck", "--format", "latex")
    assert r"$28 \cdot 28 \cdot 32 \times 5 \cdot 5 \cdot \mathit{bottleneck}" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["inception", "5x6"], "no layer or block is called `5x6`"),
        (["inception", "--symbol", "bottle"], "unknown variable `bottle`"),
        (["vgg16", "--symbol", "bn"], "`bn` cannot be a symbol"),
    ],
)
def test_explain_refuses(words: list[str], message: str) -> None:
    result = invoke("explain", *words)
    assert isinstance(result.exception, ArchError)
    assert message in str(result.exception)


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "lenet5_1998", "alexnet"])
def test_explain_adds_up(name: str) -> None:
    """Over the layers, the explained values are the totals."""
    (network,) = document("explain", name)
    rows = [row for row in network["arithmetic"] if row.get("layer") != "total"]
    multiplies = sum(row["value"] for row in rows if row["what"] == "multiplies")
    weights = sum(row["value"] for row in rows if row["what"] == "weights")
    assert multiplies == network["total"]["multiplies"]
    assert weights == network["total"]["weights"]


def test_compare() -> None:
    text = run("compare", "resnet50", "resnet50:stride=1x1")
    assert "4,089,184,256" in text
    assert "3,857,973,248" in text
    assert "stage2/bottleneck/" in text and "main/conv " in text  # a layer that differs, by its path
    first, second, _ = document("compare", "resnet50", "resnet50:stride=1x1")
    assert (first["measures"]["receptive field"], second["measures"]["receptive field"]) == (427, 483)


def test_compare_needs_two() -> None:
    assert "two SPECs" in str(invoke("compare", "vgg16").exception)


def test_notebook() -> None:
    shown = archcalc.load("lenet5").analyze()._repr_html_()
    assert "61,706" in shown
    assert shown.count("<tr>") == len(archcalc.load("lenet5").graph.nodes) + 2  # header and total


EVERY = [
    ["params"],
    ["flops"],
    ["flops", "--census"],
    ["show", "--all"],
    ["memory", "--order", "best"],
    ["field"],
    ["explain"],
    ["cat", "--expand"],
]


@pytest.mark.parametrize(
    "start", [0, 100, *(pytest.param(n, marks=pytest.mark.attack) for n in range(200, 1000, 100))]
)
def test_every_command_on_random_graphs(start: int, tmp_path: Path) -> None:
    """Random networks: every command ends with an answer, and the totals are the sums."""
    path = tmp_path / "random.toml"
    for seed in range(start, start + 100):
        path.write_text(write(random_graph(seed, 3 + seed % 12), f"random {seed}"))
        words = EVERY[seed % len(EVERY)]
        result = invoke(words[0], str(path), *words[1:])
        assert result.exit_code == 0, result.output + repr(result.exception)
        (network,) = document("show", str(path))
        for key in ("parameters", "multiplies", "connections"):
            assert network["total"][key] == sum(layer[key] for layer in network["layers"])
