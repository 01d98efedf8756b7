"""Compute the sizes and places of leaves, frames, forks, and of stacks of them on one axis.

A stack runs down an axis. The gap between two of its items has, from above: the bus where branches
join, the size of the map, the tap of a skip, the bus where branches fork, and an arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from archcalc.drawing.flow import Edge, Fork, Link, Strand
from archcalc.drawing.gaps import BUS_IN, BUS_OUT, STEM, TAP, GapParts
from archcalc.drawing.metrics import width
from archcalc.drawing.model import DrawnBox
from archcalc.drawing.sheet import Sheet

SIDE = 11  # between the lines at the side
BETWEEN = 14  # branches
PAD, TITLE = 10, 19  # of a frame


class Cell(Protocol):
    """Anything with a vertical axis, and its extents to the left and right of that axis."""

    left: float
    right: float
    height: float
    leaf: bool

    def place(self, sheet: Sheet, x: float, y: float) -> None:
        """Draw it with its axis at `x` and its top at `y`."""


class Leaf:
    """A box that holds no other boxes."""

    leaf = True

    def __init__(self, box: DrawnBox, width: float, height: float) -> None:
        self.box, self.height = box, height
        self.left = self.right = width / 2

    def place(self, sheet: Sheet, x: float, y: float) -> None:
        sheet.put(self.box, x - self.left, y, self.left + self.right, self.height)


class Framed:
    """A stack in a frame with a title."""

    leaf = False

    def __init__(self, box: DrawnBox, inner: Stack, up: bool) -> None:
        self.box, self.inner = box, inner
        self.above, self.below = (PAD, TITLE) if up else (TITLE, PAD)
        name = width(box.label, "name") + 14 if box.label else 0
        times = width(f"×{box.times}", "times") + 14 if box.times > 1 else 0
        self.left = max(inner.left + PAD, name)
        self.right = max(inner.right + PAD, times)
        self.height = inner.height + self.above + self.below

    def place(self, sheet: Sheet, x: float, y: float) -> None:
        sheet.put(self.box, x - self.left, y, self.left + self.right, self.height)
        sheet.depth += 1
        self.inner.draw(sheet, x, y + self.above, y, y + self.height)
        sheet.depth -= 1


class Forked:
    """Stacks side by side; with `past`, they stand to the right of a line that passes them."""

    leaf = False

    def __init__(self, fork: Fork, branches: Sequence[Stack]) -> None:
        self.fork, self.branches = fork, branches
        self.axes: list[float] = []
        at: float = 10 if fork.past else 0
        for branch in branches:
            self.axes.append(at + branch.left)
            at += branch.left + branch.right + BETWEEN
        whole = at - BETWEEN
        middle = 0 if fork.past else _middle(self.axes, whole)
        self.axes = [axis - middle for axis in self.axes]
        self.left, self.right = (6, whole) if fork.past else (middle, whole - middle)
        self.height = max(branch.height for branch in branches)
        self.entries = [(x, b.edges_in) for x, b in zip(self.axes, branches, strict=True) if b.edges_in]
        self.exits = [(x, b.edges_out) for x, b in zip(self.axes, branches, strict=True) if b.edges_out]

    def place(self, sheet: Sheet, x: float, y: float) -> None:
        for axis, branch in zip(self.axes, self.branches, strict=True):
            branch.draw(sheet, x + axis, y, y, y + self.height)


def _middle(axes: list[float], whole: float) -> float:
    """Return half of the width, or the axis of a branch that is close to it."""
    near = min(axes, key=lambda axis: abs(axis - whole / 2))
    return near if abs(near - whole / 2) < 16 else whole / 2


class Stack:
    """Cells on one axis, with their gaps; `texts` are the sizes of the maps that leave the items."""

    def __init__(self, strand: Strand, cells: Sequence[Cell], texts: Sequence[str]) -> None:
        self.strand, self.cells = strand, cells
        size = len(cells)
        self.forks = [None, *(cell if isinstance(cell, Forked) else None for cell in cells), None]
        self.straight: list[Link] = []
        self.arcs: list[Link] = []
        for link in strand.links:
            (self.straight if self._is_straight(link) else self.arcs).append(link)
        into = [link.edges for link in strand.links if link.start == -1]
        out = [link.edges for link in strand.links if link.stop == size]
        self.edges_in: tuple[Edge, ...] = tuple(chain(*into, *(edges for _, edges in self._entries(0))))
        self.edges_out: tuple[Edge, ...] = tuple(
            chain(*out, *(edges for _, edges in self._exits(size - 1)))
        )
        taps = {link.start for link in self.arcs}
        self.spaces = [self._space(p, text, p in taps) for p, text in enumerate(["", *texts], -1)]
        self.height: float = sum(cell.height for cell in cells) + sum(s.height for s in self.spaces)
        reach = [self._reach(p) for p in range(size)]
        self.lanes = self._lanes(reach)
        first = width(self.spaces[0].text, "shape") + 9 if self.spaces[0].text else 0
        self.right: float = max([*reach, *(lane + 3 for lane in self.lanes.values()), first, 3])
        self.left: float = max([*(cell.left for cell in cells), 3])

    def _fork(self, p: int) -> Forked | None:
        """Return item p (−1 to the number of items) if it is a fork."""
        return self.forks[p + 1]

    def _is_straight(self, link: Link) -> bool:
        """Return whether a link leads to the next item, or only passes forks that branch off."""
        fork = self._fork(link.start + 1)
        passes = link.stop == link.start + 2 and fork is not None and fork.fork.past
        return link.stop == link.start + 1 or passes

    def _entries(self, p: int) -> list[tuple[float, tuple[Edge, ...]]]:
        """Return the axes of item p's branches that lines lead into, with their edges."""
        fork = self._fork(p)
        return fork.entries if fork else []

    def _exits(self, p: int) -> list[tuple[float, tuple[Edge, ...]]]:
        """Return the axes of item p's branches that lead on, with their edges."""
        fork = self._fork(p)
        return fork.exits if fork else []

    def _space(self, p: int, text: str, taps: bool) -> GapParts:
        """Return the gap after item p (−1: the entry)."""
        comes = BUS_IN if self._exits(p) else 0
        size = len(self.cells)
        if p == size - 1:
            ends = any(link.stop == size for link in self.arcs)
            return GapParts(comes, "", TAP if ends else 0, 0, 6 if self.edges_out else 0)
        if self._fork(p + 1):
            return GapParts(comes, text, TAP if taps else 0, BUS_OUT, 2)
        if p == -1 and not self.edges_in:
            return GapParts()
        return GapParts(comes, text, TAP if taps else 0, 0, STEM)

    def _reach(self, p: int) -> float:
        """Return the extent to the right of item p and the text below it."""
        text = self.spaces[p + 1].text
        return max(self.cells[p].right, width(text, "shape") + 9 if text else 0)

    def _lanes(self, reach: list[float]) -> dict[Link, float]:
        """Return the distance of each skip line from the axis: beyond what it skips and shorter ones."""
        lanes: dict[Link, float] = {}
        for link in sorted(self.arcs, key=lambda link: (link.stop - link.start, link.start)):
            target = self.cells[link.stop].right if link.stop < len(self.cells) else 0
            lane = max([*reach[link.start + 1 : link.stop], target]) + SIDE
            others = (x for a, x in lanes.items() if a.start < link.stop and link.start < a.stop)
            lanes[link] = max([lane, *(x + SIDE - 3 for x in others)])
        return lanes

    def tops(self, y: float) -> list[float]:
        """Return the top of each cell, and the bottom of the last, for a stack with its top at `y`."""
        found = []
        for space, cell in zip(self.spaces, self.cells, strict=False):
            y += space.height
            found.append(y)
            y += cell.height
        return [*found, y]

    def draw(self, sheet: Sheet, x: float, y: float, entry: float, exit: float) -> None:
        """Draw the stack from `y` down; lines enter at the height `entry`, and leave at `exit`."""
        tops = self.tops(y)
        for cell, top in zip(self.cells, tops, strict=False):
            cell.place(sheet, x, top)
        self.connect(sheet, x, tops, entry, exit, range(-1, len(self.cells)))

    def connect(
        self, sheet: Sheet, x: float, tops: list[float], entry: float, exit: float, gaps: range
    ) -> None:
        """Draw the lines and texts of these gaps; a gap has the number of the item before it."""
        gap = {p: self._end(p, tops, tops[0] - self.spaces[0].height) for p in gaps}
        for link in self.straight:
            if link.start in gap:
                self._line(sheet, x, tops, link, entry, exit)
        for p in gaps:
            self._fan(sheet, x, tops, gap, p, entry, exit)
            if self.spaces[p + 1].text:
                sheet.shape(x, gap[p] + self.spaces[p + 1].text_at, self.spaces[p + 1].text)
        for link, lane in self.lanes.items():
            if link.start in gap:
                self._arc(sheet, x, tops, gap, link, lane, entry, exit)

    def _end(self, p: int, tops: list[float], start: float) -> float:
        return start if p < 0 else tops[p] + self.cells[p].height

    def _line(
        self, sheet: Sheet, x: float, tops: list[float], link: Link, entry: float, exit: float
    ) -> None:
        size = len(self.cells)
        start = entry if link.start < 0 else self._end(link.start, tops, 0)
        stop = exit if link.stop == size else tops[link.stop]
        arrow = link.stop < size and self.cells[link.stop].leaf
        sheet.wire([(x, start), (x, stop)], link.edges, arrow=arrow)

    def _fan(
        self,
        sheet: Sheet,
        x: float,
        tops: list[float],
        gap: dict[int, float],
        p: int,
        entry: float,
        exit: float,
    ) -> None:
        """Draw the lines into the branches of the item after p, and out of the branches of item p."""
        size, space = len(self.cells), self.spaces[p + 1]
        for axis, edges in self._entries(p + 1):
            start, bus, here = entry if p < 0 else gap[p], gap[p] + space.bus_at, x + axis
            points = [(x, start), (x, bus), (here, bus), (here, tops[p + 1])]
            sheet.wire(points, edges, arrow=False, dot=(x, bus))
        for axis, edges in self._exits(p):
            bus, here = gap[p] + BUS_IN / 2, x + axis
            stop = exit if p == size - 1 else tops[p + 1]
            arrow = p < size - 1 and self.cells[p + 1].leaf
            sheet.wire([(here, gap[p]), (here, bus), (x, bus), (x, stop)], edges, arrow=arrow)

    def _arc(
        self,
        sheet: Sheet,
        x: float,
        tops: list[float],
        gap: dict[int, float],
        link: Link,
        lane: float,
        entry: float,
        exit: float,
    ) -> None:
        tap = gap[link.start] + self.spaces[link.start + 1].tap_at
        out, start = x + lane, (x, tap)
        begin = (x, entry if link.start < 0 else gap[link.start])
        if link.stop == len(self.cells):
            end = self._end(link.stop - 1, tops, 0) + self.spaces[link.stop].tap_at
            points = [begin, start, (out, tap), (out, end), (x, end), (x, exit)]
            sheet.wire(points, link.edges, arrow=False, skip=True, dot=start)
            return
        cell = self.cells[link.stop]
        middle = tops[link.stop] + cell.height / 2
        points = [begin, start, (out, tap), (out, middle), (x + cell.right, middle)]
        if not cell.leaf:  # lines enter a block at its top only
            above = tops[link.stop] - STEM / 2
            points[3:] = [(out, above), (x, above), (x, tops[link.stop])]
        sheet.wire(points, link.edges, arrow=cell.leaf, skip=True, dot=start)
