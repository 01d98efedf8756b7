"""Gated linear units: one half of the channels gates the other, and the output has half of them."""

from __future__ import annotations

from typing import ClassVar

from archcalc.arithmetic import require
from archcalc.operators.kept import KEEPS_INPUT, KeepRules
from archcalc.operators.model import (
    UNWEIGHTED,
    Geometry,
    Operator,
    Steps,
    Weight,
    Work,
    values_of,
)
from archcalc.operators.shape import Shape
from archcalc.symbols import Int


class Gate(Operator):
    """The base of gates: a product of both halves, one through a function; `steps` are per output."""

    arguments = ()
    weight_layer, stored, buffer = False, True, "fresh"
    steps: ClassVar[Steps]

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(
            x.channels % 2 == 0,
            "`{name}` halves the channels, and {channels} is odd",
            help=lambda name, channels: f"{channels + 1} channels make {(channels + 1) // 2}",
            name=self.name,
            channels=x.channels,
        )
        return x.of(x.channels // 2)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        outputs = (values_of(self.output_shape(*inputs), "outputs"),)
        return tuple(Work(kind, outputs, each) for kind, each in self.steps.items())

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return KEEPS_INPUT

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Glu(Gate):
    """First half of the channels times the sigmoid of the second (Dauphin et al. 2017; torch's GLU)."""

    name = "glu"
    steps: ClassVar[Steps] = {"multiplies": 1, "additions": 1, "divisions": 1, "exponentials": 1}


class SwiGlu(Gate):
    """Swish of the first half of the channels times the second (Shazeer 2020; in Llama's order)."""

    name = "swiglu"
    steps: ClassVar[Steps] = {"multiplies": 2, "additions": 1, "divisions": 1, "exponentials": 1}
