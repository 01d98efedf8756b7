"""Layers that training leaves as they are: trainable and frozen parameters sum up to all."""

from __future__ import annotations

from pathlib import Path

import pytest

import archcalc
from archcalc.errors import ArchError

TEXT = """
layers = ["a = unit", "b = unit", "gap | linear 10"]
input = "8x8x4"
[block.unit]
layers = "conv 4 k3 half | bn | relu"
[train]
freeze = ["a", "*/bn"]
"""
CONV, NORM, LINEAR = 3 * 3 * 4 * 4 + 4, 2 * 4, 4 * 10 + 10


@pytest.fixture
def network(tmp_path: Path) -> archcalc.Network:
    path = tmp_path / "frozen.toml"
    path.write_text(TEXT)
    return archcalc.load(str(path))


def test_the_split(network: archcalc.Network) -> None:
    total = network.analyze().total
    assert total.parameters == 2 * (CONV + NORM) + LINEAR
    assert total.frozen == CONV + 2 * NORM
    assert total.trainable == CONV + LINEAR


def test_each_layer_is_frozen_whole(network: archcalc.Network) -> None:
    frozen = {layer.path for layer in network.analyze().layers if layer.costs.frozen}
    assert frozen == {"a/conv", "a/bn", "b/bn"}


def test_more_on_the_command_line(network: archcalc.Network) -> None:
    assert network.freezing(["linear"]).analyze().total.trainable == CONV


def test_shared_weights_are_frozen_where_they_belong(tmp_path: Path) -> None:
    path = tmp_path / "shared.toml"
    path.write_text('input = "8x8x4"\nlayers = ["a = conv 4", "b = reuse @a"]\n[train]\nfreeze = "a"\n')
    total = archcalc.load(str(path)).analyze().total
    assert (total.parameters, total.frozen, total.trainable) == (4 * 4 + 4, 4 * 4 + 4, 0)


def test_a_pattern_of_nothing_is_refused(network: archcalc.Network) -> None:
    with pytest.raises(ArchError, match="no layer or block is called like `c/\\*`"):
        network.freezing(["c/*"]).analyze()


def test_a_hostile_pattern_ends(network: archcalc.Network) -> None:
    """Forty stars would make a backtracking search last for ever."""
    with pytest.raises(ArchError, match="is called like"):
        network.freezing(["*a" * 40 + "b"]).analyze()


def test_very_many_patterns_are_refused(network: archcalc.Network) -> None:
    with pytest.raises(ArchError, match="more than 50 patterns"):
        network.freezing(["a"] * 60).analyze()


def test_freezing_what_only_uses_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shared.toml"
    path.write_text('input = "8x8x4"\nlayers = ["a = conv 4", "b = reuse @a"]\n')
    with pytest.raises(ArchError, match="no weights of its own") as caught:
        archcalc.load(str(path)).freezing(["b"]).analyze()
    assert caught.value.diagnostics[0].help == "freeze `a`, whose weights it uses"
