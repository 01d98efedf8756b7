"""Gather the page of a sweep's directory: its rows over two metrics, their front, and their spread."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.reports.model import Report
from archcalc.reports.sweep_folder import reports
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.results.histograms import Density, Histogram, density, histograms
from archcalc.sweeps.results.store import Store
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

BINS = 40
MOST_ROWS = 1_000
SPREAD = ("parameters", "multiplies", "peak")


class SweepPage(NamedTuple):
    """The page of a sweep; its front minimizes the metric `across` and maximizes `upwards`."""

    title: str
    across: str
    upwards: str
    density: Density
    spreads: dict[str, Histogram]
    tables: Sequence[Report]


def gathered(store: Store) -> SweepPage:
    """Return the page of a sweep.

    Raises:
        UsageError: the sweep has no rows.
    """
    goals = Goal("multiplies", False), Goal("parameters", True)
    found = density(store, *goals, "auto")
    (front,) = reports(store, goals, None, MOST_ROWS, spreads=False)
    title = f"{printable(str(store.manifest['network']))} · {grouped(found.rows)} rows"
    spreads = histograms(store, SPREAD, BINS, "auto")
    return SweepPage(title, goals[0].name, goals[1].name, found, spreads, (front,))
