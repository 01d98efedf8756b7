"""Commands run by tests of this folder search among neighbors that earlier tests have built."""

from __future__ import annotations

import pytest
from support.neighbors import neighbor_of

from archcalc.audit.neighbor import Neighbor


@pytest.fixture(autouse=True)
def shared_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `reconcile` of a network that was searched before finds what is near it already built."""
    monkeypatch.setattr(Neighbor, "of", neighbor_of)
