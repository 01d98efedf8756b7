"""Settings that nothing reads: refused wherever they are made, and only where they change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.sampled import two_of_each_family

import archcalc
from archcalc.api import Network
from archcalc.commands.params import command
from archcalc.errors import ArchError
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.catalog import find


def other_values(value: Any) -> list[Any]:
    """Values of the same type, written out here: what a user might try until one fits."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, 2 * value + 16]
    return []


def layers(graph: Graph) -> list[Any]:
    return [(n.path, type(n.operator), vars(n.operator), n.inputs, n.shape) for n in graph.nodes]


@pytest.mark.parametrize("name", two_of_each_family())
def test_what_is_not_read_changes_nothing(name: str) -> None:
    entry = find(name)
    base = Network(entry, {})
    for variable, value in base.values.items():
        for other in other_values(value):
            try:
                graph = build(entry.spec, {**base.values, variable: other}, None, entry.variant)
            except ArchError:
                continue
            unread = variable not in graph.read
            if unread:
                assert layers(graph) == layers(base.graph), variable
            try:
                archcalc.load(name, **{variable: other})
            except ArchError as error:
                assert unread
                assert str(error).startswith(f"nothing in {name} reads `{variable}=")
            break


# `basic` units of ResNet have no 1x1 convs, no groups and no gate: specs/resnet.toml
@pytest.mark.parametrize(
    ("network", "setting"),
    [
        *(("resnet18", setting) for setting in ("se=16", "groups=32", "width=128", "stride=1x1")),
        *((network, "se=16") for network in ("resnet34", "plain18", "resnet18_pad")),
    ],
)
def test_refused_however_it_is_set(network: str, setting: str) -> None:
    name, _, value = setting.partition("=")
    for words in (
        [f"{network}:{setting}"],
        [network, f"--{name}", value],
        [network, f"--{setting}"],
        [network, "--set", setting],
        ["vgg11", f"{network}:{setting}"],
        [f"resnet50:{network}:{setting}"],
    ):
        with pytest.raises(ArchError) as error:
            command.main(words, standalone_mode=False)
        (mistake,) = error.value.diagnostics
        assert mistake.message == f"nothing in {network} reads `{setting}`"
        assert mistake.help == "it counts with unit=bottleneck"
    with pytest.raises(ArchError, match=f"nothing in {network} reads `{name}="):
        archcalc.load(network, **{name: value})


def test_what_counts_is_not_refused() -> None:
    # 16 divides the channels in every unit of a bottleneck
    changed = archcalc.load("resnet18", unit="bottleneck", se=16)
    assert (
        changed.analyze().parameters > archcalc.load("resnet18", unit="bottleneck").analyze().parameters
    )


def test_a_default_is_never_refused() -> None:
    assert archcalc.load("resnet18", se=0, groups=1, width="64").changed == {
        "se": 0,
        "groups": 1,
        "width": 64,
    }


def test_one_of_two_networks_reads_it(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="nothing in resnet18 reads `se=16`"):
        command.main(["resnet50", "resnet18", "--se", "16"], standalone_mode=False)
