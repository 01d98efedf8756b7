"""Attention: each output token is a sum of all tokens' values, weighted by scores of query and key."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import ceil_div, minimum, require
from archcalc.errors import ShapeError
from archcalc.operators.argument import Argument
from archcalc.operators.heads import (
    HEADS,
    Inside,
    Projection,
    Scores,
    attend,
    attended,
    divide_heads,
    project,
    weights_of,
)
from archcalc.operators.kept import INPUT_FOR_WEIGHTS, OF_BOTH, OF_WEIGHTS, WEIGHTS, KeepRule, KeepRules
from archcalc.operators.model import Extent, Geometry, Grid, Operator, Weight, Work, require_map
from archcalc.operators.shape import Shape
from archcalc.operators.tokens import sequence
from archcalc.operators.window import NOBIAS
from archcalc.symbols import Int

KEY, VALUE = 1, 2  # beside the query, 0
_AS_THEY_ARRIVE = "`bare` takes queries, keys and values as they arrive: heads × channels of a head"


class Attention(Operator):
    """Multi-head attention of a sequence to itself, or to the sequence of a label (Vaswani et al. 2017).

    Multiplies for n tokens of d channels: n·d·d for each of four projections (query, key, value,
    output), n·n·d for the scores of all pairs, and n·n·d for the weighted sums of values, whatever the
    number of heads. A softmax runs over the n keys of each head and query. The factor 1/√(d/heads) is
    part of the query's weights. Memory figures leave out the tensors inside, unless asked for.

    `@memory`: its m tokens give the keys and values: m·d·d multiplies for each, n·m·d for the scores and
    for the sums. Of two labels, the first gives the keys, the second the values. `kv=8` sets the number
    of heads of keys and values; each serves equally many heads of queries. `head=64` sets the channels
    of a head, instead of d / heads. `bare`: the inputs are queries, keys and values, without
    projections; the factor of the scores then takes one multiply per value of the queries.

    `causal` and `window=N` mask scores: they set them to −∞. Masked scores are computed, so they count;
    a kernel that skips them computes n·(n + 1)/2 of the n·n pairs under `causal`. `relative=N` adds to
    each score a learned bias for its head and distance from −N to N; those farther apart share the last.
    `rotary` rotates queries and keys by their positions (Su et al. 2021), with the halves of a head as
    pairs: 2 multiplies and one addition per value. Its table of angles is not learned.
    """

    name = "attention"
    arguments = (
        HEADS,
        Argument("kv", "size", "heads of keys and values, if fewer", None),
        Argument("head", "size", "channels of a head, if not channels / heads", None),
        Argument("causal", "flag", "no token attends to later ones", False),
        Argument("window", "size", "a token attends to those less than so many positions away", None),
        Argument("relative", "size", "a learned bias for each distance up to so many positions", None),
        Argument("rotary", "flag", "rotary position embedding of queries and keys", False),
        Argument("base", "size", "base of the angles of `rotary`", 10000),
        NOBIAS,
        Argument("noout", "flag", "no output projection", False),
        Argument("bare", "flag", "no projections: the inputs are queries, keys, values", False),
    )
    labels = (0, 2)
    weight_layer, stored, buffer = 2, True, "fresh"

    heads: Int
    kv: Int | None
    head: Int | None
    causal: bool
    window: Int | None
    relative: Int | None
    rotary: bool
    base: Int
    nobias: bool
    noout: bool
    bare: bool

    def __init__(self, *required: Any, **optional: Any) -> None:
        super().__init__(*required, **optional)
        self.weight_layer = 0 if self.bare else 1 if self.noout else 2
        for name in ("nobias", "noout", "head") if self.bare else ():
            if getattr(self, name):
                raise ShapeError(f"`bare` has no projections: leave `{name}` out", name)
        if "base" in optional and not self.rotary:
            raise ShapeError("`base` is that of `rotary`, which is not there", "base")

    def output_shape(self, *inputs: Shape) -> Shape:
        x, keys, values = self._sources(*inputs)
        for source in inputs:
            sequence(self.name, source)
        self._require_heads(x, keys, values)
        require(
            keys[0] == values[0],
            "{keys} keys for {values} values",
            help=lambda keys, values: "keys and values are of the same tokens",
            keys=keys[0],
            values=values[0],
        )
        if self.causal or self.window is not None or self.relative is not None:
            word = "causal" if self.causal else "window" if self.window is not None else "relative"
            require(
                keys[0] == x[0],
                "`{word}` compares places: {queries} queries, {keys} keys",
                word,
                lambda word, queries, keys: "with another sequence as memory, leave it out",
                word=word,
                queries=x[0],
                keys=keys[0],
            )
        return x.of(self._mixed(*inputs)) if self.bare or self.noout else x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        own = weights_of(self._projections(*inputs), not self.nobias)
        places = () if self.relative is None else ((2 * self.relative + 1, self.heads),)
        return *own, *(Weight("position", shape) for shape in places)

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        x, keys, _ = self._sources(*inputs)
        scores = Scores((), self.heads, (("queries", x[0]),), (("keys", keys[0]),))
        matched, mixed = self._matched(*inputs), self._mixed(*inputs)
        work = [*project(self._projections(*inputs), not self.nobias), *attend(scores, matched, mixed)]
        queries = Extent("queries", (("tokens", x[0]), ("channels", matched)))
        if self.bare:
            work.append(Work("multiplies", (queries,)))  # by 1/√(channels of a head)
        if self.rotary:
            turned = Extent("keys", (("tokens", keys[0]), ("channels", self._keys(*inputs))))
            for extent in (queries, turned):
                work += [Work("multiplies", (extent,), 2), Work("additions", (extent,))]
        if self.relative is not None:
            work.append(Work("additions", (scores.extent,)))
        return tuple(work)

    def inside(self, *inputs: Shape) -> Inside:
        x, keys, _ = self._sources(*inputs)
        scores, mixed = self.heads * x[0] * keys[0], x[0] * self._mixed(*inputs)
        if self.bare:
            return Inside(0, scores, 0)
        projected = x[0] * self._matched(*inputs) + 2 * keys[0] * self._keys(*inputs)
        return Inside(projected, scores, 0 if self.noout else mixed)

    def kept(self, *inputs: Shape) -> KeepRules:
        numbers = range(len(inputs))
        every, inside = (*numbers, WEIGHTS), self.inside(*inputs)
        kept = attended(inside, self.heads * inputs[0][0], every, self.bare or self.noout, not self.bare)
        return *(KeepRule(i, every if self.bare else OF_WEIGHTS) for i in numbers), *kept

    def connections(self, *inputs: Shape) -> Int:
        return sum(each.links(not self.nobias) for each in self._projections(*inputs))

    def geometry(self, *inputs: Shape) -> Geometry:
        return "global"

    def _projections(self, *inputs: Shape) -> tuple[Projection, ...]:
        if self.bare:
            return ()
        x, keys, values = self._sources(*inputs)
        d, tokens = x.channels, (("tokens", x[0]),)
        if len(inputs) == 1 and self.kv is None and self.head is None:
            names = ("query", "key", "value", *(() if self.noout else ("output",)))
            return (Projection(names, tokens, d, d),)
        matched, width, others = self._matched(*inputs), self._keys(*inputs), (("tokens", keys[0]),)
        made = [Projection(("query",), tokens, d, matched)]
        if len(inputs) < 3:
            made.append(Projection(("key", "value"), others, keys.channels, width))
        else:
            made.append(Projection(("key",), others, keys.channels, width))
            made.append(Projection(("value",), others, values.channels, width))
        if not self.noout:
            made.append(Projection(("output",), tokens, matched, d))
        return tuple(made)

    def _sources(self, *inputs: Shape) -> tuple[Shape, Shape, Shape]:
        """Return the inputs that give queries, keys and values."""
        return inputs[0], inputs[min(KEY, len(inputs) - 1)], inputs[min(VALUE, len(inputs) - 1)]

    def _require_heads(self, x: Shape, keys: Shape, values: Shape) -> None:
        if self.head is None:
            divide_heads(self.heads, x.channels)
        kv, width = self.kv, x.channels // self.heads if self.head is None else self.head
        if kv is not None:
            message = "{kv} heads of keys and values do not divide {heads} heads"
            require(self.heads % kv == 0, message, "kv", kv=kv, heads=self.heads)
        if self.rotary:
            message = "`rotary` turns pairs of channels: a head of {width} leaves one"
            help = "`head` sets the channels of a head"
            require(width % 2 == 0, message, "rotary", lambda width: help, width=width)
        if self.bare:
            kv = self.heads if kv is None else kv
            require(
                keys.channels == kv * width,
                "keys of {channels} channels for {kv} heads of {width}",
                help=lambda channels, kv, width: _AS_THEY_ARRIVE,
                channels=keys.channels,
                kv=kv,
                width=width,
            )
            require(
                values.channels % kv == 0,
                "values of {channels} channels for {kv} heads",
                help=lambda channels, kv: _AS_THEY_ARRIVE,
                channels=values.channels,
                kv=kv,
            )

    def _matched(self, *inputs: Shape) -> Int:
        """Return the channels of all heads' queries."""
        return inputs[0].channels if self.head is None else self.heads * self.head

    def _keys(self, *inputs: Shape) -> Int:
        """Return the channels of all heads' keys."""
        matched = self._matched(*inputs)
        return matched if self.kv is None else self.kv * (matched // self.heads)

    def _mixed(self, *inputs: Shape) -> Int:
        """Return the channels of all heads' sums of values."""
        if not self.bare:
            return self._matched(*inputs)
        values = self._sources(*inputs)[VALUE].channels
        return values if self.kv is None else self.heads * (values // self.kv)


class WindowAttention(Operator):
    """Self-attention among the positions of each window of a map (Swin: Liu et al. 2021).

    Counted as `attention` with n = window · window tokens in each window. The windows tile the map; the
    positions of the last ones beyond it are zeros, and count. A learned bias for each head and relative
    position is added to every score. `shift` moves the grid of windows at no cost: the map is rolled.
    Positions that meet in a window from opposite sides of the map do not attend to each other, though
    their scores are computed. Nothing moves along an axis that one window spans.
    """

    name = "windowattention"
    arguments = (
        HEADS,
        Argument("window", "size", "height and width of the windows"),
        Argument("shift", "offset", "moves the grid of windows down and right", 0),
    )
    weight_layer, stored, buffer = 2, True, "fresh"

    heads: Int
    window: Int
    shift: Int

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        require_map(self.name, x)
        require(x.rank == 2, "`{name}` takes a map, not the volume {x}", name=self.name, x=x)
        divide_heads(self.heads, x.channels)
        message = "a shift of {shift} is no less than the window of {window}"
        fits = self.shift < self.window
        require(fits, message, "shift", shift=self.shift, window=self.window)
        return x

    def weights(self, *inputs: Shape) -> tuple[Weight, ...]:
        places = 2 * self.window - 1
        return *weights_of(self._projections(*inputs)), Weight("position", (places, places, self.heads))

    def work(self, *inputs: Shape) -> tuple[Work, ...]:
        (x,) = inputs
        tokens = (("window height", self.window), ("window width", self.window))
        scores = Scores((("windows", self._windows(x)),), self.heads, tokens, tokens)
        biases = Work("additions", (scores.extent,))
        return *project(self._projections(x)), *attend(scores, x.channels, x.channels), biases

    def inside(self, *inputs: Shape) -> Inside:
        (x,) = inputs
        positions, tokens = self._windows(x) * self.window * self.window, self.window * self.window
        each = positions * x.channels
        return Inside(3 * each, self.heads * positions * tokens, each)

    def kept(self, *inputs: Shape) -> KeepRules:
        (x,) = inputs
        rows = self.heads * self._windows(x) * self.window * self.window
        return *INPUT_FOR_WEIGHTS, *attended(self.inside(x), rows, OF_BOTH)

    def connections(self, *inputs: Shape) -> Int:
        return sum(each.links(True) for each in self._projections(*inputs))

    def geometry(self, *inputs: Shape) -> Geometry:
        down, across = (
            minimum(self.shift, (count - 1) * self.window) for count in self._grid(inputs[0])
        )
        return Grid((self.window, self.window), (down, across))

    def _projections(self, *inputs: Shape) -> tuple[Projection, ...]:
        (x,) = inputs
        sides = (("window height", self.window), ("window width", self.window))
        tokens = (("windows", self._windows(x)), *sides)
        return (Projection(("query", "key", "value", "output"), tokens, x.channels, x.channels),)

    def _windows(self, x: Shape) -> Int:
        down, across = self._grid(x)
        return down * across

    def _grid(self, x: Shape) -> tuple[Int, Int]:
        return ceil_div(x.height, self.window), ceil_div(x.width, self.window)
