"""What is drawn of a network, or of two beside each other: titles, and the marks of a difference."""

from __future__ import annotations

from archcalc.analysis.costs import Analysis
from archcalc.analysis.difference import Difference, difference
from archcalc.drawing.layout import Drawable, Wishes
from archcalc.network import Network
from archcalc.reports.differences import differs
from archcalc.reports.layout import label
from archcalc.units import printable, scaled


def drawn(network: Network, other: Network | None, wishes: Wishes) -> list[Drawable]:
    """The network, and the other with the marks of what differs."""
    analysis = network.analyze()
    if other is None:
        return [Drawable(analysis, _title(network, analysis), wishes)]
    found = difference(analysis, other.analyze())
    before, after = _marks(found)
    return [
        Drawable(found.before, _title(network, found.before), wishes._replace(marks=before)),
        Drawable(found.after, _title(other, found.after), wishes._replace(marks=after)),
    ]


def _title(network: Network, analysis: Analysis) -> str:
    """'ResNet-50 · 25.6 M parameters · 4.09 G multiplies', with what was set."""
    name = label(network) if network.changed else printable(network.title)
    total = analysis.total
    counts = f"{scaled(int(total.parameters))} parameters · {scaled(int(total.multiplies))} multiplies"
    return f"{name} · {counts}"


def _marks(found: Difference) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The status of each layer of both networks; '' where nothing of its own differs."""
    before: dict[str | None, str] = {}
    after: dict[str | None, str] = {}
    for row in found.layers:
        status = row.status if differs(row) else ""
        before[row.path_before] = after[row.path] = status
    return (
        tuple(before.get(layer.path, "") for layer in found.before.layers),
        tuple(after.get(layer.path, "") for layer in found.after.layers),
    )
