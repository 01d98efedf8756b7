"""A network as a graph of Graphviz, blocks as clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import Outline
from archcalc.drawing.links import Named, edges_between, named
from archcalc.views.svg import KIND_COLORS


def render(parts: Sequence[Outline]) -> str:
    lines = [
        "digraph network {",
        '  graph [fontname="Helvetica", fontsize=10, style=rounded, color="#bcc4cc"]',
        '  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", height=0.3]',
        "  edge [arrowsize=0.6]",
    ]
    for part in parts:
        boxes = named(part)
        if len(parts) > 1:
            lines += [f"  subgraph cluster_p{part.number} {{", f"    label={_quoted(part.title)}"]
        lines += _boxes(boxes, "  ")
        lines += [f"  {a} -> {b}" for a, b in edges_between(part, boxes)]
        if len(parts) > 1:
            lines.append("  }")
    return "\n".join([*lines, "}"])


def _boxes(boxes: Sequence[Named], lead: str) -> Iterator[str]:
    for box in boxes:
        if box.children:
            yield f"{lead}subgraph cluster_{box.name} {{"
            yield f"{lead}  label={_quoted(box.words)}"
            yield from _boxes(box.children, f"{lead}  ")
            yield f"{lead}}}"
        else:
            fill, stroke = KIND_COLORS[box.entry.color]
            style = ', style="rounded,filled,dashed"' if box.entry.color == "depthwise" else ""
            colors = f'fillcolor="{fill}", color="{stroke}"{style}'
            yield f"{lead}{box.name} [label={_quoted(box.words)}, {colors}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
