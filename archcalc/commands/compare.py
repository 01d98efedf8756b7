"""archcalc compare: networks, or settings of one, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from archcalc.analysis.costs import Analysis
from archcalc.analysis.difference import difference
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import measure, stored
from archcalc.api import Network
from archcalc.commands.differences import MEASURED, Wanted, report
from archcalc.commands.options import ALL, DEPTH, FORMAT, TOP, SpecCommand, show, spec_command
from archcalc.commands.revision import at_revision
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.layout import document, label
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.units import printable

LONGEST = 16  # letters of a network written as one text, as the head of a column
MEASURES: dict[str, Callable[[Analysis], Any]] = {
    "parameters": lambda analysis: analysis.parameters,
    "statistics": lambda analysis: analysis.total.statistics,
    "multiplies": lambda analysis: analysis.multiplies,
    "FLOPs": lambda analysis: analysis.flops,
    "stored": lambda analysis: stored(analysis.graph),
    "peak": lambda analysis: measure(analysis.graph).peak,
    "weight layers": lambda analysis: analysis.weight_layers,
    "receptive field": lambda analysis: _field(analysis),
}


def example_of(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let the example of a docstring be one of this command."""

    def told(function: Callable[..., None]) -> Callable[..., None]:
        function.__doc__ = str(function.__doc__).replace(
            "Example: archcalc diff", f"Example: archcalc {name}"
        )
        return function

    return told


def made(name: str) -> SpecCommand:
    """The command under one of its two names."""

    @spec_command(name)
    @click.option("--git", "revision", metavar="REV", help="A file against itself at this revision.")
    @click.option("--by", type=click.Choice(MEASURED), default="multiplies", help="Which count to show.")
    @click.option("--sort", metavar="COLUMN", help="Order rows by a column, the largest change first.")
    @TOP
    @ALL
    @DEPTH
    @FORMAT
    @example_of(name)
    def command(
        networks: list[Network], table: Table, by: str, sort: str | None, revision: str | None
    ) -> None:
        """Compare SPECs: totals side by side, then the layers, aligned by what they are.

        \b
        Example: archcalc diff resnet50 resnet50:stride=1x1
                 archcalc diff --git main my-net.toml

        \b
        parameters, multiplies, FLOPs   as in `archcalc params` and `archcalc flops`
        stored, peak                    values, as in `archcalc memory`
        receptive field                 pixels, as in `archcalc field`
        ratios, layers                  against the first SPEC
        same, changed                   a layer in the same place: alike, or other
                                        in arguments, input or output
        moved                           alike, in another place
        alive                           values at once; of several, the most
        ±                               what the later SPEC has more or less
        new, gone                       only in the later or in the first SPEC
        total                           of all layers, also those not shown (--all)
        """
        if revision is not None:
            networks = [at_revision(network, revision) for network in networks[:1]] + networks
        _show(name, networks, Wanted(by, sort, table))

    return command


command = made("compare")


def _show(name: str, networks: list[Network], wanted: Wanted) -> None:
    """The totals of all, and the layers of each against those of the first."""
    if len(networks) < 2:
        help = f"as in `archcalc {name} vgg16 resnet50` or `resnet50 resnet50:stride=1x1`"
        raise UsageError(Diagnostic(f"{name} needs two SPECs or more", help=help))
    first, *others = analyses = [network.analyze() for network in networks]
    labels = _labels(networks, None if wanted.table.format == "json" else LONGEST)
    pairs = zip(others, labels[1:], strict=True)
    layers = [report(difference(first, other), (labels[0], own), wanted) for other, own in pairs]
    totals = [] if wanted.table.format == "csv" else [_totals(networks, analyses, labels)]
    show(name, [*totals, *layers], wanted.table.format)


def _labels(networks: list[Network], longest: int | None) -> list[str]:
    """What heads the columns; the text of a network is cut where it would fill the screen."""
    names = [_cut(label(network), longest) for network in networks]
    shorter = [_cut(label(network), longest and longest - 4) for network in networks]
    return [
        f"{short} ({i})" if names.count(name) > 1 else name
        for i, (name, short) in enumerate(zip(names, shorter, strict=True), 1)
    ]


def _cut(name: str, longest: int | None) -> str:
    return f"{name[: longest - 1]}…" if longest and "|" in name and len(name) > longest else name


def _columns(first: str, labels: list[str]) -> tuple[Column, ...]:
    columns = [Column("name", first, "name")]
    for i, name in enumerate(labels):
        columns.append(Column(f"{name}", name, "count"))
        if i:
            columns.append(Column(f"ratio{i}", "ratio", "change", spare=1))
    return tuple(columns)


def _cells(name: str, values: list[Any], labels: list[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {"name": name, **dict(zip(labels, values, strict=True))}
    for i, value in enumerate(values[1:], 1):
        if value != values[0] and None not in (value, values[0]):
            cells[f"ratio{i}"] = (values[0], value)
    return cells


def _totals(networks: list[Network], analyses: list[Analysis], labels: list[str]) -> Report:
    rows = []
    for name, measured in MEASURES.items():
        values = [measured(analysis) for analysis in analyses]
        if any(values):
            rows.append(_cells(name, values, labels))
    columns = _columns("", labels)
    titles = [printable(network.title) for network in networks]
    heading = " · ".join(labels if len(set(titles)) < len(titles) else titles)

    def documents() -> list[dict[str, Any]]:
        pairs = zip(networks, analyses, strict=True)
        return [{**document(n, a), "measures": {k: m(a) for k, m in MEASURES.items()}} for n, a in pairs]

    return Report(heading, columns, tuple(rows), None, (), documents)


def _field(analysis: Analysis) -> Any:
    field = receptive_fields(analysis.graph).of_network
    return max(field.height.size, field.width.size) if field.height and field.width else None
