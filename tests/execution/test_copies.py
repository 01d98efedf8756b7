"""Networks that are too large to execute here, or take minutes: smaller copies are verified whole."""

from __future__ import annotations

from typing import Any

import pytest

import archcalc
from archcalc.execution.inputs import seeded
from archcalc.execution.verify import prove
from archcalc.execution.weights import make

COPIES: list[tuple[str, dict[str, Any]]] = [
    ("gpt2", {"input": "24x1", "layers": 2, "width": 48, "heads": 3, "words": 200, "places": 32}),
    ("gpt2_untied", {"input": "24x1", "layers": 2, "width": 48, "heads": 3, "words": 200, "places": 24}),
    ("bert_base", {"length": 24, "layers": 2, "width": 48, "heads": 4, "vocabulary": 200}),
    (
        "llama3_8b",
        {"input": "24x1", "layers": 2, "width": 64, "heads": 8, "kv": 2, "hidden": 96, "words": 200},
    ),
]


@pytest.mark.parametrize("name, settings", COPIES, ids=[name for name, _ in COPIES])
def test_a_smaller_copy_verifies(name: str, settings: dict[str, Any]) -> None:
    graph = archcalc.load(name, **settings).graph
    proof = prove(graph, make(graph), seeded(graph, 0, 1, 0))
    assert proof.failures == ()
    assert proof.verdict == "verified"
    whole, copy = (archcalc.load(name, **some).graph.nodes for some in ({}, settings))
    assert {n.operator.name for n in whole} == {n.operator.name for n in copy}
