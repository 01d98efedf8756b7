"""Stored tensors that are added to, or multiply, what arrives, value by value."""

from __future__ import annotations

from typing import ClassVar

from archcalc.arithmetic import OPEN, maximum, product, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import INPUT_FOR_WEIGHTS, NOTHING, KeepRules
from archcalc.operators.model import Kind, Role, Weight, Work, values_of
from archcalc.operators.normalization import Pointwise
from archcalc.operators.shape import Shape, Sizes
from archcalc.symbols import Int


class StoredTable(Pointwise):
    """The base of layers with a stored tensor, which is broadcast: an axis of 1 goes with any size.

    A single size is a number per channel, or one for all if it is 1. `of=169`: the tensor is made
    beforehand of 169 learned numbers, as the biases of all pairs are of those of relative positions.
    """

    arguments: ClassVar[tuple[Argument, ...]] = (
        Argument("shape", "shape", "axes of the stored tensor: `7x7x96`, `96`, `1`"),
        Argument("fixed", "flag", "not learned, so that it is no parameter", False),
        Argument("of", "size", "so many learned numbers, of which it is made beforehand", None),
    )
    step: ClassVar[Kind]

    shape: Sizes
    fixed: bool
    of: Int | None

    @property
    def table(self) -> str:
        """The name of the stored tensor among the layer's weights."""
        return "weight" if not self.fixed and self.of is None else "fixed"

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if self.fixed and self.of is not None:
            raise ShapeError("`fixed` and `of` contradict each other", "of", "leave `fixed` away")
        if any(type(n) is int and n == OPEN for n in self.shape):
            raise ShapeError(
                f"`{self.name}` has a size for each axis", "shape", "as in `7x7x96`, or `96`"
            )
        axes = x if len(self.shape) > 1 else (x.channels,)
        fits = len(self.shape) == len(axes) and product(
            [maximum(n == 1, n == m) for n, m in zip(self.shape, axes, strict=True)]
        )
        require(
            fits,
            "a stored tensor of {stored} does not go with {x}",
            "shape",
            lambda stored, x: "each of its axes is as long as that, or 1",
            stored=Shape(*(1, 1)[: 2 * (len(self.shape) == 1)], *self.shape),
            x=x,
        )
        return x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        made = () if self.of is None else (Weight("weight", (self.of,)),)
        role: Role = "weight" if self.table == "weight" else "fixed"
        return (*made, Weight(role, tuple(self.shape)))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work(self.step, (values_of(inputs[0]),)),)

    def connections(self, *inputs: Shape) -> Int:
        return 0


class Offset(StoredTable):
    """A stored tensor is added: a bias, a position embedding of a map. One addition per value."""

    name, step = "offset", "additions"

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Factor(StoredTable):
    """A stored tensor multiplies: a gain, a constant, a window function. One multiply per value."""

    name, step = "factor", "multiplies"

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS
