"""A network as a graph of Graphviz, blocks as clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import Outline
from archcalc.drawing.links import Named, arrows, named
from archcalc.drawing.outline import OutlineEntry
from archcalc.views.svg import KIND_COLORS, MARK_COLORS


def render(parts: Sequence[Outline]) -> str:
    lines = [
        "digraph network {",
        '  graph [fontname="Helvetica", fontsize=10, labeljust=l, style=rounded, color="#bcc4cc"]',
        '  node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", height=0.3]',
        "  edge [arrowsize=0.6]",
    ]
    for part in parts:
        boxes = named(part)
        if len(parts) > 1:
            lines += [f"  subgraph cluster_p{part.number} {{", f"    label={_quoted(part.title)}"]
        lines += _boxes(boxes, "  ")
        lines += [
            f"  {a} -> {b}{' [style=dashed, constraint=false]' if back else ''}"
            for a, b, back in arrows(part, boxes)
        ]
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
            yield f"{lead}{box.name} [label={_quoted(box.words)}, {_look(box.entry)}]"


def _look(entry: OutlineEntry) -> str:
    fill, stroke = KIND_COLORS[entry.color]
    style = ', style="rounded,filled,dashed"' if entry.color == "depthwise" else ""
    width = ", penwidth=2.5" if entry.mark else ""
    return f'fillcolor="{fill}", color="{MARK_COLORS.get(entry.mark, stroke)}"{width}{style}'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
