"""Activations: functions of each value. The census counts the operations of the formula given."""

from __future__ import annotations

from typing import Any, ClassVar

from archcalc.arithmetic import below, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import (
    KEEPS_INPUT,
    KEEPS_OUTPUT,
    OF_BOTH,
    OF_INPUT,
    Intermediate,
    KeepRule,
    KeepRules,
)
from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Extent,
    Steps,
    Weight,
    Work,
    positions_of,
    values_of,
)
from archcalc.operators.normalization import Pointwise
from archcalc.operators.shape import Shape


class Activation(Pointwise):
    """The base of functions of one value; `steps` are the operations of its formula."""

    steps: ClassVar[Steps]

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        values = (values_of(inputs[0]),)
        return tuple(Work(kind, values, each) for kind, each in self.steps.items())


class OfOutput(Activation):
    """The base of activations whose derivative is a function of the output."""

    def kept(self, *inputs: Shape) -> KeepRules:
        return KEEPS_OUTPUT


class OfInput(Activation):
    """The base of activations whose derivative is a function of the input alone."""

    def kept(self, *inputs: Shape) -> KeepRules:
        return KEEPS_INPUT


class Relu(OfOutput):
    """max(x, 0)."""

    name = "relu"
    steps: ClassVar[Steps] = {"comparisons": 1}


class Relu6(OfOutput):
    """min(max(x, 0), 6)."""

    name = "relu6"
    steps: ClassVar[Steps] = {"comparisons": 2}


class Clip(OfOutput):
    """min(max(x, low), high): one comparison for each bound that is given."""

    name = "clip"
    arguments = (
        Argument("low", "number", "no value is smaller", None, above=None, most=None),
        Argument("high", "number", "no value is larger", None, above=None, most=None),
    )

    low: float | None
    high: float | None

    def __init__(self, *required: Any, rank: int = 2, **optional: Any) -> None:
        super().__init__(*required, rank=rank, **optional)
        given = [optional[name] for name in ("low", "high") if optional.get(name) is not None]
        help = "as in `clip low={-1} high={1}`"
        if not given:
            raise ShapeError("clip needs `low` or `high`", "", help)
        if len(given) == 2:
            low, high = given
            message = "`low` of {low} is not below `high` of {high}"
            require(below(low, high), message, "low", lambda low, high: help, low=low, high=high)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        bounds = (self.low is not None) + (self.high is not None)
        return (Work("comparisons", (values_of(inputs[0]),), bounds),)


class HardTanh(OfOutput):
    """min(max(x, −1), 1)."""

    name = "hardtanh"
    steps: ClassVar[Steps] = {"comparisons": 2}


class Leaky(OfOutput):
    """max(x, slope·x) (Maas et al. 2013)."""

    name = "leaky"
    arguments = (Argument("slope", "number", "factor of negative values", 0.1),)
    steps: ClassVar[Steps] = {"multiplies": 1, "comparisons": 1}

    slope: float


class PRelu(Activation):
    """x where it is positive, else slope·x, with a learned slope for each channel (He et al. 2015)."""

    name = "prelu"
    arguments = (Argument("shared", "flag", "one slope for all channels", False),)
    steps: ClassVar[Steps] = {"multiplies": 1, "comparisons": 1}

    shared: bool

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", (1 if self.shared else inputs[0].channels,)),)

    def kept(self, *inputs: Shape) -> KeepRules:
        return (KeepRule(0, OF_BOTH),)


class Elu(OfOutput):
    """x where it is positive, else alpha · (exp(x) − 1) (Clevert et al. 2016)."""

    name = "elu"
    arguments = (Argument("alpha", "number", "−alpha is the lower limit", 1.0, most=None),)
    steps: ClassVar[Steps] = {"multiplies": 1, "additions": 1, "comparisons": 1, "exponentials": 1}

    alpha: float


class Selu(OfOutput):
    """1.0507 · elu with an alpha of 1.6733 (Klambauer et al. 2017): one multiply more than elu."""

    name = "selu"
    steps: ClassVar[Steps] = {**Elu.steps, "multiplies": 2}


class Sigmoid(OfOutput):
    """1 / (1 + exp(−x))."""

    name = "sigmoid"
    steps: ClassVar[Steps] = {"additions": 1, "divisions": 1, "exponentials": 1}


class Tanh(OfOutput):
    """(exp(x) − exp(−x)) / (exp(x) + exp(−x))."""

    name = "tanh"
    steps: ClassVar[Steps] = {"additions": 2, "divisions": 1, "exponentials": 2}


class Softplus(OfOutput):
    """max(x, log(1 + exp(x))) (Dugas et al. 2001); a logarithm counts as an exponential.

    The maximum is the logarithm, except where exp(x) overflows: there it is x.
    """

    name = "softplus"
    steps: ClassVar[Steps] = {"additions": 1, "comparisons": 1, "exponentials": 2}


class Swish(OfInput):
    """x · sigmoid(x), also called SiLU."""

    name = "swish"
    steps: ClassVar[Steps] = {"multiplies": 1, "additions": 1, "divisions": 1, "exponentials": 1}


class Mish(OfInput):
    """x · tanh(log(1 + exp(x))) (Misra 2019); a logarithm counts as an exponential."""

    name = "mish"
    steps: ClassVar[Steps] = {"multiplies": 1, "additions": 3, "divisions": 1, "exponentials": 4}


class Gelu(OfInput):
    """x/2 · (1 + erf(x/√2)), erf as in Abramowitz & Stegun 7.1.26.

    erf(z) = sign(z)·(1 − (a1·t + … + a5·t⁵)·exp(−z²)) with t = 1/(1 + p·|z|). Multiplies: 1 for z,
    1 for t, 5 for the polynomial, 1 for z², 1 for its product with exp, 2 outside. Additions: 1 for
    t, 4 in the polynomial, 2 around it. Comparisons: absolute value and sign.
    """

    name = "gelu"
    steps: ClassVar[Steps] = {
        "multiplies": 11,
        "additions": 7,
        "comparisons": 2,
        "divisions": 1,
        "exponentials": 1,
    }


class HardSigmoid(OfOutput):
    """relu6(x + 3) / 6."""

    name = "hsigmoid"
    steps: ClassVar[Steps] = {"additions": 1, "comparisons": 2, "divisions": 1}


class HardSwish(OfInput):
    """x · relu6(x + 3) / 6."""

    name = "hswish"
    steps: ClassVar[Steps] = {"multiplies": 1, "additions": 1, "comparisons": 2, "divisions": 1}


class Softmax(OfOutput):
    """Softmax over the channels of each position.

    Per position of n channels: n − 1 comparisons for the largest, n additions to subtract it, n
    exponentials, n − 1 additions, n divisions.
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


class LogSoftmax(OfOutput):
    """Logarithm of the softmax over the channels of each position: x − largest − log Σ exp(x − largest).

    Per position of n channels: n − 1 comparisons for the largest, n additions to subtract it, n
    exponentials, n − 1 additions, a logarithm, which counts as an exponential, and n additions to
    subtract it.
    """

    name = "logsoftmax"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        values, positions = values_of(x), positions_of(x)
        steps = Extent("steps", (("channels − 1", x.channels - 1),))
        return (
            Work("comparisons", (positions, steps)),
            Work("additions", (values,), 2),
            Work("additions", (positions, steps)),
            Work("exponentials", (values,)),
            Work("exponentials", (positions,)),
        )


class Dropout(Activation):
    """Dropout: at inference it does nothing."""

    name = "dropout"

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    def kept(self, *inputs: Shape) -> KeepRules:
        return (KeepRule(Intermediate("mask", inputs[0].values, 2), OF_INPUT),)


class DropPath(Dropout):
    """Stochastic depth (Huang et al. 2016): at inference it does nothing."""

    name = "droppath"

    def kept(self, *inputs: Shape) -> KeepRules:
        return (KeepRule(Intermediate("mask", 1, 2), OF_INPUT),)
