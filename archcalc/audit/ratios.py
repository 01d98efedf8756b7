"""Find the two counts behind a ratio in print ('55%', '2.78x', '12x fewer'), likely pairs first.

>>> from archcalc.audit.neighbor import Neighbor
>>> from archcalc.spec import catalog
>>> inception = Neighbor(catalog.find("inception"), {})
>>> (best,) = found(inception, parse("9.68x")).matches
>>> best.pair.first.name, best.pair.second.name
('5x5', '5x5 of inception:bottleneck=16')
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations, groupby, takewhile
from math import log, prod
from typing import Literal

from archcalc.audit.facts import COUNTS, by_kernel, by_operator, by_path, multiplied
from archcalc.audit.figure import Figure
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.neighbors import remembered
from archcalc.audit.search import LEAST_CHANCE
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.operators.convolution import Conv
from archcalc.spec import catalog
from archcalc.tuples import NamedTuple
from archcalc.units import printable

TEXT = re.compile(
    r"(?P<number>[~≈]?\s*[\d.,]+)\s*(?P<unit>%|percent|x|×|times)(?P<word>[a-z\s]*)", re.IGNORECASE
)
FEWER = {"fewer", "less", "saved", "saving", "reduction", "cheaper", "smaller"}
MORE = {"more", "larger", "bigger"}
OF = {
    **dict.fromkeys(("parameters", "params", "weights"), "parameters"),
    **dict.fromkeys(("multiplies", "macs", "flops", "operations", "computation"), "multiplies"),
}
WITHOUT_MEANING = {"as", "many", "of", "the", "all"}
A_CHANNEL = "weights a filter and channel"
COMPARED = ("alexnet", "alexnet_single", "vgg16", "googlenet", "resnet50")  # papers compare with these
KERNELS, WHOLES, KINDS, TWINS, OTHERS, PARTS, FAR = range(
    7
)  # the fewer the pairs, the more a match says


Form = Literal["times", "share", "saved", "more"]


class Ratio(NamedTuple):
    """A ratio as printed: to its place, `percent` or times, fewer or more (`word`) of a `quantity`."""

    text: str
    figure: Figure
    percent: bool
    word: str
    quantity: str


class NamedCount(NamedTuple):
    """A count and the name of what it counts: '5x5', 'linear layers'."""

    name: str
    value: int


class Pair(NamedTuple):
    """Two counts of one quantity, and how far the search goes for them."""

    quantity: str
    first: NamedCount
    second: NamedCount
    rank: int

    def turned(self, ratio: Ratio) -> bool:
        """Return whether the first has more, though it should have fewer, or the other way."""
        return bool(ratio.word) and (self.first.value < self.second.value) != (ratio.word == "fewer")


class PairMatch(NamedTuple):
    """A pair with such a ratio: `value` is the larger divided by the smaller, or as `form` says."""

    pair: Pair
    value: Fraction
    how: str
    form: Form


class FoundPairs(NamedTuple):
    """The pairs that have the ratio, the number tried, and the number expected by chance.

    `doubtful` are pairs that chance alone explains as well; `reversed` are other networks that have the
    ratio, but are the ones with fewer where the network should have fewer.
    """

    matches: tuple[PairMatch, ...]
    doubtful: tuple[PairMatch, ...]
    tried: int
    chance: float
    reversed: tuple[PairMatch, ...] = ()


def is_ratio(text: str) -> bool:
    """Return whether a text is a ratio, not a count."""
    found = TEXT.fullmatch(text.strip())
    known = FEWER | MORE | OF.keys() | WITHOUT_MEANING
    return found is not None and set(found["word"].lower().split()) <= known


def parse(text: str) -> Ratio:
    """Parse '55%', '2.78x', '12 times fewer', '89.7% less'.

    Raises:
        UsageError: the text is no ratio of two counts.
    """
    found = TEXT.fullmatch(text.strip())
    if found is None or not re.search("[1-9]", found["number"]):
        help = "as in 55%, 2.78x, 12x fewer parameters"
        raise UsageError(Diagnostic(f"`{printable(text)}` is no ratio of two counts", help=help))
    percent = found["unit"].lower() in ("%", "percent")
    figure = Figure.of(f"{found['number'].replace(' ', '')}{'%' if percent else ''}")
    words = set(found["word"].lower().split())
    word = "fewer" if words & FEWER else "more" if words & MORE else ""
    quantity = next((OF[name] for name in words if name in OF), "")
    return Ratio(text.strip(), figure._replace(whole=False), percent, word, quantity)


def found(network: Neighbor, ratio: Ratio) -> FoundPairs:
    """Return the pairs of counts of the network that have the ratio.

    Raises:
        ArchError: the named network cannot be built.
    """
    return among(_pairs(network), ratio)


def among(candidates: Iterable[Pair], ratio: Ratio) -> FoundPairs:
    """Return those of the pairs that have the ratio."""
    matches: dict[tuple[int, int], PairMatch] = {}
    tried: set[Fraction] = set()
    believed = set[int]()  # ranks
    for rank, pairs in groupby(sorted(candidates, key=_rank), key=_rank):
        for pair in (pair for pair in pairs if _asked(pair, ratio)):
            for value, form in _values(pair, ratio):
                tried.add(value)
                if how := ratio.figure.agrees(value, ratio.figure.scales[0]):
                    match = PairMatch(pair, value, how, form)
                    matches.setdefault((pair.first.value, pair.second.value), match)
        if rank <= KINDS or _by_chance(tried, ratio.figure) <= LEAST_CHANCE:
            believed.add(rank)
    ranked = sorted(
        matches.values(), key=lambda m: (m.pair.rank, m.how == "truncates", m.form == "saved")
    )
    wrong = tuple(m for m in ranked if m.pair.rank == OTHERS and m.pair.turned(ratio))
    right = [match for match in ranked if match not in wrong]
    kept = tuple(match for match in right if match.pair.rank in believed)
    doubtful = tuple(match for match in right if match.pair.rank not in believed)
    return FoundPairs(kept, doubtful, len(tried), _by_chance(tried, ratio.figure), wrong)


def _rank(pair: Pair) -> int:
    return pair.rank


def _asked(pair: Pair, ratio: Ratio) -> bool:
    """Return whether the pair compares what is asked for: whole networks with fewer or more."""
    one, two = pair.first.value, pair.second.value
    of = "parameters" if pair.quantity == "weights" else pair.quantity
    shared = pair.rank == KINDS and (not ratio.percent or ratio.word)  # a kind has a share, no more
    wanted = ratio.quantity in ("", of) and not (ratio.word and pair.rank >= PARTS) and not shared
    return bool(one and two) and one != two and wanted


def _values(pair: Pair, ratio: Ratio) -> Iterator[tuple[Fraction, Form]]:
    """Yield the numbers that may be printed for a pair: a multiple, a share, a saving."""
    large, small = max(pair.first.value, pair.second.value), min(pair.first.value, pair.second.value)
    if not ratio.percent:
        yield Fraction(large, small), "times"
        if ratio.figure.number < 1:
            yield Fraction(small, large), "share"
        return
    if ratio.word == "more":
        yield Fraction(large - small, small), "more"
        return
    if not ratio.word:
        yield Fraction(small, large), "share"
        if ratio.figure.number > 1:
            yield Fraction(large, small), "times"
    if ratio.word or (pair.rank <= TWINS and pair.rank != KINDS):
        yield Fraction(large - small, large), "saved"


def _by_chance(tried: set[Fraction], figure: Figure) -> float:
    """Return how many ratios would match if those within a factor of two were spread evenly."""
    low, high = figure.number - figure.place / 2, figure.number + figure.place
    near = sum(low < 2 * value and value < 2 * high for value in tried)
    return near * log(high / low, 4) if low > 0 else float(near)


def _pairs(network: Neighbor) -> Iterator[Pair]:
    yield from _kernels(network)
    yield from _shares(network)
    yield from _by_kernel(network)
    yield from _of_neighbors(network)
    yield from _of_others(network)


def _shares(network: Neighbor) -> Iterator[Pair]:
    for quantity, count in COUNTS.items():
        whole = sum(count(layer) for layer in network.analysis.layers)
        operators = by_operator(network.analysis, count)
        kinds = {f"{operator} layers": value for operator, value in operators.items()}
        yield from shares(quantity, kinds, by_path(network.analysis, count), whole, "/")


def _by_kernel(network: Neighbor) -> Iterator[Pair]:
    """Yield the convs of each kernel, and linear layers, against the whole; of weights, too."""
    for quantity, count in {**COUNTS, "weights": multiplied}.items():
        kinds = by_kernel(network.analysis, count)
        whole = NamedCount("all", kinds.total())
        for kind, value in kinds.items():
            yield Pair(quantity, NamedCount(kind, value), whole, KINDS)


def shares(
    quantity: str, kinds: Mapping[str, int], blocks: Mapping[str, int], total: int, separator: str
) -> Iterator[Pair]:
    """Yield kinds of layers, blocks and layers against the whole, then blocks against blocks."""
    whole = NamedCount("all", total)
    for kind, value in kinds.items():
        yield Pair(quantity, NamedCount(kind, value), whole, WHOLES)
    for path, value in blocks.items():
        yield Pair(quantity, NamedCount(path, value), whole, FAR if separator in path else PARTS)
    highest = [NamedCount(path, n) for path, n in blocks.items() if separator not in path]
    for first, second in combinations(highest, 2):
        yield Pair(quantity, first, second, FAR)


def _of_neighbors(network: Neighbor) -> Iterator[Pair]:
    """Yield the whole, and its blocks, against those of networks one change away."""
    for quantity, count in COUNTS.items():
        own = by_path(network.analysis, count)
        whole = sum(count(layer) for layer in network.analysis.layers)
        near = takewhile(lambda neighbor: neighbor.steps < 2, remembered(network))
        for other in sorted(near, key=lambda neighbor: neighbor.entry.name != network.entry.name):
            theirs = by_path(other.analysis, count)
            total = sum(count(layer) for layer in other.analysis.layers)
            first, second = (
                NamedCount("all", whole),
                NamedCount(f"all of {other.name}", total),
            )
            yield Pair(quantity, first, second, WHOLES)
            for path in sorted(own.keys() & theirs.keys()) if other.input == network.input else ():
                if "/" not in path:
                    first = NamedCount(path, own[path])
                    second = NamedCount(f"{path} of {other.name}", theirs[path])
                    yield Pair(quantity, first, second, TWINS)


def _kernels(network: Neighbor) -> Iterator[Pair]:
    """Yield a kernel against another, and a stack of equal convs against one conv of the same field."""
    operators = [layer.node.operator for layer in network.analysis.layers]
    kernels = [tuple(map(int, o.k)) for o in operators if isinstance(o, Conv)]
    sizes = list(dict.fromkeys(kernels))
    for first, second in combinations(sizes, 2):
        yield Pair(A_CHANNEL, _kernel(first), _kernel(second), KERNELS)
    runs = [(size, len(list(same))) for size, same in groupby(kernels)]
    for sides in sizes:
        longest = max(length for size, length in runs if size == sides)
        for stacked in range(2, min(longest, 3) + 1):
            field = tuple(stacked * (side - 1) + 1 for side in sides)
            says = f"{stacked} convs {'×'.join(map(str, sides))}"
            yield Pair(A_CHANNEL, NamedCount(says, stacked * prod(sides)), _kernel(field), KERNELS)


def _kernel(size: tuple[int, ...]) -> NamedCount:
    return NamedCount(f"a conv {'×'.join(map(str, size))}", prod(size))


def _of_others(network: Neighbor) -> Iterator[Pair]:
    """Yield the whole against networks that are often compared with."""
    for name in COMPARED:
        if name == network.entry.name:
            continue
        try:
            other = Neighbor(catalog.find(name), {})
            layers = other.analysis.layers
        except ArchError:
            continue
        for quantity, count in COUNTS.items():
            own = NamedCount("all", sum(map(count, network.analysis.layers)))
            total = NamedCount(f"all of {name}", sum(map(count, layers)))
            yield Pair(quantity, own, total, OTHERS)
