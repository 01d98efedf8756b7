"""Report the histogram of a metric over the rows of a sweep's directory."""

from __future__ import annotations

from archcalc.reports.model import Column, Report
from archcalc.sweeps.metrics import IN_BYTES, MEANING
from archcalc.sweeps.results.histograms import Histogram
from archcalc.sweeps.results.store import Store
from archcalc.units import binary, grouped, printable, scaled

COLUMNS = (
    Column("from", "from", "text"),
    Column("to", "to", "text"),
    Column("rows", "rows", "count"),
    Column("share", "share", "share"),
    Column("reached", "so far", "share"),
    Column("bar", "", "bar"),
)


def told_rows(store: Store, rows: int) -> str:
    """Say how many rows come from how many points: '3,600 rows of 4,000 points'."""
    done = sum(count["points"] for count in store.counts().values())
    points = f"{grouped(store.size)} points"
    return f"{grouped(rows)} rows of {points if done == store.size else f'{grouped(done)} of {points}'}"


def report(store: Store, name: str, found: Histogram) -> Report:
    """Return a row with a bar for each bin."""
    text = binary if name in IN_BYTES else scaled
    largest = max(found.counts)
    bins = zip(found.bins.edges, found.bins.ends, found.counts, found.cumulative, strict=False)
    rows = tuple(
        {
            "from": text(first),
            "to": text(last),
            "rows": count,
            "share": (count, found.rows),
            "reached": (reached, found.rows),
            "bar": (count, largest),
        }
        for first, last, count, reached in bins
    )
    title = f"{printable(str(store.manifest['network']))} · {name} of {told_rows(store, found.rows)}"
    return Report(title, COLUMNS, rows, None, (f"{name}: {MEANING[name]}",), list, "sweep")
