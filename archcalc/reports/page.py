"""Gather the page of a network: picture, layers, memory, receptive fields, published numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.field import receptive_fields
from archcalc.analysis.memory import Memory, measure
from archcalc.api import Network, load
from archcalc.audit.published import numbers
from archcalc.audit.verdicts import Networks, judge
from archcalc.drawing.fitting import fitting, opened_by
from archcalc.drawing.layout import PLAIN, Drawable, Outline, outlines
from archcalc.drawing.model import ranges
from archcalc.reports import audit, flops, lint
from archcalc.reports.boxes import Mark, alive, layers
from archcalc.reports.drawn import drawn
from archcalc.reports.layout import label, title
from archcalc.reports.model import Report
from archcalc.reports.table import Table
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, printable, scaled

MOST_SQUARES = 9


class NetworkPage(NamedTuple):
    """A network on the page.

    `alive` has a bar a step in values, `peak` is the largest. `fields` are squares in pixels over an
    input of `input` pixels, from the smallest, or of a `sequence` lengths in positions; none where no
    map has a field of its own.
    """

    name: str
    title: str
    paper: str
    facts: tuple[tuple[str, str], ...]
    drawn: list[Drawable]
    layers: Report
    alive: tuple[Mark, ...]
    peak: int
    fields: tuple[Mark, ...]
    input: int
    sequence: bool
    tables: tuple[Report, ...]


def gathered(network: Network) -> NetworkPage:
    """Gather what the page says of a network."""
    analysis = network.analyze()
    memory = measure(analysis.graph)
    whole = drawn(network, None, PLAIN)
    _, drawables = fitting(whole)
    (outline,) = outlines(drawables)
    table = layers(analysis, memory, outline)
    if drawables != whole:
        table = table._replace(remarks=(*table.remarks, f"{opened_by(drawables)} (archcalc draw)"))
    plain = Table("table", None, False, False)
    one = {"images": 1, "crops": 1, "networks": 1}
    census = flops.report(network, plain, one, True, None)._replace(title="All work by operator")
    return NetworkPage(
        label(network),
        title(network, analysis),
        printable(network.about("paper") or ""),
        tuple(_facts(analysis, memory)),
        drawables,
        table,
        tuple(alive(analysis, memory)),
        int(memory.peak),
        tuple(_fields(analysis, outline)),
        max(map(int, analysis.graph.input.extents)),
        _is_sequence(analysis),
        (census, *_budget(network), *_lint(network), *_published(network)),
    )


def _facts(analysis: Analysis, memory: Memory) -> Iterator[tuple[str, str]]:
    parameters, multiplies = int(analysis.parameters), int(analysis.multiplies)
    yield "parameters", grouped(parameters)
    yield "float32", binary(4 * int(analysis.total.stored_numbers))
    yield "multiplies", grouped(multiplies)
    yield "FLOPs", scaled(2 * multiplies)
    yield "peak of the maps", binary(4 * int(memory.peak))
    yield "weight layers", grouped(int(analysis.weight_layers))


def _is_sequence(analysis: Analysis) -> bool:
    return len(analysis.graph.input.extents) == 1


def _fields(analysis: Analysis, outline: Outline) -> Iterator[Mark]:
    """Draw a square for each size that grows, a few of them; a repeat sees what its last copy sees."""
    fields, nodes = receptive_fields(analysis.graph).nodes, analysis.graph.nodes
    unit = "positions" if _is_sequence(analysis) else "pixels"
    found: dict[int, Mark] = {}
    for entry in outline.entries:
        seen = [i for i in entry.layers if fields[i].sides]
        if not seen:
            continue
        sides = [int(axis.size) for axis in fields[seen[-1]].sides]
        size, told = max(sides), f"{nodes[seen[-1]].path}: {'×'.join(map(grouped, sides))} {unit}"
        found.setdefault(size, Mark(size, ranges(entry.layers), printable(told)))
    sizes = sorted(size for size in found if size > 1)
    step = -(-len(sizes) // MOST_SQUARES) or 1
    yield from (found[size] for size in sizes[::-1][::step][::-1])


def _budget(network: Network) -> Iterator[Report]:
    """Yield the limits that stand in the spec beside what there is."""
    if network.spec.budget:
        from archcalc.reports.check import Growth, report

        found, _ = report(network, [], None, Growth())
        yield found._replace(title="Budget")


def _lint(network: Network) -> Iterator[Report]:
    """Yield what costs more than it must, or means another thing elsewhere, if anything does."""
    found, count = lint.report(network, frozenset(), 0)
    if count:
        yield found._replace(title="To look at")


def _published(network: Network) -> Iterator[Report]:
    """Return what has been printed of the network, where it is bundled and as it is."""
    if network.changed:
        return
    family = os.path.basename(network.spec.source.name)
    own = [n for n in numbers(family) if n.network.split(":")[0] == network.name]
    if own:
        networks = Networks(load)
        verdicts = [judge(number, networks) for number in own]
        (found,) = audit.reports(verdicts, True, False, plain=False)
        yield found._replace(title="In print")


class Ball(NamedTuple):
    """A network on the chart: multiplies, the value across, and parameters as its area."""

    name: str
    multiplies: int
    value: float
    parameters: int


class Chart(NamedTuple):
    """Networks over their multiplies, by what, and those of which it says nothing."""

    balls: Sequence[Ball]
    across: str
    missing: tuple[str, ...]


def balls(networks: Sequence[Network], values: dict[str, float] | None) -> tuple[list[Ball], list[str]]:
    """Draw networks as balls over their parameters or a column's values; also return those it lacks."""
    found, missing = [], []
    for network in networks:
        analysis, name = network.analyze(), label(network)
        parameters = int(analysis.parameters)
        value: Any = parameters if values is None else values.get(name)
        if value is None:
            missing.append(name)
        else:
            found.append(Ball(name, int(analysis.multiplies), float(value), parameters))
    return found, missing
