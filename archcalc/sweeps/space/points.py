"""Choose the points of a space that a sweep evaluates, and their order: all, a sample, or a file's."""

from __future__ import annotations

import csv
import random
from array import array
from collections.abc import Iterator, Sequence
from io import TextIOWrapper

from archcalc.api import Network
from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.regular import lines, open_regular
from archcalc.sweeps.machine import shuffle
from archcalc.sweeps.space.model import Axis, Space, make_axis, refuse_overlap
from archcalc.tuples import NamedTuple
from archcalc.units import printable

MOST_POINTS = 1 << 62  # of a grid: numbers of points stay within 64 bits
MOST_ROWS = 10_000_000  # in a file: they are kept in memory


class Points(NamedTuple):
    """Points of a space by running number, from 0.

    Attributes:
        plan: how to draw the points of a random sample.
        chosen: the points' numbers in the space, if they are kept: a small sample, a file.
    """

    space: Space
    size: int
    plan: shuffle.Plan | None = None
    chosen: Sequence[int] | None = None

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(axis.values) for axis in self.space.axes)

    def digits(self, number: int) -> tuple[int, ...]:
        """Return the digits of point `number`: the number of its value on each axis."""
        if self.chosen is not None:
            return self.space.digits(self.chosen[number])
        if self.plan is not None:
            return tuple(shuffle.digits(self.plan, self.lengths, shuffle.draw(self.plan, number)))
        return self.space.digits(number)


def grid(space: Space) -> Points:
    """Return every point.

    Raises:
        UsageError: the space is too large for any run.
    """
    if space.size > MOST_POINTS:
        count = f"{space.size:.1e}".replace("e+", "·10^")
        raise UsageError(Diagnostic(f"a grid of {count} points", help="--sample N takes N of them"))
    return Points(space, space.size)


def sample(space: Space, count: int, seed: int) -> Points:
    """Return `count` different points, all sets equally likely; all points if there are no more."""
    if count >= space.size:
        return grid(space)
    if space.size <= shuffle.SMALL:
        numbers = random.Random(seed).sample(range(space.size), count)
        return Points(space, count, chosen=array("q", numbers))
    lengths = [len(axis.values) for axis in space.axes]
    return Points(space, count, shuffle.plan(lengths, seed))


def read_points(network: Network, path: str) -> Points:
    """Return the points of a CSV file: variables in its first row, values in the others.

    Raises:
        UsageError: the file is missing, a variable is unknown, or a value does not fit, with its row.
    """
    try:
        with TextIOWrapper(open_regular(path), "utf-8-sig", newline="") as file:
            return _table(network, path, csv.reader(lines(file)))
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {printable(path)}: {printable(reason)}") from None


def _table(network: Network, path: str, rows: Iterator[list[str]]) -> Points:
    names = next(rows, [])
    if not names:
        help = "the first row names the variables: width,input"
        raise UsageError(Diagnostic(f"{printable(path)} is empty", help=help))
    known: list[dict[str, int]] = [{} for _ in names]  # text → number of its value
    columns = [array("q") for _ in names]
    for number, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(names):
            message = (
                f"row {number} of {printable(path)} has {len(row)} values for {len(names)} variables"
            )
            raise UsageError(message)
        if len(columns[0]) >= MOST_ROWS:
            raise UsageError(f"{printable(path)} has more than {MOST_ROWS:,} points")
        for name, text, texts, column in zip(names, row, known, columns, strict=True):
            if text not in texts:
                _check(network, path, number, name, text)
                texts[text] = len(texts)
            column.append(texts[text])
    if not columns[0]:
        raise UsageError(f"{printable(path)} holds no points")
    axes = [_axis(network, name, list(texts)) for name, texts in zip(names, known, strict=True)]
    refuse_overlap(axes)
    return _listed(Space(network, tuple(axes)), columns)


def _axis(network: Network, name: str, texts: Sequence[str]) -> Axis:
    """Read texts one by one, since different ones may mean one value (0.5 and 0.50)."""
    axes = [make_axis(network, name, [text]) for text in texts]
    return axes[0]._replace(values=[axis.values[0] for axis in axes])


def _check(network: Network, path: str, number: int, name: str, text: str) -> None:
    try:
        if len(make_axis(network, name, [text]).values) != 1:
            raise UsageError(f"`{shown(text)}` is a range, not a value")
    except ArchError as error:
        place = f"row {number} of {printable(path)}: "
        raise UsageError(*(d._replace(message=place + d.message) for d in error.diagnostics)) from None


def _listed(space: Space, columns: Sequence[array[int]]) -> Points:
    """Return the points by their numbers in the space that their values span."""
    lengths = [len(axis.values) for axis in space.axes]

    def number(row: Sequence[int]) -> int:
        total = 0
        for digit, length in zip(row, lengths, strict=True):
            total = total * length + digit
        return total

    numbers = map(number, zip(*columns, strict=True))
    chosen: Sequence[int] = array("q", numbers) if space.size < 1 << 63 else list(numbers)
    return Points(space, len(chosen), chosen=chosen)
