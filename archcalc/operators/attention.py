"""Self-attention: every token is a weighted sum of all, weighted by how well they match."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.arithmetic import ceil_div, minimum, require
from archcalc.operators.argument import Argument
from archcalc.operators.model import (
    Extent,
    Geometry,
    Grid,
    Operator,
    Weight,
    Work,
    require_map,
    sums_of_products,
)
from archcalc.operators.shape import Shape
from archcalc.operators.tokens import sequence
from archcalc.symbols import Int

HEADS = Argument("heads", "size", "heads; they divide the channels")
Factors = tuple[tuple[str, Int], ...]


class Scores(NamedTuple):
    """How well each query matches each key, in each window and for each head."""

    windows: Factors
    heads: Int
    queries: Factors
    keys: Factors

    @property
    def extent(self) -> Extent:
        return Extent("scores", (*self.windows, ("heads", self.heads), *self.queries, *self.keys))


class Inside(NamedTuple):
    """Values that are made inside an attention.

    `each`: of the queries, of the keys, of the values, and of what is mixed from them.
    """

    each: Int
    scores: Int


class Attention(Operator):
    """Multi-head self-attention with biases (Vaswani et al. 2017).

    n tokens of d channels: four projections (query, key, value, output) of n·d·d multiplies, n·n·d for
    the scores of all pairs and n·n·d for the weighted sums of values, whatever the number of heads. A
    softmax over the n keys for each head and query. The factor 1/√(d/heads) belongs to the query's
    weights. What is inside (projections, scores) is no map of the memory figures unless asked for.
    """

    name = "attention"
    arguments = (HEADS,)
    weight_layer, stored, buffer = 2, True, "fresh"

    heads: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        x = sequence(self.name, inputs[0])
        _divide_heads(self.heads, x.channels)
        return x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        return _projections(inputs[0].channels)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        queries, keys = ("queries", x[0]), ("keys", x[0])
        scores = Scores((), self.heads, (queries,), (keys,))
        return *_project((("tokens", x[0]),), x.channels), *_attend(scores, x.channels)

    def inside(self, x: Shape) -> Inside:
        return Inside(x.values, self.heads * x[0] * x[0])

    def connections(self, *inputs: Shape) -> Int:
        (x,) = inputs
        return 4 * x.values * (x.channels + 1)

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"


class WindowAttention(Operator):
    """Self-attention among the positions of each window of a map (Swin: Liu et al. 2021).

    As `attention` with n = window · window in each of the windows, which cover the map side by side;
    positions of the last ones beyond the map are zeros, and count. A learned bias for each head and
    relative place is added to every score. `shift` moves the grid, and costs nothing: the map is rolled,
    and what meets in a window from two sides of it does not attend to each other, though its scores are
    computed. Nothing moves where one window spans the map.
    """

    name = "windowattention"
    arguments = (
        HEADS,
        Argument("window", "size", "height and width of the windows"),
        Argument("shift", "offset", "moves the grid of windows down and across", 0),
    )
    weight_layer, stored, buffer = 2, True, "fresh"

    heads: Int
    window: Int
    shift: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        _require_plane(self.name, x)
        _divide_heads(self.heads, x.channels)
        require(
            self.shift < self.window,
            "a shift of {shift} is no less than the window of {window}",
            "shift",
            shift=self.shift,
            window=self.window,
        )
        return x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        places = 2 * self.window - 1
        return (*_projections(inputs[0].channels), Weight("position", (places, places, self.heads)))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        windows = (("windows", self._windows(x)),)
        tokens = (("window height", self.window), ("window width", self.window))
        scores = Scores(windows, self.heads, tokens, tokens)
        biases = Work("additions", (scores.extent,))
        return *_project((*windows, *tokens), x.channels), *_attend(scores, x.channels), biases

    def inside(self, x: Shape) -> Inside:
        positions, tokens = self._windows(x) * self.window * self.window, self.window * self.window
        return Inside(positions * x.channels, self.heads * positions * tokens)

    def connections(self, *inputs: Shape) -> Int:
        (x,) = inputs
        positions = self._windows(x) * self.window * self.window
        return 4 * positions * x.channels * (x.channels + 1)

    def geometry(self, *inputs: Shape) -> Geometry:
        down, across = (
            minimum(self.shift, (count - 1) * self.window) for count in self._grid(inputs[0])
        )
        return Grid((self.window, self.window), (down, across))

    def _windows(self, x: Shape) -> Int:
        down, across = self._grid(x)
        return down * across

    def _grid(self, x: Shape) -> tuple[Int, Int]:
        return ceil_div(x.height, self.window), ceil_div(x.width, self.window)


def _require_plane(name: str, x: Shape) -> None:
    require_map(name, x)
    require(x.rank == 2, "`{name}` takes a map, not the volume {x}", name=name, x=x)


def _divide_heads(heads: Int, channels: Int) -> None:
    require(
        channels % heads == 0,
        "{heads} heads do not divide {channels} channels",
        "heads",
        heads=heads,
        channels=channels,
    )


def _projections(channels: Int) -> tuple[Weight, ...]:
    return Weight("weight", (4, channels, channels)), Weight("bias", (4, channels))


def _project(tokens: Factors, channels: Int) -> tuple[Work, ...]:
    """Query, key, value and output: a linear layer each."""
    outputs = Extent("outputs", (("projections", 4), *tokens, ("channels", channels)))
    products = Extent("products", (("channels", channels),))
    return *sums_of_products(outputs, products), Work("additions", (outputs,))


def _attend(scores: Scores, channels: Int) -> tuple[Work, ...]:
    """Scores of all pairs of tokens, their softmax, and the sums of values, in each window.

    A head has channels / heads channels, so that all heads together make a product a channel.
    """
    pairs = Extent("pairs", (*scores.windows, *scores.queries, *scores.keys))
    outputs = Extent("outputs", (*scores.windows, *scores.queries, ("channels", channels)))
    rows = Extent("rows", (*scores.windows, ("heads", scores.heads), *scores.queries))
    steps = Extent("steps", (("keys − 1", Extent("keys", scores.keys).size - 1),))
    return (
        Work("products", (pairs, Extent("products", (("channels", channels),)))),
        Work("additions", (pairs, Extent("sums", (("channels − heads", channels - scores.heads),)))),
        Work("comparisons", (rows, steps)),
        Work("additions", (scores.extent,)),  # the largest is subtracted
        Work("additions", (rows, steps)),
        Work("exponentials", (scores.extent,)),
        Work("divisions", (scores.extent,)),
        *sums_of_products(outputs, Extent("products", scores.keys)),
    )
