"""Give the boxes of an outline short names, and list the edges between them, for layout tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from archcalc.drawing.layout import Outline
from archcalc.drawing.outline import OutlineEntry
from archcalc.tuples import NamedTuple


class Named(NamedTuple):
    """A box with a unique name."""

    name: str
    entry: OutlineEntry
    children: list[Named]

    @property
    def words(self) -> str:
        times = f" ×{self.entry.times}" if self.entry.times > 1 else ""
        small = f" {self.entry.small}" if self.entry.small else ""
        mark = "" if self.children else self.entry.mark
        before = "".join(f"{word} " for word in (mark, self.entry.before) if word)
        return f"{before}{self.entry.label}{times}{small}"


def named(part: Outline) -> list[Named]:
    """Return all boxes of a network."""
    return _named(part.entries, count(), "ab"[part.number])


def _named(entries: Sequence[OutlineEntry], numbers: Iterator[int], letter: str) -> list[Named]:
    return [
        Named(f"{letter}{next(numbers)}", entry, _named(entry.children, numbers, letter))
        for entry in entries
    ]


def leaves_of(boxes: Sequence[Named]) -> Iterator[Named]:
    """Return the boxes that hold no others."""
    for box in boxes:
        yield from leaves_of(box.children) if box.children else [box]


class Arrow(NamedTuple):
    """An edge from one leaf to another; with `back`, from the end of a block to its next copy."""

    start: str
    stop: str
    back: bool


def arrows(part: Outline, boxes: Sequence[Named]) -> list[Arrow]:
    """Return the edges of the graph between leaves; edges of copies count as those of the first copy."""
    home = {i: leaf.name for leaf in leaves_of(boxes) for i in leaf.entry.layers}
    first = {i for leaf in leaves_of(boxes) for i in leaf.entry.nodes}
    found = {
        (home[j], home[i]): None
        for i, node in enumerate(part.graph.nodes)
        for j in node.inputs
        if home[i] != home[j] and (i in first or j in first)
    }
    return [Arrow(start, stop, _number(start) > _number(stop)) for start, stop in found]


def _number(name: str) -> int:
    return int(name[1:])
