"""Report the values alive at each step: the second table of `archcalc memory`."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.costs import Analysis
from archcalc.analysis.memory import Memory
from archcalc.analysis.summary import block, ends
from archcalc.formats import bytes_of
from archcalc.reports.layout import ranked
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.units import binary

STEPS = (
    Column("layer", "step", "name"),
    Column("output", "output", "text", spare=2),
    Column("alive", "alive", "count"),
    Column("bytes", "bytes", "data"),
    Column("size", "size", "text", spare=1),
    Column("bar", "", "bar", spare=3),
)
MOST_STEPS = 40


def timeline(
    analysis: Analysis, memory: Memory, table: Table, dtype: str, batch: int, name: str
) -> Report:
    """Return a row for each step that allocates memory; in a long network, for each block."""
    peak = int(memory.peak)
    paths = [analysis.graph.nodes[step.node].path for step in memory.steps]
    fresh = {buffer.born for buffer in memory.buffers}
    steps = [i for i in range(len(memory.steps)) if table.all or i in fresh]
    depth = None if table.all else table.depth or finest([paths[i] for i in steps])
    last = ends(analysis.layers, depth)
    groups: dict[str, list[int]] = {}
    for i in steps:
        groups.setdefault(block(paths[i], depth), []).append(i)
    rows = []
    for path, members in groups.items():
        live = max(int(memory.steps[i].live) for i in members)
        values = live * batch
        size = int(bytes_of(values, dtype))
        rows.append(
            {
                "layer": path,
                "output": ranked(last[path].node.shape),
                "shape": last[path].node.shape,
                "alive": values,
                "bytes": size,
                "size": Ranked(binary(size), values),
                "bar": (live, peak),
                "strong": live == peak,
            }
        )
    return Report(f"{name}: alive at each step", STEPS, tuple(rows), None, (), list, name)


def finest(paths: list[str]) -> int | None:
    """Return the largest depth at which paths form at most 40 groups; None if they need no grouping."""
    if len(paths) <= MOST_STEPS:
        return None
    deepest = max(path.count("/") for path in paths)
    for depth in range(deepest, 0, -1):
        if len({block(path, depth) for path in paths}) <= MOST_STEPS:
            return depth
    return 1


def listed(steps: Report) -> list[dict[str, Any]]:
    """Return the rows of the timeline as JSON."""
    return [
        {
            "path": row["layer"],
            "output": list(row["shape"]),
            "alive": row["alive"],
            "bytes": row["bytes"],
        }
        for row in steps.rows
    ]
