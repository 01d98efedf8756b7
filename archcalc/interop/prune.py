"""Separate work from the rest of a trace: fold what depends on no input, drop what no output reads.

A mask, a table of positions or a weight that is normalized before use is the same for every image: an
exporter may compute it, and a server of the model computes it once. It is no work per image, but the
weights in it are used.
"""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.errors import ArchError
from archcalc.interop.trace import Operation, Trace
from archcalc.interop.vocabulary import MAKING
from archcalc.tuples import NamedTuple

_MAKING = frozenset(MAKING)
_MOST_BEHIND = 2_000_000  # weights in all lists of what tensors are made of


class Pruned(NamedTuple):
    """The operations of a trace by their use.

    Args:
        live: depend on an input, and an output depends on them.
        folded: depend on no input; live operations or outputs read their results.
        dropped: the operations whose results nothing reads.
        behind: for every tensor that no input changes, the weights' tensors that it is made of.
    """

    live: tuple[Operation, ...]
    folded: tuple[Operation, ...]
    dropped: tuple[Operation, ...]
    behind: Mapping[str, tuple[str, ...]]


def prune(trace: Trace) -> Pruned:
    """Sort the operations of a trace by their use, in their order.

    Raises:
        ArchError: weights are made of more others than any real model has.
    """
    changing, behind = _sources(trace)
    read = set(trace.outputs)
    live: list[Operation] = []
    folded: list[Operation] = []
    dropped: list[Operation] = []
    for operation in reversed(trace.operations):
        if read.isdisjoint(operation.outputs):
            dropped.append(operation)
            continue
        read.update(name for name in operation.inputs if name is not None)
        works = not changing.isdisjoint(operation.outputs)
        (live if works else folded).append(operation)
    return Pruned(tuple(live[::-1]), tuple(folded[::-1]), tuple(dropped[::-1]), behind)


def _sources(trace: Trace) -> tuple[set[str], dict[str, tuple[str, ...]]]:
    """Return the tensors that an input changes, and the weights behind each of the others."""
    changing, left = set(trace.inputs), _MOST_BEHIND
    behind: dict[str, tuple[str, ...]] = {w.tensor: (w.tensor,) for w in trace.weights}
    for operation in trace.operations:
        making = operation.word in _MAKING
        if not making and not changing.isdisjoint(operation.inputs):
            changing.update(operation.outputs)
            continue
        found = () if making else _together(operation, behind)
        left -= len(found)
        if left < 0:
            raise ArchError(
                f"{trace.name}: {operation.place} is made of more weights than can be followed"
            )
        behind.update((name, found) for name in operation.outputs)
    return changing, behind


def _together(operation: Operation, behind: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = (name for read in operation.inputs if read is not None for name in behind.get(read, ()))
    return tuple(dict.fromkeys(names))
