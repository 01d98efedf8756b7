"""Kernels that move values, or put some beside them: no products, no temporaries."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution import reference
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.joining import aligned


def concat(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Inputs side by side in the channels."""
    begin = 0
    for x in aligned(operator, inputs):
        out[..., begin : begin + x.shape[-1]] = x
        begin += x.shape[-1]


def upsample(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Copies of each value, in rows and columns."""
    (x,) = inputs
    images, height, width, channels = x.shape
    down, across = operator.factor
    copies = out.reshape(images, height, down, width, across, channels)
    copies[...] = x[:, :, None, :, None, :]


def todepth(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Blocks of positions become channels; what a block lacks is 0."""
    (x,) = inputs
    down, across = operator.factor
    begin, channels = 0, x.shape[-1]
    for column in range(across):
        for row in range(down):
            part, y = x[:, row::down, column::across], out[..., begin : begin + channels]
            y[:, part.shape[1] :] = 0
            y[:, :, part.shape[2] :] = 0
            y[:, : part.shape[1], : part.shape[2]] = part
            begin += channels


def classtoken(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """A learned token before the others."""
    out[:, 0], out[:, 1:] = weights["weight"], inputs[0]


def posembed(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """A learned value added at each position."""
    np.add(inputs[0], weights["position"][:, None], out=out)


def padchannels(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Channels of zeros behind the others."""
    channels = inputs[0].shape[-1]
    out[..., :channels] = inputs[0]
    out[..., channels:] = 0


def moved(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """What only moves values makes no temporary: its definition is a view."""
    out[...] = reference.run(operator, inputs, weights)
