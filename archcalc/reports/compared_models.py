"""Report model files beside each other or beside specs: totals, and modules matched by path."""

from __future__ import annotations

from typing import Any

from archcalc.imported import DEEPEST, Model, parameters_of
from archcalc.network import Network
from archcalc.reports.compare import cells_of, columns_of
from archcalc.reports.differences import COUNTED, MOST_ROWS, DifferenceOptions, changes
from archcalc.reports.documents import document
from archcalc.reports.layout import label
from archcalc.reports.model import Column, Report
from archcalc.reports.models import document as document_of
from archcalc.reports.models import unused
from archcalc.reports.order import Order, column_named, ordered, sorted_by
from archcalc.units import printable

SORTED = (
    Column("layer", "module", "name"),
    Column("status", "status", "name"),
    Column("class", "class", "name"),
    *(Column(measure, measure, "change") for measure in COUNTED),
)


def compared(networks: list[Any], wanted: DifferenceOptions) -> list[Report]:
    """Return the totals of all (not for csv), and each model's modules that differ from the first's."""
    labels = [_label(network, networks) for network in networks]
    totals = [] if wanted.table.format == "csv" else [_totals(networks, labels)]
    first, *others = zip(networks, labels, strict=True)
    models = [(n, own) for n, own in others if isinstance(n, Model) and isinstance(first[0], Model)]
    modules = [_modules(first[0], other, first[1], own, wanted) for other, own in models]
    return [*totals, *modules] or [_totals(networks, labels)]


def _label(network: Any, networks: list[Any]) -> str:
    name = label(network) if isinstance(network, Network) else printable(network.name)
    same = [other for other in networks if other.name == network.name]
    return f"{name} ({networks.index(network) + 1})" if len(same) > 1 else name


def _totals(networks: list[Any], labels: list[str]) -> Report:
    measured = [_measures(network) for network in networks]
    rows = [cells_of(name, [own[name] for own in measured], labels) for name in measured[0]]
    left = any(isinstance(n, Model) and not n.complete for n in networks)
    remarks = ("at least so much: unknown operations are left out",) if left else ()
    documents = lambda: [_document(network) for network in networks]  # noqa: E731
    return Report(" · ".join(labels), columns_of(labels), tuple(rows), None, remarks, documents)


def _document(network: Any) -> dict[str, Any]:
    if isinstance(network, Model):
        return document_of(network)
    return document(network, network.analyze()) | {"measures": _measures(network)}


def _measures(network: Any) -> dict[str, int]:
    """Return the totals that model files and specs both have."""
    counted = network if isinstance(network, Model) else network.analyze()
    multiplies = counted.multiplies
    return {"parameters": counted.parameters, "multiplies": multiplies, "FLOPs": 2 * multiplies}


def _modules(first: Model, second: Model, before: str, after: str, wanted: DifferenceOptions) -> Report:
    """Return the modules that one model lacks, or whose counts differ; with --all every module."""
    table = wanted.table
    depth = table.depth or DEEPEST
    old = {m.name: m for m in first.modules(depth)}
    new = {m.name: m for m in second.modules(depth)}
    rows = []
    for path in [*old, *(path for path in new if path not in old)]:
        counts = [_counts(models.get(path)) for models in (old, new)]
        status = "new" if path not in old else "gone" if path not in new else "same"
        status = "changed" if status == "same" and counts[0] != counts[1] else status
        cls = (new.get(path) or old[path]).cls
        keys = ("multiplies_before", "parameters_before", "multiplies", "parameters")
        values = dict(zip(keys, (*counts[0], *counts[1]), strict=True))
        if table.all or (status != "same" and any(values.values())):
            row = {"layer": printable(path), "status": status, "class": printable(cls)}
            rows.append({**row, **changes(values, COUNTED)})
    total = {
        "layer": "total",
        "multiplies_before": first.multiplies,
        "multiplies": second.multiplies,
        "parameters_before": first.parameters,
        "parameters": second.parameters,
    }
    title = f"modules, {before} → {after}"
    remarks = dict.fromkeys(
        f"{name}: {told}" for name, m in ((before, first), (after, second)) for told in unused(m)
    )
    most = table.order.top or (None if table.all else MOST_ROWS)
    whole = Report(
        title, _columns(wanted), tuple(_sorted(rows, wanted.sort)), total, tuple(remarks), list
    )
    return ordered(whole, Order(None, most))


def _columns(wanted: DifferenceOptions) -> tuple[Column, ...]:
    """Return the columns: the chosen count before and after; in a table, the change of the other."""
    columns = [Column("layer", "module", "name"), Column("status", "", "words")]
    columns.append(Column("class", "class", "words", spare=1))
    other = next(measure for measure in COUNTED if measure != wanted.by)
    table = wanted.table.format == "table"
    for measure in (wanted.by,) if table else COUNTED:
        columns.append(Column(f"{measure}_before", f"{measure} before", "count"))
        columns.append(Column(measure, "after" if table else f"{measure} after", "count"))
    return (*columns, *([Column(f"{other}_change", f"± {other}", "text", spare=2)] if table else []))


def _sorted(rows: list[dict[str, Any]], word: str | None) -> list[dict[str, Any]]:
    """Return the rows sorted by their change in a column, the largest first.

    Raises:
        UsageError: there is no such column.
    """
    if word is None:
        return rows
    keyed = [{**row, **{m: (row[f"{m}_before"], row[m]) for m in COUNTED}, "row": row} for row in rows]
    return [row["row"] for row in sorted_by(keyed, column_named(SORTED, word))]


def _counts(module: Any) -> tuple[int, int]:
    return (module.counts.products, parameters_of(module)) if module else (0, 0)
