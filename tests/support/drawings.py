"""The laws of a drawing, each a function that yields what breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from archcalc.drawing.metrics import width
from archcalc.drawing.model import Drawing, DrawnBox, Wire
from archcalc.graph.model import Graph

SMALL_GAP = 4  # between the parts of a label, as a browser's space of 9 to 11 pixels is at most


def holds(outer: DrawnBox, inner: DrawnBox) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def crosses(wire: Wire, box: DrawnBox) -> bool:
    """Whether a line runs through the inside of a box: more than touching its border."""
    left, right = box.x + 0.5, box.x + box.width - 0.5
    top, bottom = box.y + 0.5, box.y + box.height - 0.5
    for (x1, y1), (x2, y2) in pairwise(wire.points):
        assert x1 == x2 or y1 == y2, "lines run down or across"
        across = min(x1, x2) < right and max(x1, x2) > left
        if across and min(y1, y2) < bottom and max(y1, y2) > top:
            return True
    return False


def foreign_boxes(drawing: Drawing) -> Iterator[str]:
    """Yield lines through a leaf, or through a frame that holds neither of their ends."""
    for wire in drawing.wires:
        ends = {node for edge in wire.edges for node in edge}
        for box in drawing.boxes:
            own = box.kind == "frame" and not ends.isdisjoint(box.layers)
            if not own and crosses(wire, box):
                yield f"{wire.points} for {wire.edges} through {box.path} {box.label}"


def wide_texts(drawing: Drawing) -> Iterator[str]:
    """Yield texts wider than their room, and room that is more than their box has."""
    for caption in drawing.captions:
        wide = width(caption.text, caption.kind)
        for small in filter(None, (caption.before, caption.after)):
            wide += width(small, "small") + SMALL_GAP
        if wide > caption.room + 0.01:
            yield f"{caption.text} is {wide:.1f} wide in {caption.room:.1f}"
        if caption.box >= 0 and caption.room > drawing.boxes[caption.box].width:
            yield f"{caption.text} has more room than its box"


def texts_on_borders(drawing: Drawing) -> Iterator[str]:
    """Yield sizes of maps that lie on a border of a box, or in a leaf."""
    for caption in drawing.captions:
        if caption.box >= 0 or caption.kind != "shape":
            continue
        left, right = caption.x, caption.x + width(caption.text, "shape")
        top, bottom = caption.y - 6.5, caption.y
        for box in drawing.boxes:
            end, under = box.x + box.width, box.y + box.height
            apart = right < box.x or left > end or bottom < box.y or top > under
            inside = (
                box.kind == "frame" and left > box.x and right < end and top > box.y and bottom < under
            )
            if not apart and not inside:
                yield f"{caption.text} on the border of {box.path}"


def texts_on_texts(drawing: Drawing) -> Iterator[str]:
    """Yield texts that overlap."""
    places = []
    for caption in drawing.captions:
        wide = caption.room if caption.box >= 0 else width(caption.text, caption.kind)
        shift = {"start": 0.0, "middle": wide / 2, "end": wide}[caption.anchor]
        left = caption.x - shift
        places.append((left, left + wide, caption.y - 6, caption.y, caption.text))
    places.sort()
    for i, (left, right, top, bottom, text) in enumerate(places):
        for left2, right2, top2, bottom2, text2 in places[i + 1 :]:
            if left2 >= right:
                break
            if top < bottom2 and top2 < bottom and left < right2:
                yield f"{text} overlaps {text2}"


def boxes_on_boxes(drawing: Drawing) -> Iterator[str]:
    """Yield boxes that overlap, neither holding the other."""
    for i, box in enumerate(drawing.boxes):
        for other in drawing.boxes[i + 1 :]:
            apart = (
                box.x + box.width <= other.x
                or other.x + other.width <= box.x
                or box.y + box.height <= other.y
                or other.y + other.height <= box.y
            )
            if not apart and not (box.kind == "frame" and holds(box, other)):
                yield f"{box.path} overlaps {other.path}"


def lost_layers(drawing: Drawing, graph: Graph) -> Iterator[str]:
    """Yield layers that no leaf, or more than one, stands for; costs that do not sum up."""
    found = sorted(i for box in drawing.boxes if box.leaf for i in box.layers)
    if found != list(range(len(graph.nodes))):
        yield f"{len(found)} layers of {len(graph.nodes)}"
    if drawing.by in ("multiplies", "params"):
        total = sum(box.cost for box in drawing.boxes if box.leaf)
        if total != drawing.total:
            yield f"costs of {total}, not {drawing.total}"


def lost_edges(drawing: Drawing, graph: Graph) -> Iterator[str]:
    """Yield edges of the graph that are neither drawn from box to box, nor folded away.

    An edge is folded if both ends are in one leaf, or if it belongs to a copy that is not drawn: to or
    from a layer that is not the first that its leaf stands for.
    """
    home = {i: box for box in drawing.boxes if box.leaf for i in box.layers}
    drawn: dict[tuple[int, int], list[Wire]] = {}
    for wire in drawing.wires:
        for edge in wire.edges:
            drawn.setdefault(edge, []).append(wire)
    around: dict[int, list[DrawnBox]] = {}
    for box in drawing.boxes:
        for i in box.layers:
            around.setdefault(i, []).append(box)
    for i, node in enumerate(graph.nodes):
        for j in node.inputs:
            if home[i] is home[j] or _folded(around[j], around[i]):
                continue
            wires = drawn.get((j, i), [])
            ends = [point for wire in wires for point in (wire.points[0], wire.points[-1])]
            if not any(_touches(point, around[j]) for point in ends):
                yield f"{graph.nodes[j].path} → {node.path} does not begin"
            if not any(_touches(point, around[i]) for point in ends):
                yield f"{graph.nodes[j].path} → {node.path} does not end"
            if not _connected(wires):
                yield f"{graph.nodes[j].path} → {node.path} is interrupted"


def _folded(source: Sequence[DrawnBox], target: Sequence[DrawnBox]) -> bool:
    """Whether both lie in one box that stands for several copies."""
    common = [box for box in source if any(box is other for other in target)]
    return any(box.times > 1 for box in common)


def _touches(point: tuple[float, float], boxes: Sequence[DrawnBox]) -> bool:
    x, y = point
    return any(
        box.x - 0.1 <= x <= box.x + box.width + 0.1
        and box.y - 0.1 <= y <= box.y + box.height + 0.1
        and (
            min(abs(x - box.x), abs(x - box.x - box.width)) < 0.1
            or min(abs(y - box.y), abs(y - box.y - box.height)) < 0.1
        )
        for box in boxes
    )


def _connected(wires: Sequence[Wire]) -> bool:
    """Whether lines meet end to end."""
    if not wires:
        return False
    reached, waiting = [wires[0]], list(wires[1:])
    while waiting:
        ends = {p for wire in reached for p in (wire.points[0], wire.points[-1])}
        found = [wire for wire in waiting if ends.intersection((wire.points[0], wire.points[-1]))]
        if not found:
            return False
        reached += found
        waiting = [wire for wire in waiting if not any(wire is other for other in found)]
    return True


def outside(drawing: Drawing) -> Iterator[str]:
    """Yield what lies beyond the edges of the picture."""
    for box in drawing.boxes:
        right, bottom = box.x + box.width, box.y + box.height
        if box.x < 0 or box.y < 0 or right > drawing.width or bottom > drawing.height:
            yield box.path
    for wire in drawing.wires:
        for x, y in wire.points:
            if not (0 <= x <= drawing.width and 0 <= y <= drawing.height):
                yield f"{wire.points}"
    for caption in drawing.captions:
        if caption.box < 0 and caption.x + caption.room > drawing.width:
            yield caption.text


LAWS = (foreign_boxes, wide_texts, texts_on_borders, texts_on_texts, boxes_on_boxes, outside)
GRAPH_LAWS = (lost_layers, lost_edges)


def faults(drawing: Drawing, graph: Graph) -> list[str]:
    """Return everything that is wrong with a drawing."""
    found = [f"{law.__name__}: {text}" for law in LAWS for text in law(drawing)]
    return found + [f"{law.__name__}: {text}" for law in GRAPH_LAWS for text in law(drawing, graph)]
