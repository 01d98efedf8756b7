"""Lay out the rows of a network's report, its titles and labels, and a base beside a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from archcalc.analysis.costs import Analysis, Costs, Layer
from archcalc.analysis.summary import (
    EVERY_LAYER,
    Matters,
    Row,
    fitting_depth,
    named,
    short_names,
    summarize,
)
from archcalc.api import Network
from archcalc.operators.model import Extent, Work
from archcalc.operators.shape import Shape
from archcalc.reports.model import Ranked
from archcalc.reports.table import Table
from archcalc.spec.settings import show_value
from archcalc.symbols import Int
from archcalc.units import printable

if TYPE_CHECKING:
    from fractions import Fraction

Measure = Callable[[Costs], Int]


def title(network: Network, analysis: Analysis) -> str:
    """Return a title: 'VGG-16 · 224×224×3 → 1000 · 16 weight layers'."""
    graph = analysis.graph
    layers = analysis.weight_layers
    parts = [printable(network.title), f"{graph.input} → {graph.nodes[graph.output].shape}"]
    if layers > 1:
        parts.append(f"{layers} weight layers")
    if graph.side_outputs:
        parts.append(f"also {', '.join(name for name, _ in graph.side_outputs)}")
    return " · ".join([*parts, *map(printable, changes(network))])


def change_label(network: Network) -> str:
    """Return the header over the changed column: 'bottleneck=16'."""
    label = printable(" ".join(changes(network)))
    return label if len(label) <= 24 else "changed"


def label(network: Network) -> str:
    """Return the network's name as on a command line: 'resnet50:stride=1x1'."""
    return printable(":".join([network.name, *changes(network)]))


def changes(network: Network) -> list[str]:
    """Return the changed variables as on a command line: ['stride=1x1']."""
    return [f"{name}={show_value(value)}" for name, value in network.changed.items()]


def has_costs(layer: Layer) -> bool:
    """Return whether a layer stores numbers or multiplies."""
    return bool(layer.costs.stored_numbers or layer.costs.multiplies)


def has_multiplies(layer: Layer) -> bool:
    return bool(layer.costs.multiplies)


def single(analysis: Analysis, matters: Matters, table: Table) -> tuple[list[Row], list[str]]:
    """Return the rows of one network, and the name under which each is shown."""
    rows = summarize(analysis, matters, _depth([analysis], matters, table))
    paths = [row.path for row in rows]
    names = paths if table.all or table.format == "json" else short_names(paths)
    return [named(row, name) for row, name in zip(rows, names, strict=True)], names


def rows_of(analysis: Analysis, table: Table) -> list[Row]:
    """Return every layer, or every block at this depth."""
    return summarize(analysis, lambda layer: True, EVERY_LAYER if table.all else table.depth)


def _depth(analyses: list[Analysis], matters: Matters, table: Table) -> int | None:
    return EVERY_LAYER if table.all else table.depth or fitting_depth(analyses, matters)


def beside(base: Analysis, changed: Analysis, measure: Measure, table: Table) -> list[dict[str, Any]]:
    """Return the rows of two analyses side by side, matched by path.

    A group that changed and has several rows gets a row of its own after them.
    """

    def matters(layer: Layer) -> bool:
        return bool(measure(layer.costs))

    chosen = _depth([base, changed], matters, table)
    merged = _merge(summarize(base, matters, chosen), summarize(changed, matters, chosen))
    paths = [(after or before).path for before, after in merged]  # type: ignore[union-attr]
    names = paths if table.all else short_names(paths)
    rows: list[dict[str, Any]] = []
    for i, ((before, after), name) in enumerate(zip(merged, names, strict=True)):
        rows.append({"layer": name, **_pair(before, after, measure, name)})
        group = name.rpartition("/")[0]
        if group and not any(later.startswith(f"{group}/") for later in names[i + 1 :]):
            rows += _subtotal(group, rows)
    return rows


def _pair(before: Row | None, after: Row | None, measure: Measure, name: str) -> dict[str, Any]:
    row = after or before
    assert row is not None
    base = measure(before.costs) if before else None
    changed = measure(after.costs) if after else None
    change = (base, changed) if base != changed else None
    sums = arithmetic(after) if after else None
    return {
        "output": output(named(row, name)),
        "base": base,
        "changed": changed,
        "change": change,
        "arithmetic": sums,
    }


def _subtotal(group: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the row of a group that changed and has several rows; else none."""
    members = [r for r in rows if r["layer"].startswith(f"{group}/") and not r.get("strong")]
    base, changed = _sum(members, "base"), _sum(members, "changed")
    if base == changed or len(members) < 2:
        return []
    return [
        {
            "layer": group,
            "base": base,
            "changed": changed,
            "change": (base, changed),
            "strong": True,
            "subtotal": True,
        }
    ]


def _sum(rows: list[dict[str, Any]], key: str) -> int | None:
    """Return the sum of a column; None if no row has a value in it."""
    values = [row[key] for row in rows if row[key] is not None]
    return sum(values) if values else None


def _merge(before: Sequence[Row], after: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    """Pair the rows of equal paths, in the order after the change; removed rows keep their places."""
    position = {row.path: i for i, row in enumerate(before)}
    merged: list[tuple[Row | None, Row | None]] = []
    taken = 0
    new = {row.path for row in after}
    for row in after:
        at = position.get(row.path)
        if at is not None:
            merged += [(gone, None) for gone in before[taken:at] if gone.path not in new]
            taken = max(taken, at + 1)
        merged.append((before[at] if at is not None else None, row))
    merged += [(gone, None) for gone in before[taken:] if gone.path not in new]
    return merged


def both(sides: Iterable[Fraction | int]) -> str:
    """Return the numbers of all axes as text, as one number if they are equal: '7', '3×7', '0.5'."""
    texts = list(map(_decimal, sides))
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def _decimal(value: Fraction | int) -> str:
    """Write a number as a decimal: exact if six decimal places suffice, else rounded to three."""
    if value.denominator == 1:
        return str(int(value))
    places = 3 if 10**6 % value.denominator else 6
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{part:0{places}}".rstrip("0").rstrip(".")


def output(row: Row) -> Ranked:
    """Return the shape that a row shows."""
    return ranked(row.shape)


def ranked(shape: Shape) -> Ranked:
    """Return a shape as a cell that is sorted by its number of values."""
    return Ranked(str(shape), shape.values)


def pair(axes: Iterable[int | Fraction]) -> Ranked:
    """Return a property of all axes as a cell sorted by the largest; 'all' if there are no axes."""
    found = list(axes)
    return Ranked(both(found), (max(found), min(found))) if found else Ranked("all", (inf, inf))


def arithmetic(row: Row) -> str | None:
    """Return the products of a row's only layer that multiplies: '28·28·32 × 5·5·192'; else None."""
    layers = [layer for layer in row.layers if layer.costs.multiplies]
    if len(layers) != 1:
        return None
    work = layers[0].node.operator.work(*layers[0].inputs)
    products = [_product(w) for w in work if w.kind == "products"]
    return " + ".join(products)


def _product(work: Work) -> str:
    return " × ".join(map(_extent, work.extents))


def _extent(extent: Extent) -> str:
    return "·".join(str(factor) for _, factor in extent.factors)
