"""Recurrent layers against their formulas, one step after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.execution.reference import run
from archcalc.files.tensors import read
from archcalc.graph.build import build
from archcalc.operators import operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape
from archcalc.spec.model import Source
from archcalc.spec.read import read as read_spec

RNG = np.random.default_rng(0)


def drawn(operator: Operator, x: Shape) -> tuple[Any, dict[str, Any]]:
    weights = {w.name: RNG.standard_normal(tuple(map(int, w.shape))) for w in operator.weights(x)}
    return RNG.standard_normal((1, *map(int, x))), weights


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def test_an_lstm_and_a_head() -> None:
    """20 words of 300, two layers of 512 with two biases a gate, 20 classes at each of 100 steps."""
    text = "100x1 | embedding 20 300 | lstm 512 layers=2 | linear 20"
    analysis = archcalc.load(text).analyze()
    parts = [layer.costs.parameters for layer in analysis.layers[1:]]
    assert parts == [6_000, 3_768_320, 10_260]
    assert analysis.multiplies == 100 * (4 * 512 * 812 + 4 * 512 * 1024) + 100 * 10_240 == 377_036_800


def test_layers_are_lines() -> None:
    """`layers=2` costs what two lines do."""
    one, two = (archcalc.load(f"9x5 | {line}").analyze() for line in ("gru 4 layers=2", "gru 4 | gru 4"))
    assert (one.parameters, one.multiplies) == (two.parameters, two.multiplies)
    assert one.total.census == two.total.census
    assert one.weight_layers == two.weight_layers == 2


@pytest.mark.parametrize("before", [False, True])
def test_where_the_reset_gate_comes(before: bool) -> None:
    """Cho et al. 2014 multiply the state before its product, cuDNN and torch behind it."""
    operator = operator_class("gru")(3, before=before)
    x, w = drawn(operator, Shape(4, 2))
    h = np.zeros(3)
    for step in range(4):
        sums = x[0, step] @ w["weight_ih_l0"] + w["bias_ih_l0"]
        u, b = w["weight_hh_l0"], w["bias_hh_l0"]
        r = sigmoid(sums[:3] + h @ u[:, :3] + b[:3])
        z = sigmoid(sums[3:6] + h @ u[:, 3:6] + b[3:6])
        held = (r * h) @ u[:, 6:] + b[6:] if before else r * (h @ u[:, 6:] + b[6:])
        h = (1 - z) * np.tanh(sums[6:] + held) + z * h
        np.testing.assert_allclose(run(operator, [x], w)[0, step], h, 1e-6)


def test_one_bias_a_gate() -> None:
    """Keras' SimpleRNN: h = tanh(W·x + U·h + b)."""
    operator = operator_class("rnn")(3, biases=1)
    x, w = drawn(operator, Shape(4, 2))
    assert set(w) == {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0"}
    h = np.zeros(3)
    for step in range(4):
        h = np.tanh(x[0, step] @ w["weight_ih_l0"] + h @ w["weight_hh_l0"] + w["bias_ih_l0"])
    np.testing.assert_allclose(run(operator, [x], w)[0, -1], h, 1e-6)


@pytest.mark.parametrize("name, gates", [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_keras_counts(name: str, gates: int) -> None:
    """Keras' pages: LSTM(64) on 32 channels has 4·64·(32 + 64 + 1) = 24,832 parameters."""
    analysis = archcalc.load(f"10x32 | {name} 64 biases=1").analyze()
    assert analysis.parameters == gates * 64 * (32 + 64 + 1)


def test_weights_of_torch(tmp_path: Path) -> None:
    """A state_dict has gates as rows; ours are columns."""
    text = 'input = "4x2"\nlayers = ["rnn = lstm 3 both"]'
    graph = build(read_spec(Source("net.toml", text)), {})
    tensors = {}
    for suffix in ("", "_reverse"):
        tensors[f"rnn.weight_ih_l0{suffix}"] = RNG.random((12, 2), np.float32)
        tensors[f"rnn.weight_hh_l0{suffix}"] = RNG.random((12, 3), np.float32)
        tensors[f"rnn.bias_ih_l0{suffix}"] = RNG.random(12, np.float32)
        tensors[f"rnn.bias_hh_l0{suffix}"] = RNG.random(12, np.float32)
    np.savez(tmp_path / "w.npz", **tensors)
    found = read(str(tmp_path / "w.npz"), graph)["rnn"]
    assert np.array_equal(found["weight_hh_l0_reverse"], tensors["rnn.weight_hh_l0_reverse"].T)
    assert np.array_equal(found["bias_hh_l0"], tensors["rnn.bias_hh_l0"])
