"""The way back of norms, attention and recurrent layers, written out in NumPy from what is kept alone.

Each keeps as many numbers as the operator says, and its derivatives are those of the reference execution
by central differences: along one way for the input, and for each weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.operator_cases import op
from support.slopes import slope

from archcalc.operators.kept import OUTPUT, WEIGHTS, Intermediate
from archcalc.operators.shape import Shape

STEPS, WIDTH, UNITS, HEADS = 5, 4, 3, 2
SHAPE = Shape(STEPS, WIDTH)
RNG = np.random.default_rng(11)


def made(operator: Any, kernel: str = "") -> dict[str, int]:
    """The numbers that it says to keep beside values of the graph."""
    rules = [
        k for k in operator.kept(SHAPE) if k.kernel in ("", kernel) and isinstance(k.what, Intermediate)
    ]
    return {k.what.name: int(k.what.values) for k in rules if k.what.values}


def values(operator: Any) -> set[Any]:
    """The values of the graph that it says to keep."""
    return {k.what for k in operator.kept(SHAPE) if not isinstance(k.what, Intermediate)}


def drawn(operator: Any) -> tuple[Any, dict[str, Any]]:
    weights = {w.name: RNG.standard_normal(tuple(map(int, w.shape))) for w in operator.weights(SHAPE)}
    return RNG.standard_normal((1, STEPS, WIDTH)), weights


def agree(operator: Any, x: Any, weights: dict[str, Any], dy: Any, found: dict[str, Any]) -> None:
    """`found`: the derivative by the input, under "x", and by each weight."""
    assert set(found) == {"x", *weights}
    for name, derivative in found.items():
        way = RNG.standard_normal(x.shape if name == "x" else weights[name].shape)
        if name == "x":
            along = slope(operator, [x], weights, [way], 0)
        else:
            ways = [way if k == name else np.zeros_like(w) for k, w in weights.items()]
            along = slope(operator, [x], weights, ways, WEIGHTS)
        told = (derivative.reshape(way.shape) * way).sum()
        assert np.isclose(told, (dy * along).sum(), rtol=1e-5, atol=1e-6), name


# how a norm sees 5 tokens of 4 channels, the axes along which it takes means, its arguments
NORMS = {
    "ln": ((STEPS, WIDTH), (1,), ()),
    "rmsnorm": ((STEPS, WIDTH), (1,), ()),
    "instancenorm": ((STEPS, WIDTH), (0,), ()),
    "groupnorm": ((STEPS, 2, 2), (0, 2), (2,)),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms(name: str) -> None:
    """g = dy·γ; dx = (g − mean(g) − x̂·mean(g·x̂))/σ, without the mean of g where none is taken off."""
    view, axes, arguments = NORMS[name]
    operator: Any = op(name, *arguments)
    x, weights = drawn(operator)
    dy, shaped = RNG.standard_normal(x.shape), x.reshape(view)
    centered = name != "rmsnorm"
    mean = shaped.mean(axes, keepdims=True) if centered else np.zeros(())
    inverse = 1 / np.sqrt(((shaped - mean) ** 2).mean(axes, keepdims=True) + float(operator.eps))
    assert values(operator) == {0}
    assert made(operator) == {"statistics": inverse.size + (mean.size if centered else 0)}

    hat = (shaped - mean) * inverse  # from here on of what is kept, and of weights
    g = dy.reshape(view) * weights["scale"].reshape(view[1:])
    dx = g - hat * (g * hat).mean(axes, keepdims=True)
    dx = inverse * (dx - g.mean(axes, keepdims=True) if centered else dx)
    found = {"x": dx, "scale": (dy.reshape(view) * hat).sum(0), "shift": dy.sum((0, 1))}
    agree(operator, x, weights, dy, {k: v for k, v in found.items() if k in ("x", *weights)})


@pytest.mark.parametrize("kernel", ["plain", "fused"])
def test_attention(kernel: str) -> None:
    """Of the softmax of all scores, or of a sum for each row, from which it is computed again."""
    operator: Any = op("attention", HEADS)
    x, weights = drawn(operator)
    dy = RNG.standard_normal((STEPS, WIDTH))

    def divided(tokens: Any) -> Any:
        return tokens.reshape(STEPS, HEADS, WIDTH // HEADS).swapaxes(0, 1)

    def joined(parts: Any) -> Any:
        return parts.swapaxes(0, 1).reshape(STEPS, WIDTH)

    q, k, v = (
        divided(x[0] @ weights[f"{n}.weight"] + weights[f"{n}.bias"]) for n in ("query", "key", "value")
    )
    scores = q @ k.swapaxes(1, 2)
    rows = np.log(np.exp(scores).sum(-1, keepdims=True))
    softmax = np.exp(scores - rows)
    mixed = joined(softmax @ v)
    assert values(operator) == {0}
    own = {"softmax": softmax.size} if kernel == "plain" else {"statistics": rows.size}
    assert made(operator, kernel) == {"q, k, v": 3 * q.size, "mixed values": mixed.size, **own}

    dmixed = divided(dy @ weights["output.weight"].T)
    dsoftmax = dmixed @ v.swapaxes(1, 2)
    if kernel == "plain":
        p, through = softmax, (dsoftmax * softmax).sum(-1, keepdims=True)
    else:
        p = np.exp(q @ k.swapaxes(1, 2) - rows)
        through = (dmixed * divided(mixed)).sum(-1, keepdims=True)
    dscores = p * (dsoftmax - through)
    parts = {"query": dscores @ k, "key": dscores.swapaxes(1, 2) @ q, "value": p.swapaxes(1, 2) @ dmixed}
    back = {name: joined(part) for name, part in parts.items()}
    found = {f"{name}.weight": x[0].T @ d for name, d in back.items()}
    found |= {f"{name}.bias": d.sum(0) for name, d in back.items()}
    found |= {"output.weight": mixed.T @ dy, "output.bias": dy.sum(0)}
    found["x"] = sum(d @ weights[f"{name}.weight"].T for name, d in back.items())
    agree(operator, x, weights, dy[None], found)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def products(weights: dict[str, Any], x: Any, h: Any) -> tuple[Any, Any]:
    """What arrives from the input, and from the state before."""
    arrived = x @ weights["weight_ih_l0"] + weights["bias_ih_l0"]
    return arrived, h @ weights["weight_hh_l0"] + weights["bias_hh_l0"]


def test_rnn() -> None:
    """h = tanh(…): its derivative is 1 − h², of the output alone."""
    operator: Any = op("rnn", UNITS)
    x, weights = drawn(operator)
    dy, y = RNG.standard_normal((STEPS, UNITS)), np.zeros((STEPS + 1, UNITS))
    for t in range(STEPS):
        y[t + 1] = np.tanh(sum(products(weights, x[0, t], y[t])))
    assert (values(operator), made(operator)) == ({0, OUTPUT}, {})

    later, back = np.zeros(UNITS), np.zeros((STEPS, UNITS))
    for t in reversed(range(STEPS)):
        back[t] = (dy[t] + later) * (1 - y[t + 1] ** 2)
        later = back[t] @ weights["weight_hh_l0"].T
    agree(operator, x, weights, dy[None], recurrent(x[0], y[:-1], weights, back, back))


def recurrent(x: Any, h: Any, weights: dict[str, Any], of_x: Any, of_h: Any) -> dict[str, Any]:
    """The derivatives, from those by what arrives from the input and from the state before."""
    return {
        "x": of_x @ weights["weight_ih_l0"].T,
        "weight_ih_l0": x.T @ of_x,
        "weight_hh_l0": h.T @ of_h,
        "bias_ih_l0": of_x.sum(0),
        "bias_hh_l0": of_h.sum(0),
    }


def test_lstm() -> None:
    """Of the gates i, f, g, o, the cells c and the output h = o·tanh(c)."""
    operator: Any = op("lstm", UNITS)
    x, weights = drawn(operator)
    dy, y = RNG.standard_normal((STEPS, UNITS)), np.zeros((STEPS + 1, UNITS))
    c, gates = np.zeros((STEPS + 1, UNITS)), np.zeros((STEPS, 4 * UNITS))
    for t in range(STEPS):
        i, f, g, o = np.split(sum(products(weights, x[0, t], y[t])), 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        gates[t] = np.concatenate([i, f, g, o])
        c[t + 1] = f * c[t] + i * g
        y[t + 1] = o * np.tanh(c[t + 1])
    assert values(operator) == {0, OUTPUT}
    assert made(operator) == {"gates": gates.size, "cells": c[1:].size}

    later, cell, back = np.zeros(UNITS), np.zeros(UNITS), np.zeros_like(gates)
    for t in reversed(range(STEPS)):
        i, f, g, o = np.split(gates[t], 4)
        dh, tanh = dy[t] + later, np.tanh(c[t + 1])
        dc = cell + dh * o * (1 - tanh**2)
        inner = [
            dc * g * i * (1 - i),
            dc * c[t] * f * (1 - f),
            dc * i * (1 - g * g),
            dh * tanh * o * (1 - o),
        ]
        back[t] = np.concatenate(inner)
        later, cell = back[t] @ weights["weight_hh_l0"].T, dc * f
    agree(operator, x, weights, dy[None], recurrent(x[0], y[:-1], weights, back, back))


def test_gru() -> None:
    """Of the gates r, z, n, and of what r multiplies; h = (1 − z)·n + z·h before."""
    operator: Any = op("gru", UNITS)
    x, weights = drawn(operator)
    dy, y = RNG.standard_normal((STEPS, UNITS)), np.zeros((STEPS + 1, UNITS))
    gates = np.zeros((STEPS, 4 * UNITS))
    for t in range(STEPS):
        (ri, zi, ni), (rh, zh, nh) = (np.split(p, 3) for p in products(weights, x[0, t], y[t]))
        r, z = sigmoid(ri + rh), sigmoid(zi + zh)
        n = np.tanh(ni + r * nh)
        gates[t] = np.concatenate([r, z, n, nh])
        y[t + 1] = (1 - z) * n + z * y[t]
    assert (values(operator), made(operator)) == ({0, OUTPUT}, {"gates": gates.size})

    later = np.zeros(UNITS)
    of_x, of_h = np.zeros((STEPS, 3 * UNITS)), np.zeros((STEPS, 3 * UNITS))
    for t in reversed(range(STEPS)):
        r, z, n, nh = np.split(gates[t], 4)
        dh = dy[t] + later
        dn = dh * (1 - z) * (1 - n * n)
        dr, dz = dn * nh * r * (1 - r), dh * (y[t] - n) * z * (1 - z)
        of_x[t], of_h[t] = np.concatenate([dr, dz, dn]), np.concatenate([dr, dz, dn * r])
        later = of_h[t] @ weights["weight_hh_l0"].T + dh * z
    agree(operator, x, weights, dy[None], recurrent(x[0], y[:-1], weights, of_x, of_h))
