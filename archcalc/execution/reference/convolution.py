"""Compute convolutions by their definition."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import pad, taps, windows, zeros_around


def conv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Sum each filter's products with every window, and add its bias."""
    (x,) = inputs
    patches = windows(pad(x, *zeros_around(operator, x.shape)), operator.k, operator.s, operator.d)
    if operator.table is not None:
        y = _conv_by_table(operator, patches, weights["weight"])
    else:
        y = conv_by_groups(operator, patches, weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def conv_by_groups(operator: Any, patches: Array, weight: Array) -> Array:
    """Multiply what the windows hold, by groups of channels."""
    places = patches.shape[: 1 + len(operator.k)]
    inside, outside = patches.shape[-1] // operator.g, operator.filters // operator.g
    y = np.empty_like(patches, shape=(prod(places), operator.filters))
    for group in range(operator.g):
        mine = patches[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        y[:, own] = np.matmul(mine.reshape(len(y), -1), weight[..., own].reshape(-1, outside))
    return y.reshape(*places, -1)


def _conv_by_table(operator: Any, patches: Array, weight: Array) -> Array:
    places = patches.shape[: 1 + len(operator.k)]
    y = np.empty_like(patches, shape=(prod(places), operator.filters))
    begin = 0
    for number, links in enumerate(operator.table):
        mine = patches[..., list(links)].reshape(len(y), -1)
        y[:, number] = np.matmul(mine, weight[..., begin : begin + len(links)].reshape(-1))
        begin += len(links)
    return y.reshape(*places, -1)


def deconv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add every input value times the kernel where it falls, then crop the padding."""
    (x,), s, sizes = inputs, operator.s, inputs[0].shape[1:-1]
    inside, outside = x.shape[-1] // operator.g, operator.filters // operator.g
    spans = (d * (k - 1) + 1 for k, d in zip(operator.k, operator.d, strict=True))
    around = zip(sizes, s, spans, operator.out, strict=True)
    size = tuple((n - 1) * step + span + out for n, step, span, out in around)
    full = np.zeros_like(x, shape=(len(x), *size, operator.filters))
    for group in range(operator.g):
        mine = x[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        touched = np.zeros(size, bool)
        for tap in taps(operator.k):
            starts = zip(tap, operator.d, sizes, s, strict=True)
            at = tuple(slice(u * d, u * d + step * (n - 1) + 1, step) for u, d, n, step in starts)
            spread = np.matmul(mine, weights["weight"][*tap, :, own])
            target, again = full[:, *at, own], touched[at]
            target[:, again] = target[:, again] + spread[:, again]
            target[:, ~again] = spread[:, ~again]  # the first to come is no addition
            touched[at] = True
    kept = (slice(first, n - last) for (first, last), n in zip(operator.p, size, strict=True))
    y = full[:, *kept]
    return y if operator.nobias else y + weights["bias"]
