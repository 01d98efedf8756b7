"""The boxes of a picture as the rows of a table, and what is alive at each step as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.memory import Memory
from archcalc.drawing.layout import Outline
from archcalc.drawing.model import ranges
from archcalc.drawing.outline import OutlineEntry
from archcalc.reports.model import Column, Report
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, printable

MOST_BARS = 400
MOST_TERMS = 3  # the most maps that are named among those alive
LAYERS = (
    Column("layer", "layer", "name"),
    Column("times", "×", "text"),
    Column("what", "operator", "words"),
    Column("output", "output", "text"),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
    Column("share", "share", "share"),
    Column("bar", "", "bar"),
    Column("alive", "alive", "count"),
)


class Mark(NamedTuple):
    """A bar or a square: its size, the layers that it stands for, and what is told of it."""

    value: int
    layers: str
    told: str


def layers(analysis: Analysis, memory: Memory, outline: Outline) -> Report:
    """Make a row of each box that holds no others, with the counts of all its copies."""
    live = {step.node: int(step.live) for step in memory.steps}
    whole = int(analysis.multiplies)
    rows: list[dict[str, Any]] = []
    for entry, times in _leaves(outline.entries, 1):
        costs = [analysis.layers[i].costs for i in entry.layers]
        multiplies = sum(int(cost.multiplies) for cost in costs)
        rows.append(
            {
                "layer": printable(entry.path),
                "times": str(times) if times > 1 else "",
                "what": printable(" · ".join(filter(None, (entry.label, entry.small)))),
                "output": entry.shape,
                "parameters": sum(int(cost.parameters) for cost in costs),
                "multiplies": multiplies,
                "share": (multiplies, whole),
                "bar": (multiplies, whole),
                "alive": max(live[i] for i in entry.layers),
                "layers": ranges(entry.layers),
            }
        )
    total = {
        "layer": "total",
        "parameters": sum(row["parameters"] for row in rows),
        "multiplies": sum(row["multiplies"] for row in rows),
        "alive": int(memory.peak),
    }
    remark = "×: equal layers in a row, on maps of one size; counts are those of all of them."
    return Report("Layers", LAYERS, tuple(rows), total, (remark,), list)


def _leaves(entries: Sequence[OutlineEntry], times: int) -> Iterator[tuple[OutlineEntry, int]]:
    """Return the boxes that hold no others, and how often each stands in the network."""
    for entry in entries:
        if entry.children:
            yield from _leaves(entry.children, times * entry.times)
        else:
            yield entry, times * entry.times


def alive(analysis: Analysis, memory: Memory) -> Iterator[Mark]:
    """Draw a bar a step; of a long network the largest step of a few, without the maps it holds."""
    steps, nodes = memory.steps, analysis.graph.nodes
    width = -(-len(steps) // MOST_BARS)
    each = memory.held() if width == 1 else repeat([])
    for start, held in zip(range(0, len(steps), width), each, strict=False):
        group = steps[start : start + width]
        largest = max(group, key=attrgetter("live"))
        live = int(largest.live)
        held = sorted(held, key=attrgetter("size"), reverse=True)
        terms = [f"{grouped(int(b.size))} {nodes[b.nodes[0]].path}" for b in held[:MOST_TERMS]]
        more = [f"{len(held) - MOST_TERMS} more"] if len(held) > MOST_TERMS else []
        told = f"{nodes[largest.node].path}: {grouped(live)} values, {binary(4 * live)}"
        shown = ranges(sorted(step.node for step in group))
        yield Mark(live, shown, "\n".join(map(printable, [told, *terms, *more])))
