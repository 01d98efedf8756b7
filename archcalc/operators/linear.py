"""Dense layers, radial basis units, and products of matrices."""

from __future__ import annotations

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import INPUT_FOR_WEIGHTS, KEEPS_INPUT, KeepRule, KeepRules
from archcalc.operators.model import (
    UNWEIGHTED,
    Extent,
    Geometry,
    Operator,
    Weight,
    Work,
    sums_of_products,
    values_of,
)
from archcalc.operators.shape import Shape, can_stretch, stretched
from archcalc.operators.window import NOBIAS
from archcalc.symbols import Int

UNITS = Argument("units", "size", "values of the output")


class Linear(Operator):
    """Dense layer with bias: over the channels of a vector, or of each token of a sequence.

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

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise" if inputs[0].is_sequence else "global"

    def _outputs(self, x: Shape) -> Extent:
        tokens = (("tokens", x[0]),) if x.is_sequence else ()
        return Extent("outputs", (*tokens, ("units", self.units)))


class Rbf(Operator):
    """Radial basis units with fixed weights: squared distances to patterns (LeCun et al. 1998).

    Each link subtracts, squares and adds: one multiply and two additions.
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

    def kept(self, *inputs: Shape) -> KeepRules:
        return KEEPS_INPUT

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


class MatMul(Operator):
    """Matrix product of two tensors: n positions × k channels by k positions × m channels.

    Multiplies: n × k × m per matrix. `transposed` multiplies by the transpose of the other, m × k.
    `scaled` divides by √k, as attention does: one multiply per output. Axes before the last positions
    are a batch of matrices, and are broadcast as in NumPy.
    """

    name = "matmul"
    arguments = (
        Argument("transposed", "flag", "multiply by the transpose of the other", False),
        Argument("scaled", "flag", "times 1 / √k, where k products are summed", False),
    )
    labels = (1, 1)
    weight_layer, stored, buffer = False, True, "fresh"

    transposed: bool
    scaled: bool

    def output_shape(self, *inputs: Shape) -> Shape:
        x, y = inputs
        left, right = self._matrices(x, y)
        inner, columns = (right[-1], right[-2]) if self.transposed else (right[-2], right[-1])
        require(left.channels == inner, self._refusal, help=self._fitting, x=x, y=y)
        sides = Shape(*left[:-2], 1), Shape(*right[:-2], 1)
        require(can_stretch(*sides), self._refusal, help=self._fitting, x=x, y=y)
        return Shape(*stretched(*sides)[:-1], left[-2], columns)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        outputs = values_of(self.output_shape(*inputs), "outputs")
        inner = Extent("products", (("channels", inputs[0].channels),))
        loops = sums_of_products(outputs, inner, of_values=True)
        return (*loops, Work("multiplies", (outputs,))) if self.scaled else loops

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return KeepRule(0, (1,)), KeepRule(1, (0,))  # each factor for the other

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"  # an output reads all rows of the other, and its own row of what arrives

    def _matrices(self, *inputs: Shape) -> list[Shape]:
        """Return the shapes with equally many axes; missing ones are added in front, of size 1."""
        rank = max(x.rank for x in inputs)
        return [Shape(*(1,) * (rank - x.rank), *x) for x in inputs]

    @property
    def _refusal(self) -> str:
        return "cannot multiply {x} by " + ("the transpose of {y}" if self.transposed else "{y}")

    def _fitting(self, x: Shape, y: Shape) -> str:
        if y.channels == x.channels and not self.transposed:
            return "`transposed` multiplies by the transpose of @label"
        if self.transposed:
            return f"the other needs {x.channels} channels, and as many matrices: n×k by m×k"
        return f"the other needs {x.channels} positions, and as many matrices: n×k by k×m"


def _require_vector(name: str, x: Shape) -> None:
    require(
        x.positions == 1,
        "`{name}` takes a vector, not a {x} map",
        help=lambda name, x: "`flatten` or `gap` the map first",
        name=name,
        x=x,
    )
