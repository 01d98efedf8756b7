"""Verify networks for `archcalc run --verify`: one after another, or in several processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from archcalc.api import Network
from archcalc.reports.layout import label
from archcalc.reports.start import Start
from archcalc.tuples import NamedTuple
from archcalc.units import binary

if TYPE_CHECKING:
    from archcalc.execution.verify import Proof

BASE = 200 * 2**20  # bytes of a process that has loaded NumPy and Numba


class VerifyOptions(NamedTuple):
    """The options of a verification.

    Attributes:
        start: the weights and images.
        quick: whether networks run at a small input.
        allow_skips: whether layers may be skipped.
        jobs: the number of processes.
        all: whether every layer has a row.
    """

    start: Start
    quick: bool = False
    allow_skips: bool = False
    jobs: int = 1
    all: bool = False


class Verified(NamedTuple):
    """The result for a network: its name as asked for, and the network as executed."""

    name: str
    network: Network
    proof: Proof


def proved(networks: Iterable[Network], asked: VerifyOptions) -> Iterator[Verified]:
    """Yield results as they are ready: in the order of the networks, with several processes in any."""
    from archcalc.execution import processes
    from archcalc.execution.capacity import memory, needed

    items = ((network, asked) for network in networks)
    if asked.jobs == 1:
        for item in items:
            yield _prove(item)
        return
    tasks = (
        processes.Task(item, BASE + needed(sized(item[0], asked.quick).graph, proof=True))
        for item in items
    )
    for (network, _), result in processes.run(_prove, tasks, asked.jobs, memory()):
        if isinstance(result, processes.Ended):
            result = Verified(label(network), network, _nothing(result.reason))
        yield result


def _prove(item: tuple[Network, VerifyOptions]) -> Verified:
    """Verify one network; skip it if it needs more memory than there is."""
    from archcalc.execution.capacity import memory, needed
    from archcalc.execution.verify import prove

    name, began = label(item[0]), monotonic()
    network = sized(item[0], item[1].quick)
    need, there = needed(network.graph, proof=True), memory()
    if there is not None and need > there:
        return Verified(name, network, _nothing(f"takes {binary(need)} of memory, more than there is"))
    proof = prove(network.graph, *item[1].start.of_one(network))
    return Verified(name, network, proof._replace(seconds=monotonic() - began))


def _nothing(reason: str) -> Proof:
    """Return the result for a network that was not executed."""
    from archcalc.execution.verify import Proof

    return Proof((), (), 0.0, reason)


def sized(network: Network, quick: bool) -> Network:
    """Return the network to execute: with `quick`, at a small input."""
    return network.shrunken() if quick else network
