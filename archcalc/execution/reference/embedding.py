"""Look up words, match vectors with words, and add waves to places."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.errors import Diagnostic, UsageError
from archcalc.execution.model import Array, Weights


def embedding(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Replace each id by its row of the table."""
    return weights["weight"][ids_of(operator, inputs[0])]


def ids_of(operator: Any, x: Array) -> Array:
    """Return the ids of images × positions.

    Raises:
        UsageError: a value is none, with its place.
    """
    values = np.asarray(x[..., 0])
    with np.errstate(invalid="ignore"):
        wrong = ~((values >= 0) & (values < int(operator.words)) & (values == np.floor(values)))
    if wrong.any():
        image, *place = map(int, np.argwhere(wrong)[0])
        value = values[(image, *place)].item()
        where = f"place {', '.join(map(str, place))} of image {image}"
        message = f"`{operator}` reads {value:.10g} at {where}, which is no id"
        help = f"ids are whole numbers of 0 … {int(operator.words) - 1}"
        raise UsageError(Diagnostic(message, help=help))
    return values.astype(np.intp)


def unembed(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Multiply by the table of the embedding."""
    return np.matmul(inputs[0], weights["weight"].T)


def sinusoid(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Add sines and cosines of the place, by turns."""
    (x,) = inputs
    return x + waves(x.shape[1], x.shape[2]).astype(x.dtype)


def waves(places: int, channels: int, first: int = 0) -> Array:
    """Return what is added to the places from `first` on: places × channels."""
    pair = np.arange(channels) // 2
    angle = np.arange(first, first + places)[:, None] * 10000.0 ** (-2 * pair / channels)
    return np.where(np.arange(channels) % 2, np.cos(angle), np.sin(angle))
