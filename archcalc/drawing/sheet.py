"""Collect the placed boxes and wires of a drawing, and then their captions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.drawing.metrics import width
from archcalc.drawing.model import Caption, DrawnBox, Place, Wire

LABEL_GAP = 4  # the pixels between the parts of a label
INSET = 8  # the pixels between a text and the border of its box
BAR = 68  # the pixels of a full bar
PILE = 6  # the pixels that copies show behind a box
Stroke = tuple[int, int]


class Sheet:
    """The boxes, wires and captions placed so far, for one or several networks."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.boxes: list[DrawnBox] = []
        self.wires: list[Wire] = []
        self.captions: list[Caption] = []
        self.depth = 0  # frames around what is placed next

    def put(self, box: DrawnBox, x: float, y: float, wide: float, high: float) -> None:
        """Add a box at its place."""
        inside, number = self.depth, self.number
        self.boxes.append(box._replace(x=x, y=y, width=wide, height=high, depth=inside, network=number))

    def wire(
        self,
        points: Sequence[Place],
        edges: Iterable[Stroke],
        *,
        arrow: bool,
        skip: bool = False,
        dot: Place | None = None,
    ) -> None:
        """Add a line for these edges of the graph."""
        straight = _without_repeats(points)
        if len(straight) > 1:
            self.wires.append(Wire(straight, tuple(edges), skip, arrow, dot, self.number))

    def add(self, other: Sheet) -> None:
        """Add everything from another sheet."""
        self.boxes += other.boxes
        self.wires += other.wires
        self.captions += other.captions

    def shape(self, x: float, middle: float, text: str) -> None:
        """Add the size of a map beside a line."""
        self.captions.append(Caption(x + 5, middle + 3, text, "shape", room=width(text, "shape")))

    def mark(self) -> tuple[int, int, int]:
        """Return a mark of what is placed so far, for `turn`."""
        return len(self.boxes), len(self.wires), len(self.captions)

    def turn(self, since: tuple[int, int, int], axis: float) -> None:
        """Mirror everything placed since a mark at the height `axis`, so that it runs upward."""
        b, w, c = since
        self.boxes[b:] = [box._replace(y=2 * axis - box.y - box.height) for box in self.boxes[b:]]
        self.wires[w:] = [
            wire._replace(
                points=tuple([(x, 2 * axis - y) for x, y in wire.points]),
                dot=wire.dot and (wire.dot[0], 2 * axis - wire.dot[1]),
            )
            for wire in self.wires[w:]
        ]
        self.captions[c:] = [t._replace(y=2 * axis - t.y + 6) for t in self.captions[c:]]

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the least and the largest x and y of all boxes, lines and texts beside lines."""
        xs = [x for box in self.boxes for x in (box.x, box.x + box.width + _pile(box))]
        ys = [y for box in self.boxes for y in (box.y - _pile(box), box.y + box.height)]
        points = [point for wire in self.wires for point in wire.points]
        xs += [x for x, _ in points] + [t.x + t.room for t in self.captions if t.anchor == "start"]
        ys += [y for _, y in points]
        return min(xs), min(ys), max(xs), max(ys)

    def move(self, dx: float, dy: float) -> None:
        """Move everything."""
        if not dx and not dy:
            return
        self.boxes = [box._replace(x=box.x + dx, y=box.y + dy) for box in self.boxes]
        self.wires = [
            wire._replace(
                points=tuple([(x + dx, y + dy) for x, y in wire.points]),
                dot=wire.dot and (wire.dot[0] + dx, wire.dot[1] + dy),
            )
            for wire in self.wires
        ]
        self.captions = [t._replace(x=t.x + dx, y=t.y + dy) for t in self.captions]


def _pile(box: DrawnBox) -> float:
    return PILE if box.times > 1 else 0


def _without_repeats(points: Sequence[Place]) -> tuple[Place, ...]:
    """Remove points that lie on the line between their neighbors."""
    kept: list[Place] = []
    for x, y in points:
        if kept and kept[-1] == (x, y):
            continue
        if len(kept) > 1 and (kept[-2][0] == kept[-1][0] == x or kept[-2][1] == kept[-1][1] == y):
            kept.pop()
        kept.append((x, y))
    return tuple(kept)


def joined(wires: Sequence[Wire]) -> tuple[Wire, ...]:
    """Join wires of the same edges that continue each other."""
    starts: dict[tuple[Place, tuple[Stroke, ...]], int] = {}
    for i, wire in enumerate(wires):
        starts.setdefault((wire.points[0], wire.edges), i)
    found: list[Wire] = []
    taken: set[int] = set()
    for i, wire in enumerate(wires):
        if i in taken:
            continue
        while not wire.arrow and wire.edges:
            after = starts.get((wire.points[-1], wire.edges))
            if after is None or after in taken or after == i or wires[after].dot or after < i:
                break
            taken.add(after)
            more = wires[after]
            points = _without_repeats([*wire.points, *more.points])
            wire = wire._replace(points=points, arrow=more.arrow, skip=wire.skip or more.skip)
        found.append(wire)
    return tuple(found)


def text_width(box: DrawnBox) -> float:
    """Return the width of the text in a leaf."""
    style = "join" if box.kind == "join" and len(box.label) == 1 else "label"
    parts = [width(part, "small") + LABEL_GAP for part in (box.head, box.tail) if part]
    times = [width(f"×{box.times}", "times") + LABEL_GAP] if box.times > 1 else []
    return width(box.label, style) + sum(parts) + sum(times)


def has_bar(box: DrawnBox) -> bool:
    """Return whether a box's bar is at least one pixel long; shorter bars are not drawn."""
    return BAR * box.share >= 1


def captions(boxes: Sequence[DrawnBox]) -> list[Caption]:
    """Return the texts of all boxes."""
    return [caption for i, box in enumerate(boxes) for caption in _captions(i, box)]


def _captions(number: int, box: DrawnBox) -> list[Caption]:
    times = f"×{box.times}" if box.times > 1 else ""
    if box.kind == "frame":
        room = box.width - 2 * INSET - (width(times, "times") + LABEL_GAP if times else 0)
        found = [Caption(box.x + INSET, box.y + 13, box.label, "name", "start", number, room)]
        if times:
            x, room = box.x + box.width - INSET, width(times, "times")
            found.append(Caption(x, box.y + 14, times, "times", "end", number, room))
        return [caption for caption in found if caption.text]
    symbol = box.kind == "join" and len(box.label) == 1
    kind = "join" if symbol else "label"
    middle = box.y + box.height / 2 + (4.5 if symbol else 2.2 if has_bar(box) else 3.8)
    room = box.width - (6 if symbol else INSET)
    text = Caption(
        box.x + box.width / 2, middle, box.label, kind, "middle", number, room, box.head, box.tail
    )
    if not times:
        return [text]
    space = width(times, "times") + LABEL_GAP
    badge = Caption(box.x + box.width - INSET / 2, middle + 0.5, times, "times", "end", number, space)
    return [text._replace(x=text.x - space / 2, room=room - space - 1), badge]
