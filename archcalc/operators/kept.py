"""State which tensors of the forward pass the derivatives of an operator need.

Tensors are named, not counted, so that one that two operators keep counts once: the output of a relu is
also the input of the conv after it.
"""

from __future__ import annotations

from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

WEIGHTS = -1  # a derivative by the operator's weights; a number from 0 stands for one by that input
OUTPUT = -1  # the operator's output is kept; a number from 0 stands for that input


class Intermediate(NamedTuple):
    """A tensor that an operator makes beside its output.

    Attributes:
        values: the number of its values.
        places: its values are integers below this (indices, masks); 0: they are activations.
        sums: whether they are sums of many values, which are at least in single precision.
        once: whether it is made once per batch, not per image.
    """

    name: str
    values: Int
    places: Int = 0
    sums: bool = False
    once: bool = False


class KeepRule(NamedTuple):
    """A tensor that derivatives need.

    Attributes:
        what: the number of an input, `OUTPUT`, or an intermediate tensor.
        of: the derivatives that need it: by inputs of these numbers, or by `WEIGHTS`.
        kernel: the kernel of attention that keeps it; '': all.
    """

    what: int | Intermediate
    of: tuple[int, ...]
    kernel: str = ""


KeepRules = tuple[KeepRule, ...]
NOTHING: KeepRules = ()
OF_INPUT, OF_WEIGHTS, OF_BOTH = (0,), (WEIGHTS,), (0, WEIGHTS)
KEEPS_INPUT: KeepRules = (KeepRule(0, OF_INPUT),)
KEEPS_OUTPUT: KeepRules = (KeepRule(OUTPUT, OF_INPUT),)
INPUT_FOR_WEIGHTS: KeepRules = (KeepRule(0, OF_WEIGHTS),)


def indices(values: Int, places: Int) -> KeepRules:
    """Return the rule that keeps, for each of so many values, from which of so many places it is."""
    return (KeepRule(Intermediate("indices", values, places), OF_INPUT),)


def statistics(values: Int, of: tuple[int, ...], once: bool = False) -> KeepRule:
    """Return the rule that keeps the means and deviations of a normalization."""
    return KeepRule(Intermediate("statistics", values, sums=True, once=once), of)
