"""Execute operators that move values, or add some beside them: no products, no temporaries."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution import reference
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.joining import aligned


def concat(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Join inputs side by side in the channels."""
    begin = 0
    for x in aligned(operator, inputs):
        out[..., begin : begin + x.shape[-1]] = x
        begin += x.shape[-1]


def upsample(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Repeat each value in rows and columns."""
    (x,) = inputs
    images, height, width, channels = x.shape
    down, across = operator.factor
    copies = out.reshape(images, height, down, width, across, channels)
    copies[...] = x[:, :, None, :, None, :]


def todepth(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Turn blocks of positions into channels; missing values are 0."""
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
    """Put a learned token before the others."""
    out[:, 0], out[:, 1:] = weights["weight"], inputs[0]


def posembed(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Add a learned value at each position."""
    np.add(inputs[0], weights["position"][:, None], out=out)


def padchannels(
    operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array
) -> None:
    """Add channels of zeros after the others."""
    channels = inputs[0].shape[-1]
    out[..., :channels] = inputs[0]
    out[..., channels:] = 0


def moved(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Move values by the definition, which is a view and makes no temporary."""
    out[...] = reference.run(operator, inputs, weights)
