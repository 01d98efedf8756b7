"""Networks as the search sees them: what is near a bundled one is built once for all tests."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import pytest

from archcalc.api import load
from archcalc.audit import ratios, readings, saved
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.neighbors import Remembered, neighbors
from archcalc.network import Network

_KNOWN: dict[tuple[str, str, str], Neighbor] = {}
_MAKE = Neighbor.of


def neighbor_of(network: Network) -> Neighbor:
    """Return the neighbor made for a network equal to this one, with all that it has found so far."""
    key = (network.spec.source.name, network.name, repr((network.changed, network.freeze)))
    if key not in _KNOWN:
        _KNOWN[key] = _MAKE(network)
    return _KNOWN[key]


@cache
def named(network: str, **settings: Any) -> Neighbor:
    """Return a network by name as a neighbor."""
    return neighbor_of(load(network, **settings))


@lru_cache(maxsize=16)  # the product keeps two; the hundred of a large one take 20 MB
def near(network: Neighbor) -> Remembered:
    """Return the neighbors of a network for all searches, as `remembered` does for consecutive ones."""
    return Remembered(neighbors(network))


def share(patch: pytest.MonkeyPatch) -> None:
    """Let all searches, those of commands too, find what is near a network already built."""
    patch.setattr(Neighbor, "of", neighbor_of)
    for module in (readings, saved, ratios):
        patch.setattr(module, "remembered", near)
