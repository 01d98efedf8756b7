"""Run recurrent layers by their definition, with the states of all layers in memory that is there."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.execution.fast.workspace import take
from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.recurrent import through


def recurrent(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Run all layers: the last one fills the output, the others alternate in scratch memory."""
    (x,) = inputs
    shape = (*x.shape[:2], operator.directions * int(operator.state))
    rooms = [take(scratch, i * prod(shape), shape) for i in range(_rooms(operator))]

    def make(layer: int) -> Array:
        topmost = layer == operator.layers - 1
        return out if topmost and not operator.last else rooms[layer % len(rooms)]

    _, ends = through(operator, x, weights, make)
    if operator.last:
        out[:, 0, 0] = ends


def scratch(operator: Any, x: tuple[int, ...]) -> int:
    """Count the values of the states that are not the output, for all images."""
    return int(prod(x[:2]) * operator.directions * operator.state * _rooms(operator))


def _rooms(operator: Any) -> int:
    """Return how many layers' states are in scratch memory at once."""
    return min(2, int(operator.layers) - (not operator.last))
