"""The bundled networks that every run takes: two of each family. The others wait for `-m zoo`."""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest

import archcalc
from archcalc.spec.catalog import bundled

TOTALS = Path(__file__).parents[1] / "data" / "totals.csv"
HUGE = "resnet1202"  # of ten thousand layers


def two_of_each_family() -> list[Any]:
    """Return every network by name; all but the first of a family and a drawn one are of `-m zoo`."""
    return _of_each_family(sample())


def one_of_each_family() -> list[Any]:
    """Return every network by name; all but the first of a family are of `-m zoo`."""
    return _of_each_family(sample(others=0))


def _of_each_family(kept: Collection[str]) -> list[Any]:
    return [
        pytest.param(entry.name, marks=() if entry.name in kept else pytest.mark.zoo)
        for entry in bundled()
    ]


@cache
def sample(others: int = 1) -> frozenset[str]:
    """Return the first network of each family, and so many others."""
    chance, kept = Random(13), set[str]()
    for _, entries in groupby(bundled(), key=lambda entry: entry.spec.source.name):
        first, *rest = [entry.name for entry in entries if entry.name != HUGE]
        kept |= {first, *chance.sample(rest, min(len(rest), others))}
    return frozenset(kept)


def up_to(multiplies: float) -> list[Any]:
    """Return every network by name; those with more multiplies than that are of `-m zoo`."""
    return [
        pytest.param(name, marks=pytest.mark.zoo if known > multiplies else ())
        for name, known in _multiplies().items()
    ]


def smallest_of_each_family(multiplies: float) -> list[Any]:
    """Return every network by name; all but a small one of each family are of `-m zoo`."""
    known, kept = _multiplies(), set[str]()
    for _, entries in groupby(bundled(), key=lambda entry: entry.spec.source.name):
        least = min((entry.name for entry in entries), key=lambda name: known[name])
        kept |= {least} if known[least] <= multiplies else set()
    return [pytest.param(name, marks=() if name in kept else pytest.mark.zoo) for name in known]


@cache
def _multiplies() -> dict[str, int]:
    """Return the work of every network; where it is recorded, none is analyzed for that."""
    with TOTALS.open(encoding="utf-8") as file:
        recorded = {row["network"]: int(row["multiplies"]) for row in csv.DictReader(file)}
    names = [entry.name for entry in bundled()]
    return {n: recorded[n] if n in recorded else archcalc.load(n).analyze().multiplies for n in names}
