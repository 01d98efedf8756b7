"""Draw a stack on a page, wrapped into columns."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isqrt, log

from archcalc.drawing.cells import Stack
from archcalc.drawing.metrics import width
from archcalc.drawing.sheet import Sheet
from archcalc.tuples import NamedTuple

WIDE = 1.35  # the preferred ratio of width to height
GUTTER = 22  # the pixels between columns, where a line runs
OVER, UNDER = 14, 20  # the pixels above and below a column for the line to the next


class ColumnPiece(NamedTuple):
    """The items from `start` to the next that can begin a column, and their top and bottom."""

    start: int
    top: float
    bottom: float


class Section(NamedTuple):
    """The items start ≤ i < stop, in one column of this size."""

    start: int
    stop: int
    left: float
    right: float
    height: float


def wrapped(stack: Stack, sheet: Sheet, columns: int | None, wide: float = WIDE) -> None:
    """Draw a stack in `columns` columns, or in as many as bring the page closest to the ratio `wide`."""
    tops = stack.tops(0)
    sections = _chosen(stack, tops, columns, wide)
    x: float = 0
    axes = []
    for section in sections:
        axes.append(x + section.left)
        x += section.left + section.right + 2 * GUTTER
    for section, axis in zip(sections, axes, strict=True):
        _column(stack, sheet, [top - tops[section.start] for top in tops], section, axis)
    for a, b, axis, other in zip(sections, sections[1:], axes, axes[1:], strict=False):
        _over(stack, sheet, (a, axis), (b, other))


def _column(stack: Stack, sheet: Sheet, tops: list[float], section: Section, axis: float) -> None:
    """Draw a column whose cells have these tops, the first of them 0."""
    for p in range(section.start, section.stop):
        stack.cells[p].place(sheet, axis, tops[p])
    last = section.stop == len(stack.cells)
    gaps = range(section.start, section.stop if last else section.stop - 1)
    stack.connect(sheet, axis, tops, 0, tops[-1], gaps)


def _over(stack: Stack, sheet: Sheet, one: tuple[Section, float], other: tuple[Section, float]) -> None:
    """Draw the line from the end of a column to the top of the next."""
    (section, axis), (following, there) = one, other
    end, p = section.height, section.stop - 1
    text = stack.spaces[p + 1].text
    gutter = axis + max(section.right, width(text, "shape") + 8) + GUTTER
    points = [(axis, end), (axis, end + UNDER), (gutter, end + UNDER), (gutter, -OVER)]
    points += [(there, -OVER), (there, 0)]
    edges = [edge for link in stack.straight if link.start == p for edge in link.edges]
    sheet.wire(points, edges, arrow=stack.cells[following.start].leaf)
    if text:
        sheet.shape(axis, end + UNDER / 2, text)


def _breaks(stack: Stack) -> list[int]:
    """Return the items that can begin a column: a single line leads there from the item before."""
    size = len(stack.cells)
    links = stack.strand.links
    steps = {link.start for link in links if link.stop == link.start + 1}
    passed = {p for link in links if link.stop > link.start + 1 for p in range(link.start, link.stop)}
    return [p + 1 for p in range(size - 1) if p in steps and p not in passed]


def _chosen(stack: Stack, tops: list[float], columns: int | None, wide: float) -> list[Section]:
    pieces = _pieces(stack, tops)
    found = {}
    for wanted in [columns] if columns else _candidates(stack, tops[-1], wide):
        starts = _split(pieces, tops[-1], wanted)
        if len(starts) not in found:
            ends = [*starts[1:], len(stack.cells)]
            sections = zip(starts, ends, strict=True)
            found[len(starts)] = [_section(stack, tops, a, b) for a, b in sections]
    return min(found.values(), key=lambda sections: _badness(sections, wide))


def _candidates(stack: Stack, high: float, wide: float) -> range:
    """Return the numbers of columns to try, around the best number for columns of equal height."""
    ideal = isqrt(int(wide * high / (stack.left + stack.right + 2 * GUTTER)))
    return range(max(1, ideal // 2 - 1), 2 * ideal + 3)


def _badness(sections: list[Section], wanted: float) -> float:
    """Return how far a page is from a good one, by its shape and the space beside short columns."""
    wide = sum(s.left + s.right for s in sections) + 2 * GUTTER * (len(sections) - 1)
    high = max(s.height for s in sections) + (OVER + UNDER if len(sections) > 1 else 0)
    filled = sum((s.left + s.right) * s.height for s in sections)
    uneven = 1 - min(s.height for s in sections) / high
    return 0.6 * abs(log(wide / high / wanted)) + 1.5 * (1 - filled / (wide * high)) + uneven / 3


def _pieces(stack: Stack, tops: list[float]) -> list[ColumnPiece]:
    ends = pairwise([0, *_breaks(stack), len(stack.cells)])
    return [ColumnPiece(at, tops[at], tops[end - 1] + stack.cells[end - 1].height) for at, end in ends]


def _split(pieces: list[ColumnPiece], high: float, wanted: int) -> list[int]:
    """Return the first items of at most `wanted` columns whose largest height is minimal."""
    low = 0.0
    for _ in range(24):
        middle = (low + high) / 2
        if len(_filled(pieces, middle)) <= wanted:
            high = middle
        else:
            low = middle
    return _filled(pieces, high + 0.01)


def _filled(pieces: list[ColumnPiece], most: float) -> list[int]:
    """Return the first items of columns that are filled one by one up to a height."""
    starts, begin = [], -inf
    for start, top, bottom in pieces:
        if bottom - begin > most:
            starts.append(start)
            begin = top
    return starts


def _section(stack: Stack, tops: list[float], start: int, stop: int) -> Section:
    cells = stack.cells[start:stop]
    lanes = [lane + 3 for link, lane in stack.lanes.items() if start <= link.start < stop]
    texts = [stack.spaces[p + 1].text for p in range(start, stop)]
    right = max([*(c.right for c in cells), *lanes, *(width(t, "shape") + 9 for t in texts if t)])
    height = tops[stop - 1] + cells[-1].height - tops[start]
    return Section(start, stop, max(c.left for c in cells), right, height)
