"""What is remembered between key strokes changes no answer: warm or from scratch, it is the same."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import archcalc
from archcalc.drawing import layout, structure
from archcalc.live.answer import answer
from archcalc.live.question import _network, _spec, question
from archcalc.spec.lines import parse_line

NETWORKS = ("inception", "resnet50", "googlenet", "unet", "mobilenet_v2", "densenet121", "bert_base")


def forget() -> None:
    structure._known.clear()
    layout._folded.clear()
    parse_line.cache_clear()
    _spec.cache_clear()
    _network.cache_clear()


def edited(text: str, chance: random.Random) -> str:
    """Change a number or a word of the text, as somebody who types might."""
    found = chance.choice(list(re.finditer(r"\b\d+\b|\b(?:relu|bn|add|half)\b", text)))
    start, end = found.span()
    new = str(max(0, int(found[0]) + chance.choice((-1, 1, 7)))) if found[0].isdigit() else "relu6"
    return text[:start] + new + text[end:]


@pytest.mark.parametrize("name", NETWORKS)
def test_an_answer_is_that_from_scratch(name: str) -> None:
    network, chance = archcalc.load(name), random.Random(name)
    text, variant = network.spec.source.text, network.variant or ""
    kinds = set()
    for number in range(8):
        text = network.spec.source.text if number % 4 == 0 else text
        text = edited(text, chance)
        asked: dict[str, Any] = {"text": text, "variant": variant}
        warm = list(answer(question(asked)))
        forget()
        assert list(answer(question(asked))) == warm, text
        list(answer(question({**asked, "text": network.spec.source.text})))  # remembered for the next
        kinds.add(warm[-1]["part"])
    assert "drawn" in kinds


def test_where_only_sizes_differ_the_tree_is_the_same() -> None:
    forget()
    folding = layout.Wishes().folding
    made = [structure.tree(archcalc.load("resnet50", classes=n).graph, folding) for n in (10, 20)]
    assert made[0] is made[1]
    other = structure.tree(archcalc.load("resnet50", se=16).graph, folding)
    assert other is not made[0] and other.units != made[0].units


def test_maps_that_have_become_equal_make_another_tree() -> None:
    """Five equal layers fold, if their maps are equal: a padding less, and they are not."""
    folding = layout.Wishes().folding
    text = 'input = "32x32x8"\nlayers = "5 x conv 8 k3 {}"\n'
    same, other = (
        structure.tree(archcalc.load(text.format(pad)).graph, folding) for pad in ("half", "p0")
    )
    assert len(same.units) == 2 and len(same.units[1].copies) == 4
    assert len(other.units) == 6
