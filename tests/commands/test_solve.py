"""`archcalc solve`: what it finds is what every point, counted alone, shows to be the best."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError

NET = """input = "{side}x{side}x3"
layers = ["conv {{a}} k3 half | relu | maxpool 2", "conv {{b}} k{k} half | relu", "gap | linear {{c}}"]
[vars]
a = 4
b = 4
c = 3
"""
BEST = ("parameters", "multiplies", "peak")


def solve(*words: object) -> Result:
    return CliRunner().invoke(commands, ["solve", *map(str, words)])


def counted(path: Path, setting: dict[str, int]) -> dict[str, int]:
    """The metrics of one point, by the analyses of the other commands."""
    network = archcalc.load(str(path), **setting)
    total = network.analyze().total
    peak = 4 * int(network.memory().peak)
    return {"parameters": int(total.parameters), "multiplies": int(total.multiplies), "peak": peak}


@pytest.mark.parametrize(
    "seed", [*range(60), *(pytest.param(n, marks=pytest.mark.attack) for n in range(60, 200))]
)
def test_the_best_of_small_problems(seed: int, tmp_path: Path) -> None:
    """Three variables of a few values, a bound that some points keep, a goal in either direction."""
    chance = random.Random(seed)
    path = tmp_path / "net.toml"
    path.write_text(NET.format(side=chance.choice((6, 8, 11)), k=chance.choice((1, 3, 5))))
    values = {name: sorted(chance.sample(range(1, 30), 3)) for name in "abc"}
    points = [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]
    found = [(point, counted(path, point)) for point in points]
    limited, goal = chance.sample(BEST, 2)
    bound = sorted(metrics[limited] for _, metrics in found)[chance.randrange(5, 27)]
    most = chance.random() < 0.5
    kept = [(point, metrics) for point, metrics in found if metrics[limited] <= bound]
    best = (max if most else min)(metrics[goal] for _, metrics in kept)
    first = next(point for point, metrics in kept if metrics[goal] == best)

    vary = [w for n, v in values.items() for w in ("--vary", f"{n}={','.join(map(str, v))}")]
    ways = ["--where", f"{limited} <= {bound}", "--best", f"{'max:' * most}{goal}", "--format", "json"]
    told = json.loads(solve(path, *vary, *ways).stdout)
    (row,) = told["networks"][0]["sweep"]["rows"]
    assert row["metrics"][goal] == best
    assert {name: int(row["values"][name]) for name in "abc"} == first


def test_none_fits(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(NET.format(side=8, k=3))
    words = [str(path), "--vary", "a=1,2", "--where", "a + 4 == b * b", "--best", "peak"]
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["solve", *words], catch_exceptions=False)
    assert "no point of the space can satisfy" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    "words, message",
    [
        (("--vary", "a=1:3"), "--best is missing"),
        (("--vary", "a=1:3", "--best", "size"), "size"),
        (("more", "--vary", "a=1:3", "--best", "peak"), "what is `more`"),
    ],
)
def test_refusals(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(NET.format(side=8, k=3))
    with pytest.raises(ArchError) as caught:
        CliRunner().invoke(commands, ["solve", str(path), *words], catch_exceptions=False)
    assert message in caught.value.diagnostics[0].message
