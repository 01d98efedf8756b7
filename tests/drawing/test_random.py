"""Networks of any shape, made by chance: the laws of a drawing hold, and every way of telling runs."""

from __future__ import annotations

import json
from random import Random

import pytest
from support.drawings import faults

import archcalc
from archcalc.drawing.layout import Drawable, Wishes, draw, outlines
from archcalc.views import dot, mermaid, tree
from archcalc.views.table import USUAL

STEPS = ("conv 4 k3 p1", "relu", "bn", "conv 4", "conv 4 g4", "maxpool 3 s1 half", "u", "v")
BRANCHES = ("conv 4", "@in", "conv 4 k3 p1 | relu | conv 4", "relu | conv 4 | add @in", "v")
V = (
    'layers = "conv 4 | add @in"',
    'layers = ["a = conv 4 | relu", "b = conv 4", "@a | conv 4 | add @b"]',  # neither within the other
)


def random_line(chance: Random, number: int, labels: list[str]) -> str:
    steps = [f"@{chance.choice(labels)}"] if labels and chance.random() < 0.25 else []
    steps += [chance.choice(STEPS) for _ in range(chance.randint(1, 3))]
    if labels and chance.random() < 0.4:
        steps.append(f"{chance.choice(('add', 'mul'))} @{chance.choice(labels)}")
    line = " | ".join(steps)
    if chance.random() < 0.15:
        line = f"{chance.randint(2, 6)} x {line}"
    if chance.random() < 0.5:
        labels.append(f"l{number}")
        line = f"{'output ' if chance.random() < 0.2 else ''}l{number} = {line}"
    return line


def random_spec(seed: int) -> str:
    chance, labels = Random(seed), []  # type: ignore[var-annotated]
    lines = [random_line(chance, number, labels) for number in range(chance.randint(1, 14))]
    branches = [f'add.b{k} = "{chance.choice(BRANCHES)}"' for k in range(chance.randint(1, 4))]
    then = ['then = "relu"'] if chance.random() < 0.5 else []
    blocks = ["[block.u]", *branches, *then, "[block.v]", chance.choice(V)]
    return "\n".join(['input = "8x8x4"', f"layers = {json.dumps(lines)}", *blocks, ""])


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.attack) for first in range(50, 300, 50))]
)
def test_random_networks(first: int) -> None:
    for seed in range(first, first + 50):
        network = archcalc.load(random_spec(seed))
        for wishes in (Wishes(), Wishes(columns=1, by="params")):
            parts = [Drawable(network.analyze(), "net", wishes)]
            assert faults(draw(parts), network.graph) == [], f"seed {seed}"
            told = outlines(parts)
            lines = tree.render(told).splitlines()
            assert max(map(len, lines)) <= USUAL, f"seed {seed}"
            assert mermaid.render(told).count("subgraph") == dot.render(told).count("subgraph")
