"""Draw an encoder–decoder network as a U: encoder left, decoder right, skips across."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archcalc.drawing.cells import Stack
from archcalc.drawing.compose import Composer
from archcalc.drawing.flow import Edge, Link, Strand
from archcalc.drawing.gaps import TAP
from archcalc.drawing.metrics import width
from archcalc.drawing.pages import UNDER
from archcalc.drawing.sheet import Sheet
from archcalc.drawing.tree import Unit
from archcalc.tuples import NamedTuple

LEAST = 2  # the fewest skips of a U
ACROSS = 44  # the pixels of a skip's line beside its text


class Skip(NamedTuple):
    """A skip from an item of the left side to one of the right; both are counted in flow order."""

    start: int
    stop: int
    edges: tuple[Edge, ...]
    text: str


class Valley(NamedTuple):
    """A U: both sides, the skips from the outermost to the innermost, and the link at the bottom."""

    down: Stack
    up: Stack
    skips: tuple[Skip, ...]
    turn: tuple[Edge, ...]
    text: str


def valley(made: Composer, units: Sequence[Unit], found: Strand) -> Valley | None:
    """Return the network as a U, or None if it is none.

    In a U the skips are nested, and each passes over smaller maps.
    """
    items = [item for item in found.items if isinstance(item, int)]
    arcs = sorted((link for link in found.links if link.stop - link.start > 1), key=lambda a: a.start)
    if len(arcs) < LEAST or len(items) < len(found.items) or arcs[0].start < 0:
        return None
    shapes = [made.shape(units[item]) for item in items]
    sizes = [shape.positions for shape in shapes]
    inner = arcs[-1]
    nested = all(a.start < b.start and a.stop > b.stop for a, b in pairwise(arcs))
    deeper = all(sizes[a.start] > sizes[b.start] for a, b in pairwise(arcs))
    low = min(sizes[inner.start + 1 : inner.stop], default=sizes[inner.start])
    if not (nested and deeper and low < sizes[inner.start]):
        return None
    last = max(p for p in range(inner.start + 1, inner.stop) if sizes[p] == low)
    if last + 1 == inner.stop:
        return None
    down = made.stacked(_part(found, 0, last + 1), units, True, False)
    up = made.stacked(_part(found, last + 1, len(items)), units, True, True)
    skips = [Skip(a.start, a.stop - last - 1, a.edges, str(shapes[a.start])) for a in arcs]
    turn = [edge for link in found.links if link.start == last for edge in link.edges]
    return Valley(down, up, tuple(skips), tuple(turn), str(shapes[last]))


def _part(found: Strand, start: int, stop: int) -> Strand:
    links = [
        Link(link.start - start, link.stop - start, link.edges)
        for link in found.links
        if start <= link.start and link.stop < stop and link.stop == link.start + 1
    ]
    return Strand(found.items[start:stop], tuple(links))


def across(u: Valley, sheet: Sheet) -> None:
    """Draw a U, with each skip horizontal."""
    _level(u)
    down, up = u.down.tops(0), u.up.tops(0)
    inner = u.skips[-1]
    bottom = _tap(u, inner) + _middle(u, inner)  # a height on the right side, from below
    room = max(width(skip.text, "shape") for skip in u.skips) + ACROSS
    left, right = 0.0, u.down.right + room + u.up.left
    u.down.draw(sheet, left, 0, 0, down[-1])
    since = sheet.mark()
    u.up.draw(sheet, right, 0, 0, up[-1])
    sheet.turn(since, bottom / 2)
    for skip in u.skips:
        tap = _tap(u, skip)
        end = down[skip.start] + u.down.cells[skip.start].height
        points = [(left, end), (left, tap), (right - u.up.cells[skip.stop].left, tap)]
        sheet.wire(points, skip.edges, arrow=True, skip=True, dot=(left, tap))
        over = (u.down.right + right - u.up.left - width(skip.text, "shape")) / 2
        sheet.shape(over - 5, tap - 7, skip.text)
    start, stop = down[-1], bottom - up[0]
    under = max(start, stop) + UNDER
    points = [(left, start), (left, under), (right, under), (right, stop)]
    sheet.wire(points, u.turn, arrow=u.up.cells[0].leaf)
    sheet.shape(left, start + UNDER / 2, u.text)


def _tap(u: Valley, skip: Skip) -> float:
    space = u.down.spaces[skip.start + 1]
    return u.down.tops(0)[skip.start] + u.down.cells[skip.start].height + space.tap_at


def _middle(u: Valley, skip: Skip) -> float:
    return u.up.tops(0)[skip.stop] + u.up.cells[skip.stop].height / 2


def _level(u: Valley) -> None:
    """Stretch gaps of the shorter side between skips, so that both ends of a skip are level."""
    for skip in u.skips:
        space = u.down.spaces[skip.start + 1]
        u.down.spaces[skip.start + 1] = space._replace(text="", tap=TAP)
    for outer, inner in pairwise(u.skips):
        left = _tap(u, inner) - _tap(u, outer)
        right = _middle(u, outer) - _middle(u, inner)
        if left < right:
            _stretch(u.down, range(outer.start + 1, inner.start + 1), right - left)
        else:
            _stretch(u.up, range(inner.stop + 1, outer.stop + 1), left - right)


def _stretch(stack: Stack, gaps: range, by: float) -> None:
    for gap in gaps:
        space = stack.spaces[gap]
        stack.spaces[gap] = space._replace(stem=space.stem + by / len(gaps))
