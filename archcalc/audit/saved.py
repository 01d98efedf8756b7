"""Explain the file sizes of saved networks: the bytes of all tensors, and the container's share.

A container's share is known from recorded files only, as a least and a most number of bytes per tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import takewhile
from math import ceil

from archcalc.audit.convention import FITTED, Convention
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.neighbors import remembered
from archcalc.audit.printed import Printed
from archcalc.audit.readings import Reading, Summand, Way
from archcalc.operators.normalization import BatchNorm
from archcalc.tuples import NamedTuple

FLOAT, COUNTER = 4, 8  # bytes; torch counts the batches of each batch norm in 64 bits
WEIGHT = 11  # rank beside the weights of conventions
MOST_TENSORS = 8  # per layer


class Container(NamedTuple):
    """A file format, and the bytes per tensor that it adds: records, names, alignment."""

    name: str
    least: int
    most: int


CONTAINERS = (
    Container("safetensors", 80, 125),
    Container("torch.save before 1.6", 150, 225),
    Container("torch.save", 226, 340),
)


def saved(network: Neighbor, printed: Printed) -> Iterator[Reading]:
    """Yield files of the network, and of networks one change away, that may have the printed size."""
    if printed.unit not in ("", "bytes") or (not printed.unit and not printed.whole):
        return
    for neighbor in takewhile(lambda neighbor: neighbor.steps < 2, remembered(network)):
        if not neighbor.rewrite and _may_be(neighbor, printed):
            yield from _files(network, neighbor, printed)


def _may_be(neighbor: Neighbor, printed: Printed) -> bool:
    """Return whether counting the tensors is worthwhile."""
    numbers = FLOAT * int(neighbor.analysis.total.stored_numbers)
    room = MOST_TENSORS * len(neighbor.analysis.layers) * CONTAINERS[-1].most
    return any(low - room <= numbers < high for low, high in map(printed.interval, printed.scales))


def _files(origin: Neighbor, neighbor: Neighbor, printed: Printed) -> Iterator[Reading]:
    layers = neighbor.analysis.layers
    counters = sum(isinstance(layer.node.operator, BatchNorm) for layer in layers)
    tensors = counters + sum(len(x.weights) for x in layers)
    numbers = int(neighbor.analysis.total.stored_numbers)
    bare = FLOAT * numbers + COUNTER * counters
    every = (
        Summand(FLOAT, "parameters, means and variances", numbers),
        Summand(COUNTER, "counters of batch norms", counters),
    )
    kept = tuple(part for part in every if part.amount)
    says = "; ".join(["the tensors of a state dict", *(change.says for change in neighbor.changes)])
    yield _reading(origin, neighbor, "tensors of a state dict", says, kept)
    for container in CONTAINERS:
        low, high = bare + container.least * tensors, bare + container.most * tensors
        for least, most in map(printed.rounded, printed.scales):
            value = min(max((low + high) // 2, ceil(least)), ceil(most) - 1)
            if low <= value <= high:
                around = Fraction(value - bare, tensors)
                told = f"{says}, as {container.name} writes it: about {round(around)} bytes around each"
                part = Summand(1, f"bytes of the file around {tensors} tensors", value - bare)
                name = f"file of {container.name}"
                yield _reading(origin, neighbor, name, told, (*kept, part), FITTED)


def _reading(
    origin: Neighbor,
    neighbor: Neighbor,
    name: str,
    says: str,
    parts: tuple[Summand, ...],
    slot: str = "fact",
) -> Reading:
    convention = Convention(name, says, slot, weight=WEIGHT)
    value = sum(part.factor * part.amount for part in parts)
    return Reading(origin, neighbor, Way("weight bytes", (convention,), (), 1, 1), value, parts)
