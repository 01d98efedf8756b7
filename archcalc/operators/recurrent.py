"""Recurrent layers: a state passes along the sequence, and each step updates it."""

from __future__ import annotations

from typing import Any, ClassVar

from archcalc.arithmetic import require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.kept import INPUT_FOR_WEIGHTS, OF_BOTH, OUTPUT, Intermediate, KeepRule, KeepRules
from archcalc.operators.model import Extent, Geometry, Kind, Operator, Weight, Work, sums_of_products
from archcalc.operators.shape import Shape
from archcalc.operators.tokens import sequence
from archcalc.operators.window import NOBIAS
from archcalc.symbols import Int

Cell = tuple[tuple[Kind, int], ...]
MOST_LAYERS = 1000
_UNITS = Argument("units", "size", "values of the state")
_OTHERS = (
    Argument("layers", "size", "one above the other", 1),
    Argument("both", "flag", "a second one from the end to the beginning, side by side", False),
    Argument("last", "flag", "only the state after the last step, as a vector", False),
    Argument("biases", "size", "of a gate: 2 in torch and ONNX, 1 in Keras' lstm and rnn", 2),
    NOBIAS,
)


class Recurrent(Operator):
    """The base of recurrent layers: per unit and step `gates` sums of products, then a formula.

    A layer in one direction has W (inputs × gates·units), U (state × gates·units) and two biases.
    """

    gates: ClassVar[int]
    gates_kept: int  # the values of gates per unit and step that derivatives need
    cell: Cell  # the operations per unit and step beside sums of products
    weight_layer, stored, buffer = 1, True, "fresh"

    units: Int
    layers: int
    both: bool
    last: bool
    biases: int
    nobias: bool
    proj: Int | None = None

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        self.layers = self.weight_layer = int(self.layers)
        if self.layers > MOST_LAYERS:
            raise ShapeError(f"{self.layers} layers: there may be {MOST_LAYERS}", "layers")
        self.biases = int(self.biases)
        if self.biases > 2:
            raise ShapeError(f"a gate has 1 or 2 biases, not {self.biases}", "biases")
        if self.nobias and "biases" in optional:
            raise ShapeError("`nobias` and `biases` contradict each other", "biases")

    @property
    def directions(self) -> int:
        """1, or 2 with `both`."""
        return 2 if self.both else 1

    @property
    def state(self) -> Int:
        """The number of values that pass to the next step."""
        return self.units if self.proj is None else self.proj

    @property
    def bias_count(self) -> int:
        """The number of biases of a gate."""
        return 0 if self.nobias else self.biases

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        if self.proj is not None:
            message = "a projection to {proj} is no less than the {units} units"
            require(self.proj < self.units, message, "proj", proj=self.proj, units=self.units)
        channels = self.directions * self.state
        return Shape(1, 1, channels) if self.last else x.of(channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        """Return the weights under torch's names: weight_ih_l0, …, bias_hh_l0; backward `…_reverse`."""
        found: list[Weight] = []
        rows, width = self.gates * self.units, inputs[0].channels
        for layer in range(self.layers):
            for end in ("", "_reverse")[: self.directions]:
                found.append(Weight("weight", (width, rows), f"weight_ih_l{layer}{end}"))
                found.append(Weight("weight", (self.state, rows), f"weight_hh_l{layer}{end}"))
                biases = ("ih", "hh")[: self.bias_count]
                found += [Weight("bias", (rows,), f"bias_{name}_l{layer}{end}") for name in biases]
                if self.proj is not None:
                    found.append(Weight("weight", (self.units, self.proj), f"weight_hr_l{layer}{end}"))
            width = self.directions * self.state
        return tuple(found)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        above = self._layers(x, self.directions * self.state, self.layers - 1) if self.layers > 1 else ()
        return *self._layers(x, x.channels, 1), *above

    def kept(self, *inputs: Shape) -> KeepRules:
        """Keep the input, and gates, cells and states of each step; the last states are the output."""
        (x,) = inputs
        steps = self.directions * x[0]
        made = [("gates", self.layers * steps * self.units * self.gates_kept)]
        made.append(("cells", self.layers * steps * self.units if self.name == "lstm" else 0))
        below = self.layers if self.last else self.layers - 1
        made.append(("states", below * steps * self.state))
        output = () if self.last else (KeepRule(OUTPUT, OF_BOTH),)
        told = (KeepRule(Intermediate(name, values), OF_BOTH) for name, values in made)
        return *INPUT_FOR_WEIGHTS, *told, *output

    def connections(self, *inputs: Shape) -> Int:
        (x,) = inputs
        inner = self.directions * self.state
        width = x.channels + (self.layers - 1) * inner + self.layers * (self.state + self.bias_count)
        links = self.gates * self.units * width
        projected = 0 if self.proj is None else self.layers * self.units * self.proj
        return self.directions * x[0] * (links + projected)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"

    def _layers(self, x: Shape, width: Int, count: int) -> tuple[Work, ...]:
        """Return the work of `count` layers whose inputs have `width` channels."""
        many = (("layers", count),) if count > 1 else ()
        ways = (("directions", 2),) if self.both else ()
        steps = (*many, *ways, ("steps", x[0]))
        gates = Extent("gates", (*steps, ("gates", self.gates), ("units", self.units)))
        units = Extent("units", (*steps, ("units", self.units)))
        work = [
            *sums_of_products(gates, Extent("products", (("inputs", width),))),
            *sums_of_products(gates, Extent("products", (("state", self.state),))),
            Work("additions", (gates,), 1 + self.bias_count),  # to join both sums, and the biases
            *(Work(kind, (units,), each) for kind, each in self.cell),
        ]
        if self.proj is not None:
            projected = Extent("projected", (*steps, ("state", self.proj)))
            work += sums_of_products(projected, Extent("products", (("units", self.units),)))
        return tuple(work)


class Rnn(Recurrent):
    """Elman's recurrent layer: h = tanh(W·x + b + U·h + b′) (Elman 1990); `act=relu` replaces tanh.

    Multiplies per step: units × (inputs + units). Per unit beside those sums: 2 exponentials, 2
    additions and a division for tanh; a comparison for relu.
    """

    name = "rnn"
    gates_kept = 0
    arguments = (_UNITS, *_OTHERS, Argument("act", "word", "tanh or relu", "tanh", ("tanh", "relu")))
    gates = 1

    act: str

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        tanh: Cell = (("exponentials", 2), ("additions", 2), ("divisions", 1))
        self.cell = (("comparisons", 1),) if self.act == "relu" else tanh


class Gru(Recurrent):
    """Gated recurrent unit (Cho et al. 2014): r, z = σ(…), n = tanh(W·x + b + r·(U·h + b′)).

    h = (1 − z)·n + z·h. Multiplies per step: 3 · units × (inputs + units). Per unit beside those sums:
    two sigmoids and a tanh (4 exponentials, 4 additions, 3 divisions), 3 multiplies, 2 additions.
    `before`: r multiplies h before the product, n = tanh(W·x + b + U·(r·h) + b′), with the same counts:
    Keras' reset_after=False, ONNX' linear_before_reset=0. With `biases=1` there is b alone.
    """

    name = "gru"
    arguments = (
        _UNITS,
        *_OTHERS,
        Argument("before", "flag", "the reset gate comes before the product of the state", False),
    )
    gates = 3
    cell = (("exponentials", 4), ("additions", 6), ("divisions", 3), ("multiplies", 3))

    before: bool

    @property
    def gates_kept(self) -> int:  # type: ignore[override]
        """Those of r, z and n; and the product that r multiplies, unless `before`."""
        return 3 if self.before else 4


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): i, f, o = σ(…), g = tanh(…).

    c = f·c + i·g, h = o·tanh(c). Multiplies per step: 4 · units × (inputs + units). Per unit beside
    those sums: three sigmoids and two tanhs (7 exponentials, 7 additions, 5 divisions), 3 multiplies, 1
    addition. With `proj=64`, the state is projected (Sak et al. 2014): multiplies are 4 · units ×
    (inputs + 64) + units × 64.
    """

    name = "lstm"
    gates_kept = 4
    arguments = (
        _UNITS,
        *_OTHERS,
        Argument("proj", "size", "values of the state that goes on, if projected", None),
    )
    gates = 4
    cell = (("exponentials", 7), ("additions", 8), ("divisions", 5), ("multiplies", 3))
