"""Sequences of tokens: made of a map, extended, transposed, and reduced to one token."""

from __future__ import annotations

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import NOTHING, KeepRules
from archcalc.operators.model import Geometry, Weight, Work, require_map, values_of
from archcalc.operators.normalization import Pointwise
from archcalc.operators.reshaping import Rearrangement
from archcalc.operators.shape import Shape
from archcalc.symbols import Int


class ToTokens(Rearrangement):
    """A map as a sequence: each position becomes a token, row by row."""

    name = "tokens"
    arguments = ()
    stored, buffer = False, "view"

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_map(self.name, x)
        return Shape(x.positions, x.channels)


class ClassToken(Rearrangement):
    """A learned token in front of the sequence (Devlin et al. 2018)."""

    name = "classtoken"
    arguments = ()

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        return Shape(x[0] + 1, x.channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", (inputs[0].channels,)),)


class PosEmbed(Pointwise):
    """A learned vector for each position of the sequence, added to its token: one addition per value.

    The table has a row for each token that arrives, so another input size needs other weights. With
    `places` it has so many rows, of which the first are added.
    """

    name = "posembed"
    arguments = (Argument("places", "size", "rows of the table, if not as many as tokens arrive", None),)

    places: Int | None

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        if self.places is not None:
            require(
                x[0] <= self.places,
                "{tokens} tokens for a table of {places} places",
                "places",
                tokens=x[0],
                places=self.places,
            )
        return x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        places = inputs[0][0] if self.places is None else self.places
        return (Weight("position", (places, inputs[0].channels)),)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("additions", (values_of(inputs[0]),)),)

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING


class Token(Rearrangement):
    """One token of the sequence, as a vector."""

    name = "token"
    arguments = (Argument("index", "offset", "which one, from 0"),)

    index: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        require(
            self.index < x[0],
            "token {index} of {count}, counted from 0",
            "index",
            index=self.index,
            count=x[0],
        )
        return Shape(1, 1, x.channels)


class Transpose(Rearrangement):
    """Tokens become channels, and channels tokens, for the token mixing of MLP-Mixer."""

    name = "transpose"
    arguments = ()

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        return Shape(x.channels, x[0])

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


def sequence(name: str, x: Shape) -> Shape:
    """Return `x`, which has to be a sequence.

    Raises:
        ShapeError: it is a map, a volume or a vector.
    """
    require(
        x.is_sequence,
        "`{name}` takes a sequence of tokens, not {x}",
        help=lambda name, x: "`tokens` makes a sequence of a map",
        name=name,
        x=x,
    )
    return x
