"""Define the cost of an operation, and an operation as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

from archcalc.interop.trace import Shape
from archcalc.tuples import NamedTuple


class Counts(NamedTuple):
    """The census of an operation by kind, in exact integers.

    `products` are the headline: products inside conv, linear, matmul and recurrent layers;
    `multiplies` are all others. Logarithms, sines and cosines count as exponentials.
    """

    products: int = 0
    multiplies: int = 0
    additions: int = 0
    comparisons: int = 0
    divisions: int = 0
    exponentials: int = 0
    powers: int = 0
    roots: int = 0

    def times(self, factor: int) -> Counts:
        """Return the counts times a factor."""
        return Counts(*[count * factor for count in self])

    def plus(self, other: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(*map(int.__add__, self, other))


NONE = Counts()


class ShapedOperation(NamedTuple):
    """An operation as a rule gets it: with the shapes of its tensors in place of their names."""

    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape, ...]
    attributes: Mapping[str, Any]

    @property
    def values(self) -> int:
        """Values of the (first) output."""
        return prod(self.outputs[0])

    def has(self, position: int) -> bool:
        """Return whether an optional input is given: a bias, a mask."""
        return len(self.inputs) > position and self.inputs[position] is not None

    def shape(self, position: int) -> Shape:
        """Return the shape of a required input.

        Raises:
            CountingError: the input is missing.
        """
        shape = self.inputs[position] if len(self.inputs) > position else None
        if shape is None:
            raise CountingError(f"it has no input {position}")
        return shape


Rule = Callable[[ShapedOperation], Counts]


class CountingError(Exception):
    """A property of an operation that its rule cannot count; the caller adds the place."""


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum of many counts."""
    columns = list(zip(*counts, strict=True))
    return Counts(*map(sum, columns)) if columns else NONE
