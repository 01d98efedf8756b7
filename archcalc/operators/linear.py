"""Layers in which every input value is linked to every output."""

from __future__ import annotations

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.model import Extent, Geometry, Operator, Weight, Work, sums_of_products
from archcalc.operators.shape import Shape
from archcalc.operators.window import NOBIAS
from archcalc.symbols import Int

UNITS = Argument("units", "size", "values of the output")


class Linear(Operator):
    """Dense layer with bias over the channels of a vector, or of each token of a sequence.

    Multiplies: tokens × outputs × inputs.
    """

    name = "linear"
    arguments = (UNITS, NOBIAS)
    weight_layer, stored, buffer = True, True, "fresh"

    units: Int
    nobias: bool

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if x.is_sequence:
            return x.of(self.units)
        _require_vector(self.name, x)
        return Shape(1, 1, self.units)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        weight = Weight("weight", (inputs[0].channels, self.units))
        return (weight,) if self.nobias else (weight, Weight("bias", (self.units,)))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        outputs = self._outputs(x)
        work = sums_of_products(outputs, Extent("products", (("channels", x.channels),)))
        return work if self.nobias else (*work, Work("additions", (outputs,)))

    def connections(self, *inputs: Shape) -> Int:
        (x,) = inputs
        return self._outputs(x).size * (x.channels + (not self.nobias))

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise" if inputs[0].is_sequence else "global"

    def _outputs(self, x: Shape) -> Extent:
        tokens = (("tokens", x[0]),) if x.is_sequence else ()
        return Extent("outputs", (*tokens, ("units", self.units)))


class Rbf(Operator):
    """Radial basis units with fixed weights: squared distances to a pattern (LeCun et al. 1998).

    A link subtracts, squares and adds: one multiply and two additions.
    """

    name = "rbf"
    arguments = (UNITS,)
    weight_layer, stored, buffer = False, True, "fresh"

    units: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        _require_vector(self.name, inputs[0])
        return Shape(1, 1, self.units)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("fixed", (inputs[0].channels, self.units)),)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        links = Extent("links", (("units", self.units), ("channels", inputs[0].channels)))
        return Work("multiplies", (links,)), Work("additions", (links,), 2)

    def connections(self, *inputs: Shape) -> Int:
        return self.units * inputs[0].channels

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


def _require_vector(name: str, x: Shape) -> None:
    require(
        x.positions == 1,
        "`{name}` takes a vector, not a {x} map",
        help=lambda name, x: "`flatten` or `gap` the map first",
        name=name,
        x=x,
    )
