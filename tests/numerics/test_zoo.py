"""Every bundled network, at the size of its paper: it runs in the memory laid out for it, and verifies.

The large ones take minutes together and wait for `-m zoo`.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.api import Network
from archcalc.numerics.forward import Forward
from archcalc.numerics.verify import prove
from archcalc.numerics.weights import make
from archcalc.spec.catalog import names

MIB = 1 << 20
NETWORKS = [archcalc.load(name) for name in names()]


def by_size(limit: float) -> list[Any]:
    """Each network; those with more multiplies than `limit` are left to `-m zoo`."""
    return [
        pytest.param(n, id=n.name, marks=pytest.mark.zoo if n.analyze().multiplies > limit else ())
        for n in NETWORKS
    ]


def image_of(network: Network) -> Any:
    shape = (1, *map(int, network.graph.input))
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("network", by_size(4e9))
def test_nothing_else_is_allocated(network: Network) -> None:
    """What tracemalloc sees during the pass stays within 1 MiB: the arena and the scratch were there."""
    forward, image = Forward(network.graph, make(network.graph, "he", 0, np.float32)), image_of(network)
    forward.run(image)  # compiles what is not compiled
    tracemalloc.start()
    try:
        forward.run(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MIB


@pytest.mark.parametrize("network", by_size(3e8))
def test_every_layer_verifies(network: Network) -> None:
    weights = make(network.graph, "he", 0, np.float32)
    proof = prove(network.graph, weights, image_of(network))
    assert len(proof.verdicts) == len(network.graph.nodes) - 1
    assert proof.failures == ()
    assert proof.verdict == "verified"
