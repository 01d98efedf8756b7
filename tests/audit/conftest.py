"""Searches of this folder, of commands too, are among neighbors that earlier tests have built."""

from __future__ import annotations

import pytest
from support.neighbors import share


@pytest.fixture(autouse=True)
def shared_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search of a network that was searched before finds what is near it already built."""
    share(monkeypatch)
