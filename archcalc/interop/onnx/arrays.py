"""Compute with small constants: flat lists in row-major order, without numpy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import Any


def strides(shape: Sequence[int]) -> list[int]:
    """Return the strides of each axis in the flat list."""
    return list(accumulate(reversed(shape), mul, initial=1))[-2::-1] if shape else []


def places(ranges: Sequence[range], steps: Sequence[int]) -> list[int]:
    """Return the flat indices of every combination of indices, the last axis fastest."""
    found = [0]
    for indices, step in zip(ranges, steps, strict=True):
        found = [base + index * step for base in found for index in indices]
    return found


def spread(numbers: list[Any], shape: Sequence[int], to: Sequence[int]) -> list[Any]:
    """Return the numbers of an array of `shape`, broadcast to the shape `to`."""
    if tuple(shape) == tuple(to):
        return numbers
    count = 1
    for extent in to:
        count *= extent
    if len(numbers) == 1:
        return numbers * count
    padded = (1,) * (len(to) - len(shape)) + tuple(shape)
    steps = [0 if n == 1 else step for n, step in zip(padded, strides(padded), strict=True)]
    return [numbers[place] for place in places([range(n) for n in to], steps)]


def transposed(numbers: list[Any], shape: Sequence[int], order: Sequence[int]) -> list[Any]:
    steps = strides(shape)
    found = places([range(shape[axis]) for axis in order], [steps[axis] for axis in order])
    return [numbers[place] for place in found]


def taken(numbers: list[Any], shape: Sequence[int], ranges: Sequence[range]) -> list[Any]:
    """Return the part of an array that these indices along each axis select."""
    return [numbers[place] for place in places(ranges, strides(shape))]
