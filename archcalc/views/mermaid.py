"""A network as a flowchart of Mermaid, as Markdown on GitHub and others draw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import Outline
from archcalc.drawing.links import Named, edges_between, leaves_of, named
from archcalc.views.svg import KIND_COLORS


def render(parts: Sequence[Outline]) -> str:
    lines = ["flowchart TB"]
    used: set[str] = set()
    for part in parts:
        boxes = named(part)
        if len(parts) > 1:
            lines.append(f'  subgraph p{part.number}["{_escape(part.title)}"]')
        lines += _boxes(boxes, "  ")
        lines += [f"  {a} --> {b}" for a, b in edges_between(part, boxes)]
        if len(parts) > 1:
            lines.append("  end")
        for box in leaves_of(boxes):
            lines.append(f"  class {box.name} {box.entry.color}")
            used.add(box.entry.color)
    for color in sorted(used):
        fill, stroke = KIND_COLORS[color]
        dashed = ",stroke-dasharray:4 2" if color == "depthwise" else ""
        lines.append(f"  classDef {color} fill:{fill},stroke:{stroke},color:#1b1f24{dashed}")
    return "\n".join(lines)


def _boxes(boxes: Sequence[Named], lead: str) -> Iterator[str]:
    for box in boxes:
        if box.children:
            yield f'{lead}subgraph {box.name}["{_escape(box.words)}"]'
            yield from _boxes(box.children, f"{lead}  ")
            yield f"{lead}end"
        else:
            yield f'{lead}{box.name}["{_escape(box.words)}"]'


def _escape(text: str) -> str:
    """As entities: a label may hold anything."""
    return "".join(c if c.isalnum() or c in " ×·.,/+–→…" else f"#{ord(c)};" for c in text)
