"""Derivatives of the reference execution, by central differences in double precision."""

from __future__ import annotations

from typing import Any

from archcalc.execution.reference import run
from archcalc.operators.kept import WEIGHTS

STEP = 1e-6


def slope(operator: Any, arrays: list[Any], weights: dict[str, Any], way: list[Any], role: int) -> Any:
    """The derivative along `way`, by one input or (WEIGHTS) by all weights."""
    ends = []
    for sign in (1, -1):
        moved, heavier = list(arrays), dict(weights)
        if role == WEIGHTS:
            heavier = {k: w + sign * STEP * d for (k, w), d in zip(weights.items(), way, strict=True)}
        else:
            moved[role] = arrays[role] + sign * STEP * way[0]
        ends.append(run(operator, moved, heavier))
    return (ends[0] - ends[1]) / (2 * STEP)
