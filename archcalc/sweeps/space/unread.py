"""Find points of a sweep at which a variable is set that nothing reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod

from archcalc.api import Network
from archcalc.errors import ArchError, shown
from archcalc.graph.unread import refusal, unread
from archcalc.spec.expressions import ARRIVING
from archcalc.spec.model import INPUT
from archcalc.spec.names import deciding_names
from archcalc.spec.settings import settle
from archcalc.sweeps.space.points import Points
from archcalc.units import grouped

MOST_BUILT = 64  # the most points that are built for this
MOST_LAYERS = 2_000  # the most layers of all built points together


def notes(points: Points) -> Iterator[str]:
    """Yield a sentence per variable that is set at points where nothing reads it, with their number."""
    found: dict[str, int] = {}
    help: dict[str, str] = {}
    looked = layers = 0
    varied = {axis.variable for axis in points.space.axes if len(axis.values) > 1}
    read = _Read(points.space.network)
    for digits, weight in _looked_at(points):
        network = points.space.at(digits)
        if weight == 1 and layers > MOST_LAYERS:
            break
        looked += weight
        names = [name for name in network.values if name in varied or name in network.changed]
        if read.all_of(names, network):
            continue
        in_vain, built = _unread(network, names, varied)
        layers += built
        read.add(network, built)
        for name in in_vain:
            found[name] = found.get(name, 0) + weight
            if name not in help:
                spec, values, input = network.spec, network.values, network.input
                error = refusal(name, network.name, spec, values, input, network.variant)
                help[name] = error.diagnostics[0].help
    for name, count in found.items():
        of = f"{grouped(looked)} points" if looked == points.size else f"{looked} points looked at"
        yield f"nothing reads `{shown(name)}` at {grouped(count)} of {of}: {help[name]}"


class _Read:
    """The variables that are read, by the values that decide which lines of the spec are on."""

    def __init__(self, network: Network) -> None:
        deciding = _deciding(network)
        self._deciding = sorted(deciding.intersection(network.values))
        self._sized = INPUT in deciding
        self._known: dict[str, frozenset[str]] = {}

    def all_of(self, names: Iterable[str], network: Network) -> bool:
        """Return whether it is known, without building the network, that all of these are read."""
        return self._known.get(self._key(network), frozenset()).issuperset(names)

    def add(self, network: Network, layers: int) -> None:
        """Record the variables that a network reads, if it has layers."""
        if layers:
            self._known[self._key(network)] = frozenset(network.graph.read)

    def _key(self, network: Network) -> str:
        size = network.input if self._sized else network.input is not None
        return repr([size, *(network.values[name] for name in self._deciding)])


def _deciding(network: Network) -> frozenset[str]:
    """Return the variables that decide what is read, and `input` if its size does too."""
    names = deciding_names(network.spec)
    return names if names.isdisjoint(ARRIVING) else names | {INPUT}


def _unread(network: Network, names: Sequence[str], varied: set[str]) -> tuple[list[str], int]:
    """Return the variables that are set but not read, and the number of layers.

    Returns None if the point is no network.
    """
    base = settle(network.spec, network.variant, {})
    try:
        in_vain = unread(network.graph, network.values, base, names)
        never = [n for n in names if n in in_vain or (n in varied and n not in network.graph.read)]
        return never, len(network.graph.nodes)
    except ArchError:
        return [], 0


def _looked_at(points: Points) -> Iterator[tuple[tuple[int, ...], int]]:
    """Return some points, each with the number of points that it represents."""
    choices = _choices(points)
    if points.chosen is None and points.plan is None and prod(map(len, choices)) <= MOST_BUILT:
        for chosen in product(*choices):
            yield tuple(digit for digit, _ in chosen), prod(weight for _, weight in chosen)
        return
    step = -(-points.size // MOST_BUILT)
    numbers = sorted(range(0, points.size, step), key=lambda number: _spread(number // step))
    yield from ((tuple(points.digits(number)), 1) for number in numbers)


def _spread(number: int) -> str:
    """Order numbers so that the first of them are far apart: 0, 32, 16, 48, 8, …"""
    return f"{number:06b}"[::-1]


def _choices(points: Points) -> list[list[tuple[int, int]]]:
    """Return the digits of each axis that differ in effect, and how many digits each represents.

    For an axis that decides nothing, these are the spec's own value and any other.
    """
    network = points.space.network
    deciding = _deciding(network)
    base = settle(network.spec, network.variant, {})
    found = []
    for axis in points.space.axes:
        digits = range(len(axis.values))
        own = base.get(axis.variable)
        if axis.item is not None and isinstance(own, list):
            own = own[axis.item]
        same = next((d for d in digits if axis.values[d] == own), None)
        other = next((d for d in digits if d != same), None)
        if axis.variable in deciding:
            found.append([(digit, 1) for digit in digits])
        elif same is None:
            found.append([(0, len(digits))])
        else:
            found.append([(same, 1), *([(other, len(digits) - 1)] if other is not None else [])])
    return found
