"""What is said of architectures to be the same, proven by executing both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from archcalc.execution.sides import CLAIMS

TOLERANCE = 1e-12  # of the largest value, between two ways to sum up in float64


class Identity(NamedTuple):
    """A claim, what was executed on both sides, and how far apart they were."""

    claim: str
    left: str
    right: str
    largest: float  # absolute value on the right
    difference: float  # the largest between both sides

    @property
    def holds(self) -> bool:
        return self.difference <= TOLERANCE * self.largest


def identities() -> Iterator[Identity]:
    """Every identity, as it is proven."""
    for claim, execute in CLAIMS.items():
        left, right, values, others = execute()
        same = values.shape == others.shape
        difference = float(np.max(np.abs(values - others))) if same else np.inf
        yield Identity(claim, left, right, float(np.max(np.abs(others))), difference)
