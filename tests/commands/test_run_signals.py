"""archcalc run --stats: what the courses say of signals in deep networks, by running them.

A conv with fan-in n and weights of variance v turns a mean square of s into n·v·s, and a ReLU halves it.
A residual unit adds the mean square of its branch to that of its input.
"""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from archcalc.cli import commands
from archcalc.execution.signals import signal, top_classes

UNITS = [(stage, unit) for stage, n in enumerate([3, 4, 6, 3], 1) for unit in range(1, n + 1)]
ENDS = ["maxpool", *(f"stage{s}/basic{u if u > 1 else ''}/relu" for s, u in UNITS)]


@cache
def signals(name: str, init: str) -> dict[str, dict[str, Any]]:
    words = ["run", name, "--stats", "--format", "json", "--init", init]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0, result.output
    (network,) = json.loads(result.output)["networks"]
    return {signal["layer"]: signal for signal in network["signals"]}


def gains(name: str, init: str) -> list[float]:
    """By which factor each unit of two convs changes the root mean square of the signal."""
    found = signals(name, init)
    sizes = [math.hypot(found[end]["mean"], found[end]["std"]) for end in ENDS]
    return [after / before for before, after in pairwise(sizes)]


def test_small_weights_kill_the_signal_of_a_plain_network() -> None:
    """Standard deviation 0.01: a conv of c channels has the gain √(9c · 0.01² / 2), a unit of two its
    square: 0.0288 for 64 channels, 0.2304 for 512. What is left after 16 units is nothing.
    """
    found = gains("plain34", "normal")
    for (stage, unit), gain in zip(UNITS, found, strict=True):
        second = 9 * 32 * 2**stage * 0.01**2 / 2
        first = second / 2 if unit == 1 and stage > 1 else second  # channels double there
        assert gain == pytest.approx(math.sqrt(first * second), rel=0.5)
    assert math.prod(found) < 1e-15


def test_shortcuts_keep_it_alive() -> None:
    """The branches' part is as small, so units are close to the identity; only the three projections,
    1×1 convs without a ReLU behind them, have gains of √(c · 0.01²): 0.08, 0.11, 0.16.
    """
    for (stage, unit), gain in zip(UNITS, gains("resnet34", "normal"), strict=True):
        projects = unit == 1 and stage > 1
        expected = math.sqrt(32 * 2 ** (stage - 1) * 0.01**2) if projects else 1
        assert gain == pytest.approx(expected, rel=0.25 if projects else 0.05)
    assert math.prod(gains("resnet34", "normal")) > 1e12 * math.prod(gains("plain34", "normal"))


def test_he_keeps_a_plain_signal_and_lets_a_residual_one_explode() -> None:
    """n · 2/n / 2 = 1: a plain layer keeps the mean square s. A residual branch has no ReLU at its end:
    with 2s a sum has 3s and a projected one 4s, of which the last ReLU leaves half to all. Gains of √1.5
    to √3 in each of 16 units.
    """
    assert all(0.7 < gain < 1.4 for gain in gains("plain34", "he"))
    assert all(math.sqrt(1.5) < gain < math.sqrt(3) for gain in gains("resnet34", "he"))
    assert math.prod(gains("resnet34", "he")) > math.sqrt(1.5) ** 16


def test_a_silent_residual_network_is_the_identity() -> None:
    """Where no projection stands in the way: bit by bit what came out of the pool."""
    found = signals("resnet34", "zero-residual")
    before = {k: v for k, v in found["maxpool"].items() if k != "layer"}
    for unit in ENDS[1:4]:
        assert {k: v for k, v in found[unit].items() if k != "layer"} == before


def test_a_plain_network_has_no_residual_to_silence() -> None:
    assert signals("plain34", "zero-residual") == signals("plain34", "he")


@pytest.mark.parametrize("name", ["plain34", "resnet34"])
def test_zero_weights_end_every_signal(name: str) -> None:
    """The first conv is no branch: no shortcut leads around it."""
    assert {(s["zeros"], s["largest"]) for s in signals(name, "zeros").values()} == {(1.0, 0.0)}


def test_an_infinite_signal_is_a_result() -> None:
    """600 units, each with a gain of √1.5 at least: 1.5^300 > 3.4e38. JSON has no infinity."""
    result = CliRunner().invoke(commands, ["run", "resnet1202", "--format", "json"])
    assert result.exit_code == 0
    assert result.stderr == ""
    (output,) = json.loads(result.output)["networks"][0]["outputs"]
    assert output["largest"] is None
    assert output["top"] == []


DEEP = """input = "4x4x64"
layers = ["{n} x conv 64"]
[vars]
n = 400
"""


def deep(tmp_path: Path, *words: str) -> Result:
    (tmp_path / "deep.toml").write_text(DEEP)
    return CliRunner().invoke(commands, ["run", str(tmp_path / "deep.toml"), *words])


def test_where_a_signal_breaks_is_told(tmp_path: Path) -> None:
    """A conv without a ReLU doubles the mean square, so about 256 of them pass 3.4e38."""
    (network,) = json.loads(deep(tmp_path, "--stats", "--format", "json").output)["networks"]
    first = next(s["layer"] for s in network["signals"] if s["largest"] is None)
    assert 200 < int(first.removeprefix("conv")) < 320
    for words in ((), ("--stats",)):
        assert f"the first values that are not finite are those of {first}" in deep(
            tmp_path, *words
        ).output.replace("\n    ", " ")
    assert "not finite" not in deep(tmp_path, "--n", "5").output


@pytest.mark.filterwarnings("error")
def test_large_signals_have_a_deviation(tmp_path: Path) -> None:
    """About 2^75; their squares are beyond float32."""
    result = deep(tmp_path, "--n", "150", "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    (output,) = json.loads(result.output)["networks"][0]["outputs"]
    assert 1e20 < output["std"] < output["largest"] < 1e38


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([3e38, -3e38, 1e38, 0, 0, 2e38, 5.0], "float32"),
        ([1.5e308, -1e308, 0, 1e300], "float64"),
        ([5e-324, 0, 1e-323], "float64"),
        ([1, 2, 4, 8, 16, 32, 64], "float32"),
        ([1.0001, 1.0002, 1.0003, 1.0001], "float64"),
        ([0, 0], "float32"),
    ],
    ids=str,
)
def test_figures_of_an_array(values: list[float], dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In exact fractions, three values at a time."""
    monkeypatch.setattr("archcalc.execution.signals.CHUNK", 3)
    array = np.array(values, dtype).reshape(1, 1, 1, -1)
    exact = [Fraction(float(value)) for value in array.flat]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    scale = max(map(abs, exact)) or 1  # a variance may be no float
    found = signal(array)
    assert found.mean == pytest.approx(float(mean), rel=1e-12)
    assert found.std == pytest.approx(float(scale) * math.sqrt(variance / scale**2), rel=1e-12)
    assert (found.zeros, found.largest) == (values.count(0) / len(values), float(max(map(abs, exact))))


@pytest.mark.parametrize(
    ("values", "ranked"),
    [
        ([1, 5, 3], [1, 2, 0]),
        ([2, 7, 2, 7, 2], [1, 3, 0, 2]),
        ([4, 4, 4], []),
        ([0, 0], []),
        ([1, math.nan, 3], []),
        ([1, math.inf, 3], []),
        ([7], []),
    ],
)
def test_ranks(values: list[float], ranked: list[int]) -> None:
    """Ties in order; nothing to say where all are alike, or one is no number."""
    assert top_classes(np.array(values, np.float32).reshape(1, 1, 1, -1), 4) == ranked


def test_csv_has_numbers() -> None:
    """To the last digit those of JSON; NaN and infinity as Python, NumPy and pandas read them."""
    words = ["run", "lenet5", "--stats", "--init", "he", "--format", "csv"]
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(commands, words).output)))
    for row, wanted in zip(rows, signals("lenet5", "he").values(), strict=True):
        for key in ("mean", "std", "zeros", "largest"):
            assert float(row[key]) == wanted[key]
    words = ["run", "resnet1202", "--format", "csv"]
    (row,) = csv.DictReader(io.StringIO(CliRunner().invoke(commands, words).output))
    assert not math.isfinite(float(row["largest"]))
    words = ["run", "--identities", "--format", "csv"]
    for row in csv.DictReader(io.StringIO(CliRunner().invoke(commands, words).output)):
        assert 0 <= float(row["difference"]) < 1e-9


def test_shapes_are_those_of_other_commands() -> None:
    """A vector is its channels, the batch stands apart."""
    for words, remark in (([], False), (["--batch", "2"], True)):
        text = CliRunner().invoke(commands, ["run", "lenet5", *words]).output
        assert text.splitlines()[3].split()[:2] == ["output", "10"]
        assert ("over 2 images at once; top classes: of the first" in text) == remark
    stats = CliRunner().invoke(commands, ["run", "lenet5", "--stats"]).output.splitlines()
    assert [line.split()[:2] for line in stats if "linear3" in line] == [["linear3", "10"]]
