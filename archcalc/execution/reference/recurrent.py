"""Run recurrent layers by their formulas, a step after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.activation import ACTIVATIONS

SIGMOID, TANH = ACTIVATIONS["sigmoid"], ACTIVATIONS["tanh"]
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
Make = Callable[[int], Array]


def recurrent(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Return the states of all steps, or the last ones as a vector."""
    (x,) = inputs

    def make(layer: int) -> Array:
        return np.empty_like(x, shape=(*x.shape[:2], operator.directions * operator.state))

    y, ends = through(operator, x, weights, make)
    return ends[:, None, None] if operator.last else y


def through(operator: Any, x: Array, weights: Weights, make: Make) -> tuple[Array, Array]:
    """Return the states of the topmost layer, and those after its last steps side by side.

    `make` gives the array that a layer fills: images × steps × directions · state.
    """
    size, ends = int(operator.state), x
    for layer in range(operator.layers):
        y = make(layer)
        ends = np.empty_like(y, shape=(len(y), y.shape[-1]))
        for way, suffix in enumerate(("", "_reverse")[: operator.directions]):
            names = {part: f"{part}_l{layer}{suffix}" for part in PARTS}
            own = {part: weights[name] for part, name in names.items() if name in weights}
            states = y[..., way * size : (way + 1) * size]
            ends[:, way * size : (way + 1) * size] = _along(operator, x, own, states, way == 1)
        x = y
    return x, ends


def _along(operator: Any, x: Array, weights: Weights, y: Array, back: bool) -> Array:
    """Fill the states of one layer in one direction; return the last one."""
    state = np.zeros_like(x, shape=(len(x), int(operator.state)))
    memory = np.zeros_like(x, shape=(len(x), int(operator.units)))
    steps = range(x.shape[1])
    for step in reversed(steps) if back else steps:
        arrived = np.matmul(x[:, step], weights["weight_ih"])
        if "bias_ih" in weights:
            arrived = arrived + weights["bias_ih"].reshape(arrived.shape[-1])
        state, memory = CELLS[operator.name](operator, arrived, state, memory, weights)
        if "weight_hr" in weights:
            state = np.matmul(state, weights["weight_hr"])
        y[:, step] = state
    return state


def _kept(state: Array, weights: Weights, columns: slice = slice(None)) -> Array:
    """Return U·h + b′ of some gates."""
    kept = np.matmul(state, weights["weight_hh"][:, columns])
    return kept + weights["bias_hh"][columns] if "bias_hh" in weights else kept


def _rnn(
    operator: Any, arrived: Array, state: Array, memory: Array, weights: Weights
) -> tuple[Array, Array]:
    return ACTIVATIONS[operator.act](arrived + _kept(state, weights)), memory


def _gru(
    operator: Any, arrived: Array, state: Array, memory: Array, weights: Weights
) -> tuple[Array, Array]:
    units = int(operator.units)
    if operator.before:
        gates = SIGMOID(arrived[:, : 2 * units] + _kept(state, weights, slice(2 * units)))
        reset, update = gates[:, :units], gates[:, units:]
        fresh = TANH(arrived[:, 2 * units :] + _kept(reset * state, weights, slice(2 * units, None)))
    else:
        kept = _kept(state, weights)
        gates = SIGMOID(arrived[:, : 2 * units] + kept[:, : 2 * units])
        reset, update = gates[:, :units], gates[:, units:]
        fresh = TANH(arrived[:, 2 * units :] + reset * kept[:, 2 * units :])
    return (1 - update) * fresh + update * state, memory


def _lstm(
    operator: Any, arrived: Array, state: Array, memory: Array, weights: Weights
) -> tuple[Array, Array]:
    sums, units = arrived + _kept(state, weights), int(operator.units)
    into, forget, fresh, out = (sums[:, i * units : (i + 1) * units] for i in range(4))
    memory = SIGMOID(forget) * memory + SIGMOID(into) * TANH(fresh)
    return SIGMOID(out) * TANH(memory), memory


CELLS = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}
