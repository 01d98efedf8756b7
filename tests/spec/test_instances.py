"""Copied instances of blocks make the graph, the mistakes and the effort that building makes."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

import archcalc
from archcalc.errors import ArchError
from archcalc.graph import build as building
from archcalc.graph import instances
from archcalc.graph.assembly import has_symbols
from archcalc.spec.catalog import bundled
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.settings import settle

EDITED = ("inception", "resnet50", "googlenet", "unet", "efficientnet_b7", "densenet121", "bert_base")


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    """Nothing is remembered."""
    instances._known = instances.KnownInstances()
    yield
    instances._known = instances.KnownInstances()


def told(text: str, variant: str | None) -> Any:
    """Return all that a build comes to, with equal operators by number; or its mistakes."""
    try:
        spec = read(Source("net.toml", text))
        building.check(spec)
        builder = building._Builder(spec, settle(spec, variant, {}), False)
        graph = builder.graph(None, variant, ())
    except ArchError as error:
        return error.diagnostics
    kinds: dict[int, int] = {}
    nodes = []
    for path, operator, *rest in graph.nodes:
        nodes.append((path, str(operator), kinds.setdefault(id(operator), len(kinds)), *rest))
    return nodes, graph[1:], builder.effort.steps, builder.effort.work, builder.names.counters


def built(text: str, variant: str | None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the same without a single copy."""
    with monkeypatch.context() as patch:
        patch.setattr(instances, "_known", instances.KnownInstances())
        patch.setattr(instances.Instances, "_copied", lambda *_: None)
        return told(text, variant)


def test_every_bundled_network_is_that_without_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    for entry in bundled():
        text = entry.spec.source.text
        whole = built(text, entry.variant, monkeypatch)
        for _ in range(2):  # copies of the same build, then of the one before
            assert told(text, entry.variant) == whole, entry.name
        count += 1
    assert count > 150


def edited(text: str, chance: random.Random) -> str:
    """Change a number or a word of the text, as somebody who types might."""
    found = chance.choice([*re.finditer(r"\b\d+\b|\b(?:relu|bn|add|half|channels)\b", text)])
    new = str(int(found[0]) + chance.choice((-1, 1, 8))) if found[0].isdigit() else "relu6"
    return text[: found.start()] + new + text[found.end() :]


@pytest.mark.parametrize("name", EDITED)
def test_after_edits_it_is_that_without_copies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, chance = archcalc.load(name), random.Random(name)
    original = text = network.spec.source.text
    good = 0
    for number in range(40):
        text = edited(original if number % 3 == 0 else text, chance)
        found = told(text, network.variant)
        assert found == built(text, network.variant, monkeypatch), text
        good += isinstance(found[0], list)
    assert good > 5


def nodes_of(unit: str, layers: str, wide: int = 3) -> list[str]:
    text = f"""
input = "32x32x8"
layers = "{layers}"
[vars]
wide = {wide}
[block.unit]
args = "n"
layers = "{unit}"
"""
    unused = "wide" not in unit
    graph = archcalc.load(
        text.replace("[vars]\n", "").replace(f"wide = {wide}\n", "") if unused else text
    ).graph
    return [f"{node.path} {node.operator}" for node in graph.nodes[1:]]


def test_what_an_instance_read_must_be_there_again() -> None:
    """The channels and the sizes that arrive, and a variable of the spec."""
    assert nodes_of("conv {n * channels}", "unit 2 | unit 2") == [
        "unit/conv conv 16",
        "unit2/conv conv 32",
    ]
    assert nodes_of("conv {n * wide}", "unit 2 | unit 2")[1] == "unit2/conv conv 6"
    assert nodes_of("conv {n * wide}", "unit 2 | unit 2", wide=5)[1] == "unit2/conv conv 10"
    halved = nodes_of("conv {8 * n // shape[0]} s2 | conv 8", "unit 32 | unit 32")
    assert halved[::2] == ["unit/conv conv 8 s2", "unit2/conv conv 16 s2"]


def test_an_instance_that_looks_around_itself_is_built() -> None:
    """A layer that is run again has the weights of its own instance."""
    text = """
input = "8x8x4"
layers = "unit | unit | unit"
[block.unit]
layers = ["a = conv 4 k3 half", "reuse @a", "b = conv 4"]
"""
    network = archcalc.load(text)
    assert [node.shares for node in network.graph.nodes] == [-1, -1, 1, -1, -1, 4, -1, -1, 7, -1]
    assert network.analyze().parameters == 3 * (4 * 37 + 4 * 5)


def test_a_label_inside_a_copy_can_be_named_from_outside() -> None:
    text = """
input = "8x8x4"
layers = ["p = unit", "q = unit", "r = unit", "conv 4", "concat @q/a @r/b"]
[block.unit]
layers = ["a = conv 4", "b = conv 6", "conv 4"]
"""
    graph = archcalc.load(text).graph
    last = graph.nodes[graph.output]
    assert [graph.nodes[i].path for i in last.inputs] == ["conv", "q/a", "r/b"]
    assert last.shape == (8, 8, 4 + 4 + 6)


def test_what_is_remembered_has_an_end() -> None:
    for n in range(60):
        nodes_of(20 * "conv 8 | relu | " + "conv {n}", f"30 x unit {n + 1}")
        assert instances._known.size <= instances.MOST_KNOWN + instances.MOST_NODES
    assert 0 < len(instances._known.instances) < 2 * 60


def test_symbols_of_one_build_reach_no_other() -> None:
    """Neither as a variable, nor within a list, nor as a side of the input."""
    text = """
input = "8x8x4"
layers = ["{n[0]} x unit {c}"]
[vars]
n = [2, 3]
c = 4
[block.unit]
args = "c"
layers = "conv {c} k3 half | reshape {[8, 8, c]}"
"""
    network = archcalc.load(text)
    for _ in range(2):
        graph, program = network.symbolic(["c"])
        assert all(size.program is program for size in graph.nodes[-1].shape if hasattr(size, "program"))
        assert hasattr(graph.nodes[-1].shape.channels, "program")
        assert archcalc.load(text).graph.nodes[-1].shape == (8, 8, 4)
    held = [getattr(op, a.attribute) for op in instances._known.operators.values() for a in op.arguments]
    assert held and not has_symbols(held)
