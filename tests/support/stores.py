"""A small sweep into a directory, whose rows are known by arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.formats import FLOAT32

import archcalc
from archcalc.sweeps.evaluation import stream
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.results import manifest
from archcalc.sweeps.results.histograms import histograms
from archcalc.sweeps.results.store import Store, create, open_store
from archcalc.sweeps.results.stored import Summary, summarize, sweep_into
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid

SPEC = """input = "8x8x4"
layers = ["conv {a} k3 half", "conv {a} g{b}"]
[vars]
a = 4
b = 1
"""
PART = 100
PARTS = 7  # of 640 points


def fresh(patch: pytest.MonkeyPatch) -> None:
    """Write the spec in this folder, and ask for small parts."""
    patch.setattr(manifest, "PART", PART)
    patch.setattr(stream, "CHUNK", 37)
    Path("small.toml").write_text(SPEC)


def points(*varied: str) -> Points:
    return grid(make_space(archcalc.load("small.toml"), varied or ["a=1:80", "b=1:8"]))


def sweep(
    format: str,
    over: Points | None = None,
    where: str = "",
    resume: bool = False,
    progress: Callable[[int], object] = lambda points: None,
) -> Store:
    """Sweep all points into `out`."""
    over = over or points()
    asked = request(over, FLOAT32, where, "", "", None, 20)
    store = create("out", manifest.identity(over, "float32", where, format), resume)
    sweep_into(store, asked, progress)
    return store


def show() -> Summary:
    """Show what `out` holds, as `sweep show` does: the best rows, and how metrics spread."""
    store = open_store("out")
    histograms(store, list(MEANING), 12, "auto")
    return summarize(store, (), Goal("parameters", True), 3)


def parameters(a: int, b: int) -> int:
    """Return 9·4·a + a, and a·a/b + a."""
    return 37 * a + a * a // b + a


EXPECTED = [
    ((a - 1) * 8 + b - 1, a, b, parameters(a, b))
    for a in range(1, 81)
    for b in range(1, 9)
    if a % b == 0
]


def rows(store: Store) -> list[tuple[int, int, int, int]]:
    """Return point, a, b, parameters of every row, from the files."""
    names = ("point", "a", "b", "parameters")
    read = (row for part in range(store.parts) for row in store.rows(part, range(store.size)))
    return [tuple(int(row[name]) for name in names) for row in read]  # type: ignore[misc]
