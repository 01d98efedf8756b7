"""Draw a stack on a page, wrapped into columns."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, log

from archcalc.drawing.cells import Stack
from archcalc.drawing.metrics import width
from archcalc.drawing.sheet import Sheet
from archcalc.tuples import NamedTuple

WIDE = 1.35  # the preferred ratio of width to height
GUTTER = 22  # the pixels between columns, where a line runs
OVER, UNDER = 14, 20  # the pixels above and below a column for the line to the next


class Section(NamedTuple):
    """The items start ≤ i < stop, in one column of this size."""

    start: int
    stop: int
    left: float
    right: float
    height: float


def wrapped(stack: Stack, sheet: Sheet, columns: int | None, wide: float = WIDE) -> None:
    """Draw a stack in `columns` columns, or in as many as bring the page closest to the ratio `wide`."""
    sections = _chosen(stack, columns, wide)
    x: float = 0
    axes = []
    for section in sections:
        axes.append(x + section.left)
        x += section.left + section.right + 2 * GUTTER
    for section, axis in zip(sections, axes, strict=True):
        _column(stack, sheet, section, axis)
    for a, b, axis, other in zip(sections, sections[1:], axes, axes[1:], strict=False):
        _over(stack, sheet, (a, axis), (b, other))


def _tops(stack: Stack, section: Section) -> list[float]:
    """Return the tops of a column's cells, with the first at 0."""
    tops = stack.tops(0)
    return [top - tops[section.start] for top in tops]


def _column(stack: Stack, sheet: Sheet, section: Section, axis: float) -> None:
    tops = _tops(stack, section)
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


def _chosen(stack: Stack, columns: int | None, wide: float) -> list[Section]:
    tops, breaks = stack.tops(0), _breaks(stack)
    found = {}
    for wanted in [columns] if columns else _candidates(stack, tops[-1], wide):
        starts = _split(stack, tops, breaks, wanted)
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


def _split(stack: Stack, tops: list[float], breaks: list[int], wanted: int) -> list[int]:
    """Return the first items of at most `wanted` columns whose largest height is minimal."""
    low, high = 0.0, tops[-1]
    for _ in range(24):
        middle = (low + high) / 2
        if len(_filled(stack, tops, breaks, middle)) <= wanted:
            high = middle
        else:
            low = middle
    return _filled(stack, tops, breaks, high + 0.01)


def _filled(stack: Stack, tops: list[float], breaks: list[int], most: float) -> list[int]:
    """Return the first items of columns that are filled one by one up to a height."""
    starts = [0]
    for at, following in pairwise([*breaks, len(stack.cells)]):
        end = tops[following - 1] + stack.cells[following - 1].height
        if end - tops[starts[-1]] > most:
            starts.append(at)
    return starts


def _section(stack: Stack, tops: list[float], start: int, stop: int) -> Section:
    cells = stack.cells[start:stop]
    lanes = [lane + 3 for link, lane in stack.lanes.items() if start <= link.start < stop]
    texts = [stack.spaces[p + 1].text for p in range(start, stop)]
    right = max([*(c.right for c in cells), *lanes, *(width(t, "shape") + 9 for t in texts if t)])
    height = tops[stop - 1] + cells[-1].height - tops[start]
    return Section(start, stop, max(c.left for c in cells), right, height)
