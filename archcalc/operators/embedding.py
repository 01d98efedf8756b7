"""Embeddings: tables of learned vectors, output heads tied to them, and fixed position embeddings."""

from __future__ import annotations

from archcalc.arithmetic import require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import (
    INPUT_FOR_WEIGHTS,
    NOTHING,
    OF_WEIGHTS,
    Intermediate,
    KeepRule,
    KeepRules,
)
from archcalc.operators.model import (
    FREE,
    UNWEIGHTED,
    Extent,
    Geometry,
    Operator,
    Weight,
    Work,
    sums_of_products,
    values_of,
)
from archcalc.operators.normalization import Pointwise
from archcalc.operators.shape import Shape
from archcalc.operators.tokens import sequence
from archcalc.symbols import Int


class Embedding(Operator):
    """A learned vector for each word: an id is replaced by its row of the table.

    Parameters: words × channels. A lookup multiplies nothing. Ids are integers from 0, one per position;
    an input of ids is filled with seeded ones, unless `run --image FILE.npy` gives others.
    """

    name = "embedding"
    arguments = (
        Argument("words", "size", "rows of the table: ids are 0 … words − 1"),
        Argument("channels", "size", "values of a vector"),
    )
    weight_layer, stored, buffer = 0, True, "fresh"

    words: Int
    channels: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require(
            x.channels == 1,
            "`{name}` takes an id a place, not {x}",
            help=lambda name, x: (
                'ids have one channel: `input = "128x1"`, or `slice 1 from=2` of several'
            ),
            name=self.name,
            x=x,
        )
        return x.of(self.channels)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", (self.words, self.channels)),)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return FREE

    def connections(self, *inputs: Shape) -> Int:
        return 0

    def kept(self, *inputs: Shape) -> KeepRules:
        return (KeepRule(Intermediate("ids", inputs[0].values, self.words), OF_WEIGHTS),)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Unembed(Operator):
    """An output head tied to an embedding: a score for each position and word (Press & Wolf 2017).

    It is a linear layer without a bias, whose weights are the embedding's table: it has no parameters of
    its own. Multiplies: positions × words × channels. `@tok` is the label of the embedding.
    """

    name = "unembed"
    arguments = (Argument("words", "size", "rows of the table, those of the embedding", None),)
    labels, tied = (1, 1), ("words",)
    weight_layer, stored, buffer = 1, True, "fresh"

    words: Int

    def __str__(self) -> str:
        return self.name  # the label gives the words

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0].of(self.words)

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return (Weight("weight", (self.words, inputs[0].channels)),)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        outputs = Extent("outputs", (*x.named, ("words", self.words)))
        return sums_of_products(outputs, Extent("products", (("channels", x.channels),)))

    def connections(self, *inputs: Shape) -> Int:
        return inputs[0].values * self.words

    def kept(self, *inputs: Shape) -> KeepRules:
        return INPUT_FOR_WEIGHTS

    def geometry(self, *inputs: Shape) -> Geometry:
        return "pointwise"


class Sinusoid(Pointwise):
    """Fixed waves added to a sequence, one wavelength for each pair of channels (Vaswani et al. 2017).

    At position p, sin(p / 10000^(2i/channels)) is added to channel 2i, and the cosine to channel 2i + 1:
    one addition per value. The table is not learned, so it has no parameters; making it is not counted.
    """

    name = "sinusoid"

    def output_shape(self, *inputs: Shape) -> Shape:
        return sequence(self.name, inputs[0])

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return UNWEIGHTED

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        return (Work("additions", (values_of(inputs[0]),)),)

    def kept(self, *inputs: Shape) -> KeepRules:
        return NOTHING
