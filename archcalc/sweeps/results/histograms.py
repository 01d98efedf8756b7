"""Compute the spread of a directory's rows over one or two metrics, part by part.

The extents were counted while the rows were written; one pass over the parts, on all cores, counts
per bin. Memory does not grow with the rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import expm1, isqrt, log, log1p
from typing import Any, Literal

from archcalc.errors import Diagnostic, UsageError
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.results.parts import POINT
from archcalc.sweeps.results.store import Store, on_all_cores
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

Scale = Literal["auto", "log", "linear"]

FEW = 20_000  # the most rows that are drawn as points instead of cells
MOST_DRAWN = 10_000  # the most points of a front that are drawn
FINEST = 160  # the most cells per side
_WIDE = 20  # a range this many times its minimum is shown in equal ratios, not equal steps
_FULL = 4  # possible values in the smallest bin of equal ratios; fewer would make stripes


class Bins(NamedTuple):
    """Bins of integers: bin i holds those from edges[i] to edges[i + 1] − 1.

    `step` divides the differences of all integers.
    """

    edges: tuple[int, ...]
    step: int
    log: bool

    @property
    def ends(self) -> list[int]:
        """Return the largest value that each bin can hold."""
        return [edge - self.step for edge in self.edges[1:]]


class Histogram(NamedTuple):
    """Counts of rows per bin."""

    bins: Bins
    counts: list[int]

    @property
    def rows(self) -> int:
        return sum(self.counts)

    @property
    def cumulative(self) -> list[int]:
        """Return the cumulative counts of rows."""
        return list(accumulate(self.counts))

    def quantile(self, percent: int) -> int:
        """Return the first bin's end that at least this percentage of the rows does not exceed."""
        sums = self.cumulative
        return self.bins.ends[bisect_left(sums, -(-self.rows * percent // 100))]


class Density(NamedTuple):
    """Rows over two metrics.

    Attributes:
        cells: how many rows lie in each [x, y]; `points` are all (x, y) if they are few, else none.
        front: (x, y) of the rows that no other beats, by x; `capped`: there are
            more, and these are spread over them.
    """

    x: Bins
    y: Bins
    cells: Any
    points: list[tuple[int, int]]
    front: list[tuple[int, int]]
    capped: bool
    rows: int

    @property
    def best(self) -> str:
        """The number of rows in the front, as text."""
        return f"{'more than ' if self.capped else ''}{grouped(len(self.front))}"


def histograms(store: Store, names: Sequence[str], most: int, scale: Scale) -> dict[str, Histogram]:
    """Return the spread of metrics over at most this many bins each.

    Raises:
        UsageError: there are no rows, or a logarithmic scale includes 0.
    """
    known = extents(store, names)
    bins = {name: _bins(name, known[name], most, scale) for name in names}
    found = on_all_cores(lambda part: _counted(store, part, bins), list(store.counts()))
    return {name: Histogram(bins[name], sum(cells[name] for cells in found).tolist()) for name in names}


def _counted(store: Store, part: int, bins: Mapping[str, Bins]) -> dict[str, Any]:
    """Return the counts per bin of a part; a metric whose values all lie in one bin is not read."""
    from archcalc.sweeps.machine.histograms import BinCounts

    counts = {name: BinCounts(one.edges) for name, one in bins.items()}
    record, wide = store.counts()[part], []
    for name, (edges, _, _) in bins.items():
        low, high = (bisect_right(edges, value) - 1 for value in record["spreads"][name][:2])
        if low < high:
            wide.append(name)
        elif record["rows"]:
            counts[name].cells[low] = record["rows"]
    for batch in store.columns(part, wide) if wide else ():
        for name in wide:
            counts[name].add(batch[name])
    return {name: count.cells for name, count in counts.items()}


def density(store: Store, x: Goal, y: Goal, scale: Scale) -> Density:
    """Return the spread over two metrics, and their Pareto front.

    Raises:
        UsageError: there are no rows, or a logarithmic scale includes 0.
    """
    from archcalc.sweeps.machine.fronts import Front, stacked
    from archcalc.sweeps.machine.histograms import BinCounts

    names = (x.name, y.name)
    known = extents(store, names)
    rows = known[x.name].rows
    finest = min(max(isqrt(rows // 4), 24), FINEST)
    bins = [_bins(name, known[name], finest, scale) for name in names]
    counts, front = BinCounts(*(b.edges for b in bins)), Front(2, MOST_DRAWN)
    points: list[tuple[int, int]] = []
    signs = [-1 if goal.most else 1 for goal in (x, y)]
    for batch in _batches(store, (*names, POINT)):
        values = [batch[name] for name in names]
        counts.add(*values)
        front.add(stacked([row * sign for row, sign in zip(values, signs, strict=True)]), batch[POINT])
        if rows <= FEW:
            points += zip(*(row.tolist() for row in values), strict=True)
    goals = [(row * sign).tolist() for row, sign in zip(front.values, signs, strict=True)]
    best = sorted(zip(*goals, strict=True))
    return Density(bins[0], bins[1], counts.cells, points, best, front.dropped, rows)


def _batches(store: Store, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for part in sorted(store.counts()):
        yield from store.columns(part, names)


def extents(store: Store, names: Sequence[str]) -> dict[str, Any]:
    from archcalc.sweeps.machine.histograms import Extremes

    found = {name: Extremes() for name in names}
    for record in store.counts().values():
        for name in names:
            found[name].merge(record["rows"], *record["spreads"][name])
    if not found[names[0]].rows:
        help = "a sweep writes the networks that satisfy its --where"
        raise UsageError(Diagnostic(f"{printable(store.path)} holds no rows", help=help))
    return found


def _bins(name: str, extent: Any, most: int, scale: Scale) -> Bins:
    """Return at most this many bins, with edges at possible values."""
    least, step = extent.least, extent.step or 1
    span = (extent.most - least) // step + 1  # possible values
    if scale == "log" and least == 0:
        raise UsageError(
            Diagnostic(f"{name} begins at 0, which has no logarithm", help="--scale linear")
        )
    if scale == "log" or (scale == "auto" and 0 < least * _WIDE <= extent.most):
        ratio = log(extent.most) - log(least)
        number = max(min(most, int(ratio / log1p(_FULL * step / least))), 1)
        if scale == "log" or number > most // 2:
            places = {int(least / step * expm1(ratio * i / number)) for i in range(number)}
            return Bins(
                (*(least + step * place for place in sorted(places)), least + step * span), step, True
            )
    width = -(-span // most)
    number = -(-span // width)
    return Bins(tuple(least + step * width * i for i in range(number + 1)), step, False)
