"""The inputs of a network."""

from __future__ import annotations

from archcalc.operators.kept import NOTHING, KeepRules
from archcalc.operators.model import FREE, UNWEIGHTED, Geometry, Operator, Weight, Work
from archcalc.operators.shape import Shape
from archcalc.symbols import Int


class Input(Operator):
    """An input of the network: an image, a sequence or ids."""

    name = "input"
    arguments = ()
    weight_layer = False
    stored = True
    buffer = "fresh"

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"
