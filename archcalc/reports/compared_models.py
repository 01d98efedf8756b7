"""The report of model files beside each other, or beside specs: totals, and modules by their path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.imported import Model, parameters_of
from archcalc.network import Network
from archcalc.reports.compare import cells_of, columns_of
from archcalc.reports.differences import Wanted
from archcalc.reports.layout import document, label
from archcalc.reports.model import Column, Report
from archcalc.reports.models import document as document_of
from archcalc.reports.order import Order, ordered
from archcalc.reports.table import Table
from archcalc.units import grouped, printable

MOST_ROWS = 40
MEASURES: dict[str, Callable[[Any], int]] = {
    "parameters": lambda n: n.parameters if isinstance(n, Model) else n.analyze().parameters,
    "multiplies": lambda n: n.multiplies if isinstance(n, Model) else n.analyze().multiplies,
    "FLOPs": lambda n: 2 * (n.multiplies if isinstance(n, Model) else n.analyze().multiplies),
}
MODULES = (
    Column("layer", "module", "name"),
    Column("status", "", "text"),
    Column("class", "class", "text", spare=1),
    Column("multiplies_before", "multiplies before", "count"),
    Column("multiplies_after", "multiplies after", "count"),
    Column("parameters_before", "parameters before", "count", spare=2),
    Column("parameters_after", "parameters after", "count", spare=2),
)


def compared(networks: list[Any], wanted: Wanted) -> list[Report]:
    """Totals of all, but in csv, and for each model after a first model the modules that differ."""
    labels, table = [_label(network, networks) for network in networks], wanted.table
    totals = [] if table.format == "csv" else [_totals(networks, labels)]
    if not isinstance(networks[0], Model):
        return totals or [_totals(networks, labels)]
    others = [(n, own) for n, own in zip(networks[1:], labels[1:], strict=True) if isinstance(n, Model)]
    order = Order(wanted.sort, table.order.top)
    modules = (_modules(networks[0], other, labels[0], own, table) for other, own in others)
    return [*totals, *(ordered(report, order) for report in modules)]


def _label(network: Any, networks: list[Any]) -> str:
    name = label(network) if isinstance(network, Network) else printable(network.name)
    same = [other for other in networks if other.name == network.name]
    return f"{name} ({networks.index(network) + 1})" if len(same) > 1 else name


def _totals(networks: list[Any], labels: list[str]) -> Report:
    rows = [cells_of(name, [of(n) for n in networks], labels) for name, of in MEASURES.items()]
    left = any(isinstance(n, Model) and not n.complete for n in networks)
    remarks = ("at least so much: unknown operations are left out",) if left else ()
    documents = lambda: [_document(network) for network in networks]  # noqa: E731
    return Report(" · ".join(labels), columns_of("", labels), tuple(rows), None, remarks, documents)


def _document(network: Any) -> dict[str, Any]:
    if isinstance(network, Model):
        return document_of(network)
    measures = {name: of(network) for name, of in MEASURES.items()}
    return document(network, network.analyze()) | {"measures": measures}


def _modules(first: Model, second: Model, before: str, after: str, table: Table) -> Report:
    """Rows of modules by path: in one model only, or with other counts; with --all every module."""
    depth = table.depth or 1_000
    old = {m.name: m for m in first.modules(depth)}
    new = {m.name: m for m in second.modules(depth)}
    rows = []
    for path in [*old, *(path for path in new if path not in old)]:
        counts = [_counts(models.get(path)) for models in (old, new)]
        status = "new" if path not in old else "gone" if path not in new else "same"
        status = "changed" if status == "same" and counts[0] != counts[1] else status
        cls = (new.get(path) or old[path]).cls
        keys = ("multiplies_before", "parameters_before", "multiplies_after", "parameters_after")
        values = dict(zip(keys, (*counts[0], *counts[1]), strict=True))
        if table.all or (status != "same" and any(values.values())):
            rows.append({"layer": printable(path), "status": status, "class": printable(cls), **values})
    remarks = []
    if not table.all and len(rows) > MOST_ROWS:
        remarks.append(f"{grouped(len(rows) - MOST_ROWS)} more modules differ: --all shows them")
        rows = rows[:MOST_ROWS]
    total = {
        "layer": "total",
        "multiplies_before": first.multiplies,
        "multiplies_after": second.multiplies,
        "parameters_before": first.parameters,
        "parameters_after": second.parameters,
    }
    title = f"modules, {before} → {after}"
    return Report(title, MODULES, tuple(rows), total, tuple(remarks), list)


def _counts(module: Any) -> tuple[int, int]:
    return (module.counts.products, parameters_of(module)) if module else (0, 0)
