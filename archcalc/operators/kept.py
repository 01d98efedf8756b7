"""What the way back through an operator needs of the way there: values of the graph, and what it made.

Values are named, not counted, so that what two operators keep is kept once: the output of a relu, which
the conv behind it reads.
"""

from __future__ import annotations

from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

WEIGHTS = -1  # a derivative by the operator's own weights; others are by the input of a number
OUTPUT = -1  # what is kept: its output; others are the input of a number


class Made(NamedTuple):
    """Numbers that an operator makes inside, beside its output.

    `places`: whole numbers below this (indices, masks); 0: values, as activations are. `sums`: of many
    values, in single precision at least. `once`: for all images of a batch together.
    """

    name: str
    values: Int
    places: Int = 0
    sums: bool = False
    once: bool = False


class Kept(NamedTuple):
    """A tensor that derivatives need; `of` says which. `kernel`: kept only by attention of that kind."""

    what: int | Made
    of: tuple[int, ...]
    kernel: str = ""


Facts = tuple[Kept, ...]
NOTHING: Facts = ()
OF_INPUT, OF_WEIGHTS, OF_BOTH = (0,), (WEIGHTS,), (0, WEIGHTS)
KEEPS_INPUT: Facts = (Kept(0, OF_INPUT),)
KEEPS_OUTPUT: Facts = (Kept(OUTPUT, OF_INPUT),)
INPUT_FOR_WEIGHTS: Facts = (Kept(0, OF_WEIGHTS),)


def indices(values: Int, places: Int) -> Facts:
    """Which of so many places each of so many values comes from."""
    return (Kept(Made("indices", values, places), OF_INPUT),)


def statistics(values: Int, of: tuple[int, ...], once: bool = False) -> Kept:
    """Means and deviations of a normalization."""
    return Kept(Made("statistics", values, sums=True, once=once), of)
