"""Execute recurrent layers a step after the other, every step of a unit counted."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np

from archcalc.execution.counted import gates, products
from archcalc.execution.counted.products import Array, Executed, Weights, executed, plain

NESTS: dict[str, Any] = {"rnn": gates.rnn, "gru": gates.gru, "lstm": gates.lstm}
COUNT = {"rnn": 1, "gru": 3, "lstm": 4}  # gates
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def recurrent(operator: Any, inputs: list[Array], weights: Weights) -> Executed:
    """Run all layers; those of the way back read the sequence backward, and are turned around."""
    y, counts = plain(inputs[0]), Counter[str]()
    for layer in range(operator.layers):
        states = []
        for suffix in ("", "_reverse") if operator.both else ("",):
            own = {name: weights.get(f"{name}_l{layer}{suffix}") for name in NAMES}
            step = -1 if suffix else 1
            states.append(_layer(operator, y[:, ::step], own, counts)[:, ::step])
        y = np.concatenate(states, axis=2)
    if operator.last:
        first = int(y.shape[2]) // len(states)
        y = np.concatenate([y[:, -1:, :first], y[:, :1, first:]], axis=2)[:, :, None]
    return executed(np.ascontiguousarray(y), **counts)


def _layer(operator: Any, x: Array, own: dict[str, Array | None], counts: Counter[str]) -> Array:
    """Return the states of one layer, first to last as x comes."""
    arrived = _sums(x, own["weight_ih"], own["bias_ih"], counts)
    units, y = arrived.shape[-1] // COUNT[operator.name], []
    weight = own["weight_hh"]
    assert weight is not None
    state, memory = (np.zeros((len(x), size), np.float32) for size in (len(weight), units))
    for step in range(x.shape[1]):
        sums = np.ascontiguousarray(arrived[:, step])
        fresh = np.empty((len(x), units), np.float32)
        if operator.name == "gru" and operator.before:
            _early(sums, state, own, fresh, counts)
        else:
            kept = _sums(state, weight, own["bias_hh"], counts)
            flags = (operator.act == "relu",) if operator.name == "rnn" else ()
            counts.update(_named(NESTS[operator.name](sums, kept, state, memory, fresh, *flags)))
        projection = own["weight_hr"]
        state = fresh if projection is None else _sums(fresh, projection, None, counts)
        y.append(state)
    return np.stack(y, axis=1)


def _early(
    sums: Array, state: Array, own: dict[str, Array | None], fresh: Array, counts: Counter[str]
) -> None:
    """Run a step of a GRU whose reset gate comes before the product: first r and z, then n."""
    weight, bias, units = own["weight_hh"], own["bias_hh"], fresh.shape[1]
    assert weight is not None
    parts = [slice(0, 2 * units), slice(2 * units, None)]
    first, second = (None if bias is None else bias[part] for part in parts)
    kept = _sums(state, weight[:, parts[0]], first, counts)
    reset = np.empty_like(fresh)
    update = np.empty_like(fresh)
    counts.update(_named(gates.opened(sums, kept, state, reset, update)))
    kept = _sums(reset, weight[:, parts[1]], second, counts)
    counts.update(_named(gates.renewed(sums, kept, update, state, fresh)))


def _sums(x: Array, weight: Array | None, bias: Array | None, counts: Counter[str]) -> Array:
    """Run a linear layer, and count it."""
    assert weight is not None
    own = {"weight": weight} | ({} if bias is None else {"bias": bias})
    done = products.linear(SimpleNamespace(nobias=bias is None), [x], own)
    counts.update(done.counts)
    return done.output


def _named(steps: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(gates.KINDS, map(int, steps), strict=True))
