"""Count what attention operators share: projections, scores of pairs, weighted sums of values."""

from __future__ import annotations

from archcalc.arithmetic import product, require
from archcalc.operators.argument import Argument
from archcalc.operators.kept import OF_WEIGHTS, OUTPUT, Intermediate, KeepRule, KeepRules
from archcalc.operators.model import Extent, Weight, Work, sums_of_products
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

HEADS = Argument("heads", "size", "heads; they divide the channels")
Factors = tuple[tuple[str, Int], ...]


class Projection(NamedTuple):
    """Linear layers of one size, one for each of `names`: they map a token's channels to outputs."""

    names: tuple[str, ...]
    tokens: Factors
    channels: Int
    outputs: Int

    def weights(self, biased: bool) -> tuple[Weight, ...]:
        own = [Weight("weight", (self.channels, self.outputs), f"{name}.weight") for name in self.names]
        terms = [Weight("bias", (self.outputs,), f"{name}.bias") for name in self.names if biased]
        return (*own, *terms)

    def work(self, biased: bool) -> tuple[Work, ...]:
        count = len(self.names)
        many = (("projections", count),) if count > 1 else ()
        outputs = Extent("outputs", (*many, *self.tokens, ("channels", self.outputs)))
        products = Extent("products", (("channels", self.channels),))
        work = sums_of_products(outputs, products)
        return (*work, Work("additions", (outputs,))) if biased else work

    def links(self, biased: bool) -> Int:
        """Return the connections: one per product, and one per use of a bias."""
        tokens = product([size for _, size in self.tokens])
        return len(self.names) * tokens * self.outputs * (self.channels + biased)


class Scores(NamedTuple):
    """The loops over scores: for each window and head, of each query with each key."""

    windows: Factors
    heads: Int
    queries: Factors
    keys: Factors

    @property
    def extent(self) -> Extent:
        """The loop over all scores."""
        return Extent("scores", (*self.windows, ("heads", self.heads), *self.queries, *self.keys))


class Inside(NamedTuple):
    """The numbers of values of the tensors inside an attention operator.

    Attributes:
        projected: queries, keys and values, if it computes them.
        mixed: the weighted sums of values, if they are not its output.
    """

    projected: Int
    scores: Int
    mixed: Int


def divide_heads(heads: Int, channels: Int) -> None:
    """Refuse heads that do not divide the channels.

    Raises:
        ShapeError: they do not.
    """
    require(
        channels % heads == 0,
        "{heads} heads do not divide {channels} channels",
        "heads",
        heads=heads,
        channels=channels,
    )


def weights_of(projections: tuple[Projection, ...], biased: bool = True) -> tuple[Weight, ...]:
    """Return the weights of all projections."""
    return tuple(weight for each in projections for weight in each.weights(biased))


def project(projections: tuple[Projection, ...], biased: bool = True) -> tuple[Work, ...]:
    """Return the work of all projections."""
    return tuple(work for each in projections for work in each.work(biased))


def attend(scores: Scores, matched: Int, mixed: Int) -> tuple[Work, ...]:
    """Return the work of the scores of all pairs of tokens, their softmax, and the sums of values.

    Args:
        matched: the channels of all heads' queries, which are the products of a pair.
        mixed: the channels of all heads' sums of values.
    """
    pairs = Extent("pairs", (*scores.windows, *scores.queries, *scores.keys))
    outputs = Extent("outputs", (*scores.windows, *scores.queries, ("channels", mixed)))
    rows = Extent("rows", (*scores.windows, ("heads", scores.heads), *scores.queries))
    steps = Extent("steps", (("keys − 1", Extent("keys", scores.keys).size - 1),))
    return (
        Work("products", (pairs, Extent("products", (("channels", matched),))), of_values=True),
        Work("additions", (pairs, Extent("sums", (("channels − heads", matched - scores.heads),)))),
        Work("comparisons", (rows, steps)),
        Work("additions", (scores.extent,)),  # the largest is subtracted
        Work("additions", (rows, steps)),
        Work("exponentials", (scores.extent,)),
        Work("divisions", (scores.extent,)),
        *sums_of_products(outputs, Extent("products", scores.keys), of_values=True),
    )


def attended(
    inside: Inside, rows: Int, every: tuple[int, ...], ends: bool = False, projects: bool = True
) -> KeepRules:
    """Return the rules of what an attention operator keeps of its intermediate tensors.

    A plain kernel keeps the softmax of all scores. A fused one keeps a statistic of each row of scores
    and the sums of values, and computes the softmax again.

    Args:
        rows: the number of queries of all heads and windows.
        every: all derivatives of the operator.
        ends: whether the sums of values are its output.
        projects: whether it computes queries, keys and values.
    """
    mixed: int | Intermediate = OUTPUT if ends else Intermediate("mixed values", inside.mixed)
    return (
        *((KeepRule(Intermediate("q, k, v", inside.projected), every),) if projects else ()),
        *(() if ends else (KeepRule(mixed, OF_WEIGHTS),)),
        KeepRule(Intermediate("softmax", inside.scores), every, "plain"),
        KeepRule(Intermediate("statistics", rows, sums=True), every, "fused"),
        KeepRule(mixed, every, "fused"),
    )
