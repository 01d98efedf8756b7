"""Every bundled network, at the size of its paper: it runs in the memory laid out for it, and verifies.

The large ones, and siblings, take minutes together and wait for `-m zoo`.
"""

from __future__ import annotations

import pytest
from support.allocation import MIB, allocated_beside
from support.sampled import smallest_of_each_family, up_to

import archcalc
from archcalc.execution.capacity import memory, needed
from archcalc.execution.inputs import seeded
from archcalc.execution.verify import prove
from archcalc.execution.weights import make
from archcalc.graph.model import Graph


def that_fits(name: str) -> Graph:
    """The graph of a network that this machine can hold; of others a copy is in test_copies.py."""
    graph, there = archcalc.load(name).graph, memory()
    if there is not None and needed(graph, proof=True) > there:
        pytest.skip("takes more memory than there is")
    return graph


@pytest.mark.parametrize("name", up_to(3e8))
def test_nothing_else_is_allocated(name: str) -> None:
    """What tracemalloc sees during the pass stays within 1 MiB: the arena and the scratch were there."""
    assert allocated_beside(that_fits(name)) <= MIB


@pytest.mark.parametrize("name", smallest_of_each_family(3e8))
def test_every_layer_verifies(name: str) -> None:
    graph = that_fits(name)
    proof = prove(graph, make(graph), seeded(graph, 0, 1, 1))
    assert len(proof.verdicts) == len(graph.nodes) - graph.inputs
    assert proof.failures == ()
    assert proof.verdict == "verified"
