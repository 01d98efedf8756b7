"""Prepare the drawing of a network, or of two with marks where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.analysis.costs import Analysis
from archcalc.drawing.layout import Drawable, Wishes
from archcalc.network import Network
from archcalc.reports.layout import label
from archcalc.units import printable, scaled

if TYPE_CHECKING:
    from archcalc.analysis.difference import Difference


def drawn(network: Network, other: Network | None, wishes: Wishes) -> list[Drawable]:
    """Return the network to draw; with another, both, each marked where they differ."""
    analysis = network.analyze()
    if other is None:
        return [Drawable(analysis, _title(_name(network), analysis), wishes)]
    from archcalc.analysis.difference import difference

    found = difference(analysis, other.analyze())
    pair = zip((found.before, found.after), _names([network, other]), _marks(found), strict=True)
    return [
        Drawable(analysis, _title(name, analysis), wishes._replace(marks=marks))
        for analysis, name, marks in pair
    ]


def _names(networks: list[Network]) -> list[str]:
    """Return the titles of networks; if those are equal, their names on the command line."""
    names = [_name(network) for network in networks]
    if len(set(names)) > 1:
        return names
    from archcalc.reports.compare import LONGEST, labels_of

    return labels_of(networks, LONGEST)


def _name(network: Network) -> str:
    return label(network) if network.changed else printable(network.title)


def _title(name: str, analysis: Analysis) -> str:
    """Return 'ResNet-50 · 25.6 M parameters · 4.09 G multiplies'."""
    total = analysis.total
    counts = f"{scaled(int(total.parameters))} parameters · {scaled(int(total.multiplies))} multiplies"
    return f"{name} · {counts}"


def _marks(found: Difference) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the status of each layer of both networks; '' for one that does not differ."""
    from archcalc.reports.differences import differs

    before: dict[str | None, str] = {}
    after: dict[str | None, str] = {}
    for row in found.layers:
        status = row.status if differs(row) else ""
        before[row.path_before] = after[row.path] = status
    return (
        tuple(before.get(layer.path, "") for layer in found.before.layers),
        tuple(after.get(layer.path, "") for layer in found.after.layers),
    )
