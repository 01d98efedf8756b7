"""A network as a flowchart of Mermaid, as Markdown on GitHub and others draw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import Outline
from archcalc.drawing.links import Named, arrows, leaves_of, named
from archcalc.views.svg import KIND_COLORS, MARK_COLORS


def render(parts: Sequence[Outline]) -> str:
    lines = ["flowchart LR", "  p0 ~~~ p1"] if len(parts) > 1 else ["flowchart TB"]
    used: set[str] = set()
    for part in parts:
        boxes = named(part)
        if len(parts) > 1:
            lines += [f'  subgraph p{part.number}["{_escape(part.title)}"]', "  direction TB"]
        lines += _boxes(boxes, "  ")
        lines += [f"  {a} {'-.->' if back else '-->'} {b}" for a, b, back in arrows(part, boxes)]
        if len(parts) > 1:
            lines.append("  end")
        for box in leaves_of(boxes):
            found = [name for name in (box.entry.color, box.entry.mark) if name]
            lines += [f"  class {box.name} {name}" for name in found]
            used.update(found)
    lines += [f"  classDef {name} {_look(name)}" for name in sorted(used)]
    return "\n".join(lines)


def _look(name: str) -> str:
    """Return the style of a kind, or of the border that marks a difference."""
    if name in MARK_COLORS:
        return f"stroke:{MARK_COLORS[name]},stroke-width:3px"
    fill, stroke = KIND_COLORS[name]
    dashed = ",stroke-dasharray:4 2" if name == "depthwise" else ""
    return f"fill:{fill},stroke:{stroke},color:#1b1f24{dashed}"


def _boxes(boxes: Sequence[Named], lead: str) -> Iterator[str]:
    for box in boxes:
        if box.children:
            yield f'{lead}subgraph {box.name}["{_escape(box.words)}"]'
            yield from _boxes(box.children, f"{lead}  ")
            yield f"{lead}end"
        else:
            yield f'{lead}{box.name}["{_escape(box.words)}"]'


def _escape(text: str) -> str:
    """Write text as entities: a label may hold anything."""
    return "".join(c if c.isalnum() or c in " ×·.,/+–→…" else f"#{ord(c)};" for c in text)
