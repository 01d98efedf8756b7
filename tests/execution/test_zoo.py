"""Every bundled network, at the size of its paper: it runs in the memory laid out for it, and verifies.

The large ones take minutes together and wait for `-m zoo`.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.allocation import MIB, allocated_beside

import archcalc
from archcalc.api import Network
from archcalc.execution.inputs import seeded_input
from archcalc.execution.verify import prove
from archcalc.execution.weights import make
from archcalc.spec.catalog import names

NETWORKS = [archcalc.load(name) for name in names()]


def by_size(limit: float) -> list[Any]:
    """Each network; those with more multiplies than `limit` are left to `-m zoo`."""
    return [
        pytest.param(n, id=n.name, marks=pytest.mark.zoo if n.analyze().multiplies > limit else ())
        for n in NETWORKS
    ]


@pytest.mark.parametrize("network", by_size(1e9))
def test_nothing_else_is_allocated(network: Network) -> None:
    """What tracemalloc sees during the pass stays within 1 MiB: the arena and the scratch were there."""
    assert allocated_beside(network.graph) <= MIB


@pytest.mark.parametrize("network", by_size(3e8))
def test_every_layer_verifies(network: Network) -> None:
    proof = prove(network.graph, make(network.graph), seeded_input(network.graph.input, 1, 1))
    assert len(proof.verdicts) == len(network.graph.nodes) - 1
    assert proof.failures == ()
    assert proof.verdict == "verified"
