"""Compute convolutions by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Weights
from archcalc.execution.reference.windows import pad, windows, zeros_around


def conv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Sum each filter's products with every window, and add its bias."""
    (x,) = inputs
    patches = windows(pad(x, *zeros_around(operator, x.shape)), operator.k, operator.s, operator.d)
    if operator.table is not None:
        y = _conv_by_table(operator, patches, weights["weight"])
    else:
        y = _conv_by_groups(operator, patches, weights["weight"])
    return y if operator.nobias else y + weights["bias"]


def _conv_by_groups(operator: Any, patches: Array, weight: Array) -> Array:
    images, rows, columns, *_, channels = patches.shape
    inside, outside = channels // operator.g, operator.filters // operator.g
    y = np.empty_like(patches, shape=(images * rows * columns, operator.filters))
    for group in range(operator.g):
        mine = patches[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        y[:, own] = np.matmul(mine.reshape(len(y), -1), weight[..., own].reshape(-1, outside))
    return y.reshape(images, rows, columns, -1)


def _conv_by_table(operator: Any, patches: Array, weight: Array) -> Array:
    images, rows, columns = patches.shape[:3]
    y = np.empty_like(patches, shape=(images * rows * columns, operator.filters))
    begin = 0
    for number, links in enumerate(operator.table):
        mine = patches[..., list(links)].reshape(len(y), -1)
        y[:, number] = np.matmul(mine, weight[..., begin : begin + len(links)].reshape(-1))
        begin += len(links)
    return y.reshape(images, rows, columns, -1)


def deconv(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add every input value times the kernel where it falls, then crop the padding."""
    (x,) = inputs
    images, height, width, channels = x.shape
    (kh, kw), (sh, sw), (ph, pw) = operator.k, operator.s, operator.p
    inside, outside = channels // operator.g, operator.filters // operator.g
    size = ((height - 1) * sh + kh, (width - 1) * sw + kw)
    full = np.zeros_like(x, shape=(images, *size, operator.filters))
    for group in range(operator.g):
        mine = x[..., group * inside : (group + 1) * inside]
        own = slice(group * outside, (group + 1) * outside)
        touched = np.zeros(size, bool)
        for u in range(kh):
            for v in range(kw):
                at = (slice(u, u + sh * (height - 1) + 1, sh), slice(v, v + sw * (width - 1) + 1, sw))
                spread = np.matmul(mine, weights["weight"][u, v, :, own])
                target, again = full[:, *at, own], touched[at]
                target[:, again] = target[:, again] + spread[:, again]
                target[:, ~again] = spread[:, ~again]  # the first to come is no addition
                touched[at] = True
    y = full[:, ph : full.shape[1] - ph, pw : full.shape[2] - pw]
    return y if operator.nobias else y + weights["bias"]
