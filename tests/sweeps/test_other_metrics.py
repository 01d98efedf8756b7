"""Metrics that a sweep counts where they are named: as `archcalc memory` counts them at each point."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.cli import commands
from archcalc.errors import UsageError

LINEAR = """input = "1x1x8"
layers = ["linear {a}"]
[vars]
a = 3
"""
NORMED = """input = "4x4x2"
layers = ["{n} x unit", "flatten", "linear 5"]
[vars]
n = 1
[block.unit]
layers = ["conv 6 k1 nobias | bn | relu"]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("linear.toml").write_text(LINEAR)
    Path("normed.toml").write_text(NORMED)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words), catch_exceptions=False)


def swept(spec: str, varied: dict[str, str], metric: str, **how: Any) -> list[dict[str, Any]]:
    """All points, each with the metric."""
    rows = archcalc.sweep(spec, varied, by=f"max:{metric}", top=10_000, **how)
    assert metric in rows[0]
    return list(rows)


@pytest.mark.parametrize(("optimizer", "numbers"), [("sgd", 0), ("momentum", 1), ("adam", 2)])
@pytest.mark.parametrize("batch", [1, 32])
def test_a_step_of_training(optimizer: str, numbers: int, batch: int) -> None:
    """9·a weights, as many derivatives, the optimizer's; of an image 8 values in, a out or a back."""
    found = swept("linear.toml", {"a": "1:40"}, "training", batch=batch, optimizer=optimizer)
    assert len(found) == 40
    for row in found:
        a = row["a"]
        assert row["training"] == 4 * (9 * a * (2 + numbers) + batch * (8 + a))


def test_what_is_deployed() -> None:
    """Convs of 2·6 and 6·6 weights, a bias of 6 from each norm; the linear layer after 4·4·6 values."""
    found = swept("normed.toml", {"n": "1:30"}, "deployed")
    numbers = {row["n"]: row["deployed"] for row in found}
    convs = {n: 2 * 6 + 6 + (n - 1) * (6 * 6 + 6) for n in range(1, 31)}
    assert numbers == {n: 4 * (convs[n] + 4 * 4 * 6 * 5 + 5) for n in range(1, 31)}


def test_biases_are_of_the_type_of_accumulators() -> None:
    """Of 3 inputs and 5 outputs, 8·a weights of one byte and a biases of four."""
    found = swept("linear.toml", {"a": "1:9"}, "deployed", dtype="int8xint8xint32")
    assert all(row["deployed"] == 8 * row["a"] + 4 * row["a"] for row in found)


def test_a_roofline_is_that_of_the_slower_of_both() -> None:
    """8·a products of a linear layer, 4·(8 + 9·a + a) bytes moved; 2 FLOPs and 6 bytes a nanosecond.

    16·a FLOPs take 8·a ns, the bytes (32 + 40·a)/6 ns: memory bounds up to a = 4, and then compute.
    """
    rates = {"flops_per_s": 2 * 10**9, "bytes_per_s": 6 * 10**9}
    found = swept("linear.toml", {"a": "1:30"}, "roofline", **rates)
    for row in found:
        a = row["a"]
        assert row["roofline"] == (max(6 * 16 * a, 2 * 4 * (8 + 10 * a)) // 12), a


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "vit_b_16"])
@pytest.mark.parametrize("device", ["a100-80gb", None])
def test_every_roofline_is_that_of_show(name: str, device: str | None) -> None:
    """Rates without a common divisor, too, where 64 bits do not suffice."""
    rates = {"flops_per_s": 3 * 10**12 + 7, "bytes_per_s": 10**11 + 3}
    how: dict[str, Any] = rates if device is None else {"device": device}
    found = swept(name, FAMILIES[name], "roofline", batch=4, **how)
    words = [f"--{key.replace('_', '-')}={value}" for key, value in {**how, "batch": 4}.items()]
    for row in found[:: max(len(found) // 4, 1)]:
        own = [w for v in FAMILIES[name] for w in setting(name, v, row[v])]
        result = run("show", name, *own, "--roofline", *words, "--format", "json")
        told = json.loads(result.output)["networks"][0]["roofline"]
        rate = Fraction(told["flops_per_s"]), Fraction(told["bytes_per_s"])
        layers = ((Fraction(one["flops"]), Fraction(one["bytes"])) for one in told["layers"])
        assert row["roofline"] == int(10**9 * sum(max(f / rate[0], b / rate[1]) for f, b in layers))


FAMILIES = {
    "resnet18": {"classes": "10:1000:330", "n[2]": "1:6", "input": "64:224:80"},
    "mobilenet_v2": {"width": "0.35:1.4:0.35", "input": "96:224:64"},
    "googlenet": {"classes": "10,1000", "input": "96,224"},
    "vgg11": {"head": "fc,gap", "width": "16:64:24"},
    "vit_b_16": {"layers": "1:6", "heads": "1,2,6"},
}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("metric", ["deployed", "arena", "training"])
def test_every_point_is_what_memory_says(name: str, metric: str) -> None:
    how = {"batch": 16, "optimizer": "adam"} if metric == "training" else {}
    found = swept(name, FAMILIES[name], metric, **how)
    for row in found[:: max(len(found) // 5, 1)]:
        own = [w for v in FAMILIES[name] for w in setting(name, v, row[v])]
        assert row[metric] == of_memory(name, own, metric, how), own


def setting(name: str, variable: str, value: Any) -> list[str]:
    if variable == "input":
        return ["--input", str(value)]
    if variable.endswith("]"):
        whole, _, item = variable[:-1].partition("[")
        items = list(archcalc.load(name).values[whole])
        items[int(item)] = value
        return ["--set", f"{whole}={','.join(map(str, items))}"]
    return ["--set", f"{variable}={value}"]


def of_memory(name: str, words: list[str], metric: str, how: dict[str, Any]) -> int:
    asked = [f"--{key}={value}" for key, value in how.items()]
    if metric == "training":
        result = run("memory", name, *words, "--training", *asked, "--format", "json")
        return int(json.loads(result.output)["networks"][0]["step"]["peak"])
    result = run("memory", name, *words, "--format", "json")
    found = json.loads(result.output)["networks"][0]["memory"]["bytes"]
    return int(found[metric])


def test_a_layout_is_one_by_one() -> None:
    result = run("sweep", "linear.toml", "--vary", "a=1:3", "--where", "arena <= 40")
    assert result.stderr == ""
    # 4·(8 + a) bytes: 36, 40, 44
    assert "3 of 3 points are networks; 2 satisfy arena <= 40" in result.stdout
    assert "weights, stored, peak, arena: bytes" in result.stdout


def test_a_variable_of_that_name_is_the_variable() -> None:
    Path("named.toml").write_text(LINEAR.replace("a = 3", "arena = 3").replace("{a}", "{arena}"))
    result = run("sweep", "named.toml", "--vary", "arena=1:9", "--where", "arena <= 4")
    assert "9 of 9 points are networks; 4 satisfy arena <= 4" in result.stdout
    assert result.stderr == ""


def test_training_decides_what_a_directory_holds() -> None:
    """With 32 images 4·(18·a + 32·(8 + a)) bytes: 1,224 of a = 1, 1,424 of a = 2."""
    words = ["sweep", "linear.toml", "--vary", "a=1:9", "--where", "training <= 1424", "-o", "out"]
    run(*words, "--batch", "32", "--format", "csv")
    with open("out/part-000000000.csv", newline="") as file:
        assert [row["a"] for row in csv.DictReader(file)] == ["1", "2"]
    result = CliRunner().invoke(commands, [*words, "--batch", "16", "--format", "csv", "--resume"])
    assert str(result.exception) == "out holds another sweep: its training differs"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch", "4"], "--batch counts with `training` and `roofline` only"),
        (["--device", "h100-sxm", "--where", "peak < 9"], "--device counts with `roofline` only"),
        (["--where", "roofline < 9"], "a roofline: how fast is the device?"),
        (["--top", "1", "--by", "roofline", "--device", "x"], "no device is called `x`"),
        (["--optimizer", "adam", "--where", "peak < 9"], "--optimizer counts with `training` only"),
        (["--where", "training < 9", "--dtype", "int8"], "derivatives are no `int8`"),
        (["-o", "out", "--top", "1", "--by", "arena"], "-o DIR writes no column `arena` of whole"),
    ],
)
def test_what_does_not_go_together(words: list[str], message: str) -> None:
    result = CliRunner().invoke(commands, ["sweep", "linear.toml", "--vary", "a=1:3", *words])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(message)


def test_an_optimizer_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="no optimizer is called `adma`"):
        archcalc.sweep("linear.toml", {"a": "1:3"}, by="training", optimizer="adma")
