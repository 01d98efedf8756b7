"""Collect the distribution of streams of integers: extent, and counts per bin."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_SAFE = 1 << 62  # sums below it are exact in 64 bits
_FEW = 32  # edges that are compared with all values; among more, a value's place is searched


def integers(values: Sequence[int]) -> Array:
    """Return an array of integers of any size, with 64 bits each if that suffices."""
    return np.array(values, np.int64 if max(values, default=0) < 1 << 63 else object)


class Extremes:
    """Minimum, maximum and sum of integers that arrive in arrays; `step` divides their differences."""

    def __init__(self) -> None:
        self.rows = self.least = self.most = self.total = self.step = 0

    def add(self, values: Array) -> None:
        """Add integers of any size, not negative."""
        if not len(values):
            return
        least, most = int(values.min()), int(values.max())
        if not self.rows:
            self.least, self.most = least, most
        small = most * len(values) < _SAFE
        self.total += int(values.sum() if small else values.astype(object).sum())
        self.step = gcd(self.step, abs(least - self.least))
        if self.step != 1:
            rest = (values - least) % self.step if self.step else values - least
            self.step = gcd(self.step, int(np.gcd.reduce(rest)))
        self.rows += len(values)
        self.least, self.most = min(self.least, least), max(self.most, most)

    def merge(self, rows: int, least: int, most: int, total: int, step: int) -> None:
        """Add so many integers of which these are known."""
        if not rows:
            return
        if not self.rows:
            self.least, self.most = least, most
        self.step = gcd(self.step, step, abs(least - self.least))
        self.rows, self.total = self.rows + rows, self.total + total
        self.least, self.most = min(self.least, least), max(self.most, most)


class BinCounts:
    """Counts of points per cell; an axis has rising `edges`, the last of which belongs to no cell."""

    def __init__(self, *edges: Sequence[int]) -> None:
        self._edges = [integers(row) for row in edges]
        self.shape = tuple(len(row) - 1 for row in edges)
        self.cells: Array = np.zeros(self.shape, np.int64)

    def add(self, *values: Array) -> None:
        """Add points by their values on each axis, all within its edges."""
        if len(values) == 1 and len(self._edges[0]) <= _FEW:
            below = [np.count_nonzero(values[0] < edge) for edge in self._edges[0][1:]]
            self.cells += np.diff(below, prepend=0)
            return
        places = [
            np.searchsorted(edges, row, "right") - 1
            for edges, row in zip(self._edges, values, strict=True)
        ]
        flat = np.ravel_multi_index(places, self.shape)
        self.cells += np.bincount(flat, minlength=self.cells.size).reshape(self.shape)
