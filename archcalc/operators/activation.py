"""Activations: each value through a function. The census counts the formula that is given."""

from __future__ import annotations

from typing import ClassVar

from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Extent,
    Kind,
    Weight,
    Work,
    positions_of,
    values_of,
)
from archcalc.operators.normalization import Pointwise
from archcalc.operators.shape import Shape


class Activation(Pointwise):
    """A function of one value; `steps` is what one evaluation of its formula does."""

    steps: ClassVar[dict[Kind, int]]

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        values = (values_of(inputs[0]),)
        return tuple(Work(kind, values, each) for kind, each in self.steps.items())


class Relu(Activation):
    """max(x, 0)."""

    name = "relu"
    steps: ClassVar[dict[Kind, int]] = {"comparisons": 1}


class Relu6(Activation):
    """min(max(x, 0), 6)."""

    name = "relu6"
    steps: ClassVar[dict[Kind, int]] = {"comparisons": 2}


class Leaky(Activation):
    """max(x, 0.1·x)."""

    name = "leaky"
    steps: ClassVar[dict[Kind, int]] = {"multiplies": 1, "comparisons": 1}


class Sigmoid(Activation):
    """1 / (1 + exp(−x))."""

    name = "sigmoid"
    steps: ClassVar[dict[Kind, int]] = {"additions": 1, "divisions": 1, "exponentials": 1}


class Tanh(Activation):
    """(exp(x) − exp(−x)) / (exp(x) + exp(−x))."""

    name = "tanh"
    steps: ClassVar[dict[Kind, int]] = {
        "additions": 2,
        "divisions": 1,
        "exponentials": 2,
    }


class Swish(Activation):
    """x · sigmoid(x), also called SiLU."""

    name = "swish"
    steps: ClassVar[dict[Kind, int]] = {
        "multiplies": 1,
        "additions": 1,
        "divisions": 1,
        "exponentials": 1,
    }


class Gelu(Activation):
    """x/2 · (1 + erf(x/√2)), erf as in Abramowitz & Stegun 7.1.26.

    erf(z) = sign(z)·(1 − (a1·t + … + a5·t⁵)·exp(−z²)) with t = 1/(1 + p·|z|). Multiplies: 1 for z,
    1 for t, 5 for the polynomial, 1 for z², 1 for its product with exp, 2 outside. Additions: 1 for
    t, 4 in the polynomial, 2 around it. Comparisons: absolute value and sign.
    """

    name = "gelu"
    steps: ClassVar[dict[Kind, int]] = {
        "multiplies": 11,
        "additions": 7,
        "comparisons": 2,
        "divisions": 1,
        "exponentials": 1,
    }


class HardSigmoid(Activation):
    """relu6(x + 3) / 6."""

    name = "hsigmoid"
    steps: ClassVar[dict[Kind, int]] = {"additions": 1, "comparisons": 2, "divisions": 1}


class HardSwish(Activation):
    """x · relu6(x + 3) / 6."""

    name = "hswish"
    steps: ClassVar[dict[Kind, int]] = {
        "multiplies": 1,
        "additions": 1,
        "comparisons": 2,
        "divisions": 1,
    }


class Softmax(Activation):
    """Softmax over the channels of each position.

    n channels: n − 1 comparisons for the largest, n additions that subtract it, n exponentials, n − 1
    additions, n divisions.
    """

    name = "softmax"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        values, positions = values_of(x), positions_of(x)
        steps = Extent("steps", (("channels − 1", x.channels - 1),))
        return (
            Work("comparisons", (positions, steps)),
            Work("additions", (values,)),
            Work("additions", (positions, steps)),
            Work("exponentials", (values,)),
            Work("divisions", (values,)),
        )


class Dropout(Activation):
    """Nothing at inference, and declared so."""

    name = "dropout"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE
