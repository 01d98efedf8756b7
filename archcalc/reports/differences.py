"""Report the differences of two networks: their layers, aligned."""

from __future__ import annotations

from typing import Any, get_args

from archcalc.analysis.difference import Difference, DifferenceRow, Status
from archcalc.reports.model import Column, Report
from archcalc.reports.order import column_named, sorted_by
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

COUNTED = ("multiplies", "parameters")
MEASURED = (*COUNTED, "alive")
MOST_ROWS = 40
SORTED = (
    Column("layer", "layer", "name"),
    Column("status", "status", "name"),
    Column("operator", "operator", "name"),
    *(Column(measure, measure, "change") for measure in MEASURED),
)


class DifferenceOptions(NamedTuple):
    """The options of a difference.

    Attributes:
        by: the count that is shown before and after.
        sort: the column to sort by; None: the order of the layers.
        more: the option that shows every layer, for a remark.
    """

    by: str
    sort: str | None
    table: Table
    more: str = "--all"

    def of(self, rows: list[DifferenceRow]) -> list[DifferenceRow]:
        """Return the rows sorted, the largest change first, and cut to the number wanted.

        Raises:
            UsageError: there is no such column.
        """
        if self.sort is not None:
            column = column_named(SORTED, self.sort)
            keys = [{**_cells(row), "row": row, **_pairs(row)} for row in rows]
            rows = [cells["row"] for cells in sorted_by(keys, column)]
        return rows[: self.table.order.top]


def report(found: Difference, labels: tuple[str, str], wanted: DifferenceOptions) -> Report:
    """Return the rows that differ, with --all every layer, and the totals of both networks."""
    rows = _fitting(found.layers, wanted.table)
    chosen = rows if wanted.table.all else [row for row in rows if differs(row)]
    shown = wanted.of(chosen)
    missed = len(chosen) - len(shown)
    remarks = [f"{grouped(missed)} of {grouped(len(chosen))} rows are not shown"] if missed else []
    if not wanted.table.all and (hidden := len(shown) - MOST_ROWS) > 0:
        shown = shown[:MOST_ROWS]
        remarks.append(f"{grouped(hidden)} more rows that differ: {wanted.more} shows every layer")
    if not wanted.table.all and len(rows) > len(chosen):
        remarks.append(
            f"layers that are equal, or change at no cost, are not shown: {wanted.more} shows them"
        )
    total = {"layer": "total", "strong": True, **changes(_sums(found.layers))}
    return Report(
        f"layers, {labels[0]} → {labels[1]}: {_counts(found)}",
        _columns(labels, wanted),
        tuple(_cells(row) for row in shown),
        total,
        tuple(remarks),
        lambda: [_document(found, labels, wanted)],
    )


def _pairs(row: DifferenceRow) -> dict[str, tuple[int, int]]:
    """Return (before, after) of a row for each measure."""
    return {measure: (_count(row, f"{measure}_before"), _count(row, measure)) for measure in MEASURED}


def _columns(labels: tuple[str, str], wanted: DifferenceOptions) -> tuple[Column, ...]:
    columns = [
        Column("layer", "layer", "name"),
        Column("status", "", "words"),
        Column("operator", "operator", "words", spare=1, whole=True),
    ]
    only = wanted.table.format == "table"
    for measure in (wanted.by,) if only else MEASURED:
        columns.append(Column(f"{measure}_before", f"{measure} before", "count"))
        columns.append(Column(measure, "after" if only else f"{measure} after", "count"))
    if only:
        others = (measure for measure in MEASURED if measure != wanted.by)
        columns += [Column(f"{m}_change", f"± {m}", "text", spare=i) for i, m in enumerate(others, 2)]
    if wanted.table.format == "csv":
        columns += [Column(key, key, "text") for key in ("path_before", "output_before", "output")]
    return tuple(columns)


def _cells(row: DifferenceRow) -> dict[str, Any]:
    operators = [text for text in (row.operator_before, row.operator) if text]
    return {
        **row._asdict(),
        **changes(_sums([row])),
        "layer": " → ".join(dict.fromkeys(filter(None, (row.path_before, row.path)))),
        "operator": " → ".join(dict.fromkeys(operators)),
    }


def _sums(rows: Any) -> dict[str, Any]:
    """Combine several layers: sum their counts, and take the maximum of their values alive."""
    sums: dict[str, Any] = {}
    for measure in MEASURED:
        joined = sum if measure in COUNTED else max
        for key in (f"{measure}_before", measure):
            sums[key] = joined([getattr(row, key) for row in rows] or [0])
    return sums


def changes(sums: dict[str, Any], measures: tuple[str, ...] = MEASURED) -> dict[str, Any]:
    """Return the sums, and for each measure the signed difference as text."""
    differences = {m: sums[m] - sums[f"{m}_before"] for m in measures}
    texts = {m: f"{'+' if n > 0 else '−'}{grouped(abs(n))}" if n else "" for m, n in differences.items()}
    return {**sums, **{f"{measure}_change": text for measure, text in texts.items()}}


def differs(row: DifferenceRow) -> bool:
    """Return whether a layer differs in more than the size of its output, at no cost."""
    return row.status != "same" and not (
        row.status == "changed"
        and row.operator == row.operator_before
        and not any(_count(row, f"{m}{end}") for m in COUNTED for end in ("_before", ""))
    )


def _count(row: DifferenceRow, key: str) -> int:
    value: int = getattr(row, key)
    return value


def _counts(found: Difference) -> str:
    counts = [(status, found.count(status)) for status in get_args(Status)]
    return ", ".join(f"{n} {status}" for status, n in counts if n)


def _fitting(rows: tuple[DifferenceRow, ...], table: Table) -> list[DifferenceRow]:
    """Group rows to the depth asked for; otherwise to the finest depth that fits a screen."""
    if table.depth:
        return _grouped(rows, table.depth)
    found = list(rows)
    deepest = max((1 + (row.path or row.path_before or "").count("/") for row in rows), default=1)
    while not table.all and deepest > 1 and sum(map(differs, found)) > MOST_ROWS:
        deepest -= 1
        found = _grouped(rows, deepest)
    return found


def _grouped(rows: tuple[DifferenceRow, ...], depth: int) -> list[DifferenceRow]:
    """Group layers of the same status whose paths have the same first `depth` parts."""
    groups: dict[tuple[str | None, ...], list[DifferenceRow]] = {}
    for row in rows:
        ends = [path and "/".join(path.split("/")[:depth]) for path in (row.path_before, row.path)]
        groups.setdefault((row.status, *ends), []).append(row)
    return [_group(key, members) for key, members in groups.items()]


def _group(key: tuple[str | None, ...], rows: list[DifferenceRow]) -> DifferenceRow:
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        return first._replace(path_before=key[1], path=key[2])
    return last._replace(
        path_before=key[1],
        path=key[2],
        operator_before=first.path_before and f"{len(rows)} layers",
        operator=first.path and f"{len(rows)} layers",
        **_sums(rows),
    )


def _document(found: Difference, labels: tuple[str, str], wanted: DifferenceOptions) -> dict[str, Any]:
    """Return every layer as JSON, equal ones too, except those that --top leaves out."""
    rows = wanted.of(list(found.layers))
    return {
        "before": labels[0],
        "after": labels[1],
        "total": _sums(found.layers),
        "not_shown": len(found.layers) - len(rows),
        "diff": [row._asdict() for row in rows],
    }
