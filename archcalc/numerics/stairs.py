"""The front of two objectives as stairs, by sorting: as quick where nearly every point is on it."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Stairs:
    """The points that no other beats; both x and y are to be small. x rises, y falls.

    Attributes:
        dropped: whether there were more than `most`: then every other one was left out.
    """

    def __init__(self, most: int) -> None:
        self.most, self.dropped = most, False
        self.x: Array = np.empty(0, np.int64)
        self.y: Array = np.empty(0, np.int64)

    def add(self, x: Array, y: Array) -> None:
        """Points; of equal ones, one stays."""
        if len(self.x):
            before = np.searchsorted(self.x, x, "right") - 1
            new = (before < 0) | (self.y[before] > y)
            x, y = x[new], y[new]
        x, y = np.concatenate([self.x, x]), np.concatenate([self.y, y])
        order = np.argsort(y, kind="stable")
        order = order[np.argsort(x[order], kind="stable")]
        x, y = x[order], y[order]
        lower = np.concatenate([[True], y[1:] < np.minimum.accumulate(y)[:-1]])
        self.x, self.y = x[lower], y[lower]
        if len(self.x) > self.most:
            self.dropped = True
            self.x, self.y = self.x[::2], self.y[::2]
