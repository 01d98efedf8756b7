"""archcalc run --stats: what the courses say of signals in deep networks, by running them.

A conv with fan-in n and weights of variance v turns a mean square of s into n·v·s, and a ReLU halves it.
A residual unit adds the mean square of its branch to that of its input.
"""

from __future__ import annotations

import json
import math
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from click.testing import CliRunner

from archcalc.cli import commands

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
