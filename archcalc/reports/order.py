"""Apply --sort and --top: sort the rows of a report, and keep the first of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.reports.model import Column, Measurement, Ranked, Report
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable


class Order(NamedTuple):
    """The column to sort by (None: the network's own order), and the number of rows wanted."""

    column: str | None = None
    top: int | None = None


def ordered(report: Report, order: Order) -> Report:
    """Return the report with its rows sorted and cut; a remark counts those left out, the total stays.

    Raises:
        UsageError: there is no such column.
    """
    if order == Order():
        return report
    rows = [row for row in report.rows if not row.get("subtotal")]
    if order.column is not None:
        rows = sorted_by(rows, column_named(report.columns, order.column))
    kept = tuple(rows[: order.top])
    names = [row[report.columns[0].key] for row in kept]
    missed = f"{grouped(len(rows) - len(kept))} of {grouped(len(rows))} rows are not shown"
    return report._replace(
        rows=kept,
        remarks=(missed, *report.remarks) if len(kept) < len(rows) else report.remarks,
        documents=lambda: [_reordered(document, names) for document in report.documents()],
    )


def _reordered(document: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return a network's JSON with the layers of these paths only, in the order of the paths."""
    layers = {layer["path"]: layer for layer in document["layers"]}
    shown = [layers[path] for path in paths if path in layers]
    return {**document, "layers": shown, "not_shown": len(layers) - len(shown)}


def column_named(columns: Sequence[Column], word: str) -> Column:
    """Return the column of this key or header.

    Raises:
        UsageError: there is no such column.
    """
    sortable = [c for c in columns if c.kind != "bar"]
    names = {c.header.lower(): c for c in sortable} | {c.key: c for c in sortable}
    found = names.get(word) or names.get(word.lower())
    if found is None:
        from archcalc.sweeps.metrics import ALIASES  # half a millisecond that few need

        found = names.get({**ALIASES, "flops": "multiplies"}.get(word.lower(), ""))
    if found is None:
        keys = [c.key for c in sortable]
        help = suggestion(word, keys) or f"columns: {', '.join(keys)}"
        raise UsageError(Diagnostic(f"the table has no column `{printable(word)}`", help=help))
    return found


def sorted_by(rows: list[dict[str, Any]], column: Column) -> list[dict[str, Any]]:
    """Return the rows sorted by a column: numbers from the largest, texts from A to Z, empty cells last.

    Rows of equal cells keep their order.
    """
    ranks = [(_rank(column, row.get(column.key)), row) for row in rows]
    full = [pair for pair in ranks if pair[0] is not None]
    empty = [row for rank, row in ranks if rank is None]
    textual = column.kind == "name" or any(isinstance(rank, list) for rank, _ in full)
    full.sort(key=lambda pair: pair[0], reverse=not textual)
    return [*(row for _, row in full), *empty]


def _rank(column: Column, value: Any) -> Any:
    """Return the sort key of a cell: its exact value, not its rounded text; None for an empty cell."""
    if value is None or value == "":
        return None
    if isinstance(value, Ranked):
        return value.rank
    if isinstance(value, Measurement):
        return value.value
    if column.kind in ("share", "bar"):
        from fractions import Fraction  # a start-up would pay 3 ms for it

        part, whole = value
        return Fraction(part, whole or 1)
    if column.kind == "change":
        base, changed = value
        return abs((changed or 0) - (base or 0))
    return _words(value) if isinstance(value, str) else value


def _words(text: str) -> list[tuple[bool, int | str]]:
    """Split text into words and numbers, so that 'conv10' is sorted after 'conv9'."""
    return [(not p.isdecimal(), int(p) if p.isdecimal() else p) for p in re.findall(r"\d+|\D+", text)]
