"""Depthwise convolutions and pools: too few products for a matrix, so their loops are compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.numerics.compiled import compiled
from archcalc.numerics.reference import Array


def depthwise(
    x: Array, weight: Array, out: Array, stride: Any, before: tuple[int, int], dilation: Any
) -> None:
    """A kernel of its own for each channel; `weight` is kernel height × kernel width × 1 × channels."""
    _depthwise(x, weight[:, :, 0], out, stride, before, dilation)


def pool(x: Array, out: Array, window: Any, stride: Any, before: tuple[int, int], largest: bool) -> None:
    """The largest value of each window, or the sum."""
    _pool(x, out, window, stride, before, largest)


@compiled
def _depthwise(
    x: Array, weight: Array, out: Array, stride: Any, before: tuple[int, int], dilation: Any
) -> None:
    images, height, width, channels = x.shape
    for image in range(images):
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                target = out[image, row, column]
                target[:] = 0
                for u in range(weight.shape[0]):
                    i = row * stride[0] - before[0] + u * dilation[0]
                    if i < 0 or i >= height:
                        continue
                    for v in range(weight.shape[1]):
                        j = column * stride[1] - before[1] + v * dilation[1]
                        if j < 0 or j >= width:
                            continue
                        for channel in range(channels):
                            target[channel] += x[image, i, j, channel] * weight[u, v, channel]


@compiled
def _pool(
    x: Array, out: Array, window: Any, stride: Any, before: tuple[int, int], largest: bool
) -> None:
    images, height, width, channels = x.shape
    for image in range(images):
        for row in range(out.shape[1]):
            top = row * stride[0] - before[0]
            for column in range(out.shape[2]):
                left = column * stride[1] - before[1]
                target = out[image, row, column]
                target[:] = -np.inf if largest else 0
                for i in range(max(top, 0), min(top + window[0], height)):
                    for j in range(max(left, 0), min(left + window[1], width)):
                        for channel in range(channels):
                            value = x[image, i, j, channel]
                            if largest:
                                target[channel] = max(target[channel], value)
                            else:
                                target[channel] += value
