"""Wrong layouts, layers that cannot run, signals without bounds: what verification makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.analysis.arena import Arena, lay_out
from archcalc.execution import forward, reference, verify
from archcalc.execution.inputs import seeded_input
from archcalc.execution.verify import Proof, prove
from archcalc.execution.weights import make
from archcalc.graph.model import Graph


def proof_of(graph: Graph) -> Proof:
    return prove(graph, make(graph), seeded_input(graph.input, 1, 0))


def test_lenet5_by_hand() -> None:
    """The most alive at once: the first conv's 28·28·6 values and the 14·14·6 that its pool makes."""
    proof = proof_of(archcalc.load("lenet5").graph)
    assert proof.verdict == "verified"
    (size, used, outputs) = proof.arena
    assert size.executed == used.executed == 4 * (28 * 28 * 6 + 14 * 14 * 6) == 23_520
    assert outputs.holds
    looped = [v.operator for v in proof.verdicts if not v.uncounted]
    assert looped == ["conv", "maxpool", "conv", "maxpool", "linear", "linear", "linear"]


def test_an_overlapping_layout_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every buffer at the beginning of the block: a shortcut is overwritten before it is added."""

    def at_zero(buffers: Any, peak: int) -> Arena:
        right = lay_out(buffers, peak)
        return Arena((0,) * len(right.offsets), right.size)

    for module in (forward, verify):
        monkeypatch.setattr(module, "lay_out", at_zero)
    proof = proof_of(archcalc.load("resnet18", input="32x32x3").graph)
    assert proof.verdict == "NOT verified"
    assert {check.what for _, check in proof.failures} >= {"inputs", "bytes used"}


def test_a_moved_buffer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(buffers: Any, peak: int) -> Arena:
        right = lay_out(buffers, peak)
        return Arena(tuple(offset + 1 for offset in right.offsets), right.size + 1)

    monkeypatch.setattr(forward, "lay_out", moved)
    proof = proof_of(archcalc.load("lenet5").graph)
    assert {check.what for _, check in proof.failures} == {"bytes", "bytes used"}


def test_a_layer_that_cannot_run_is_skipped_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions = {name: run for name, run in reference.REFERENCE.items() if name != "lrn"}
    monkeypatch.setattr(reference, "REFERENCE", definitions)
    proof = proof_of(archcalc.load("alexnet", input="67x67x3").graph)
    assert proof.verdict == "skipped"
    assert [v.operator for v in proof.left_out] == ["lrn", "lrn"]
    assert all("lrn" in v.skipped for v in proof.left_out)
    assert len(proof.verdicts) == 23
    assert all(v.checks for v in proof.verdicts if not v.skipped)


def test_a_signal_without_bounds_is_scaled_down() -> None:
    """He's weights times 2^40: the second conv would be infinite, and inf · 0 is counted by nobody."""
    graph = archcalc.load("lenet5").graph
    weights = make(graph)
    for own in weights.values():
        own["weight"] *= np.float32(2.0**40)
    proof = prove(graph, weights, seeded_input(graph.input, 1, 0))
    assert proof.failures == ()


def test_a_wrong_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast kernel that is off by a thousandth."""
    right = forward.KERNELS["linear"]

    def off(operator: Any, inputs: Any, weights: Any, out: Any, scratch: Any) -> None:
        right(operator, inputs, weights, out, scratch)
        out *= np.float32(1.001)

    monkeypatch.setitem(forward.KERNELS, "linear", off)
    proof = proof_of(archcalc.load("lenet5").graph)
    assert [(path, check.what, check.by) for path, check in proof.failures] == [
        ("linear", "values", "kernel"),
        ("linear2", "values", "kernel"),
        ("linear3", "values", "kernel"),
    ]
