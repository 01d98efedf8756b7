"""Draw a network, or several side by side: the entry point of this package."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from archcalc.analysis.costs import Analysis
from archcalc.drawing import words
from archcalc.drawing.compose import Composer
from archcalc.drawing.folded import Folding, names_of
from archcalc.drawing.measures import WORDS, By, Measure, measured
from archcalc.drawing.metrics import fitted, width
from archcalc.drawing.model import Caption, Drawing, DrawnBox, Swatch
from archcalc.drawing.outline import OutlineEntry, outline
from archcalc.drawing.pages import WIDE, wrapped
from archcalc.drawing.sheet import Sheet, captions, joined
from archcalc.drawing.structure import tree
from archcalc.drawing.tree import Unit
from archcalc.drawing.valley import across, valley
from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple
from archcalc.units import percent, printable, scaled

MARGIN, HEAD, ROW = 16, 26, 18
APART = 56  # the pixels between two networks
WIDEST = 2.4  # the largest ratio of width to height for two networks side by side
LONGEST = 460  # the longest title above a narrow drawing


class Wishes(NamedTuple):
    """The options of a drawing: blocks to expand, the depth, the measure of its bars, the columns.

    `marks` has the status of each layer in a difference, '' where it is the same; `close` are the paths
    of blocks that are one box each; `wide` is the width of columns to their height, at best.
    """

    expand: frozenset[str] = frozenset()
    depth: int | None = None
    by: By = "multiplies"
    columns: int | None = None
    marks: Sequence[str] = ()
    close: frozenset[str] = frozenset()
    wide: float = WIDE

    @property
    def folding(self) -> Folding:
        return Folding(self.expand, self.marks, self.depth, self.close)


PLAIN = Wishes()


class Drawable(NamedTuple):
    """A network to draw, under its title."""

    analysis: Analysis
    title: str
    wishes: Wishes = PLAIN


class Outline(NamedTuple):
    """A network as nested boxes; `number` is 1 for the second of two networks."""

    title: str
    entries: list[OutlineEntry]
    measure: Measure
    graph: Graph
    number: int


# a picture and the table beside it show the same tree
_folded: deque[tuple[Analysis, Wishes, tuple[tuple[Unit, ...], Composer]]] = deque(maxlen=2)


def folded(analysis: Analysis, wishes: Wishes = PLAIN) -> tuple[tuple[Unit, ...], Composer]:
    """Return the tree of a network, and the composer that makes its boxes.

    Raises:
        UsageError: a block to expand is none of the network's.
    """
    for known, wanted, found in _folded:
        if known is analysis and wanted == wishes:
            return found
    _folded.append((analysis, wishes, found := _fold(analysis, wishes)))
    return found


def _fold(analysis: Analysis, wishes: Wishes) -> tuple[tuple[Unit, ...], Composer]:
    _check(analysis, wishes.expand)
    made = tree(analysis.graph, wishes.folding)
    measure = measured(analysis, wishes.by)
    return made.units, Composer.of(analysis, measure, made, wishes.folding)


def _check(analysis: Analysis, expand: frozenset[str]) -> None:
    if not expand:
        return
    paths = [node.path.split("/")[:-1] for node in analysis.graph.nodes]
    known = {name for parts in paths for i in range(len(parts)) for name in names_of(parts[: i + 1])}
    for name in sorted(expand - known):
        blocks = listed(dict.fromkeys(parts[0] for parts in paths if parts)) or "none"
        help = suggestion(name, sorted(known)) or f"blocks: {blocks}"
        raise UsageError(
            Diagnostic(f"--expand: no block is called `{shown(printable(name))}`", help=help)
        )


def outlines(parts: Sequence[Drawable]) -> list[Outline]:
    """Return networks as nested boxes, without places.

    Raises:
        UsageError: a block to expand is none of the network's.
    """
    found = []
    for number, part in enumerate(parts):
        units, made = folded(part.analysis, part.wishes)
        entries = outline(made, units)
        graph = part.analysis.graph
        found.append(Outline(part.title, entries, made.measure, graph, number))
    return found


def draw(parts: Sequence[Drawable]) -> Drawing:
    """Draw a network, or several side by side.

    Raises:
        UsageError: a block to expand is none of the network's.
    """
    whole, titles = Sheet(), []
    sheets = []
    for number, part in enumerate(parts):
        units, made = folded(part.analysis, part.wishes)
        sheet = Sheet(number)
        _place(made, units, sheet, part.wishes)
        left, top, right, bottom = sheet.bounds()
        title = fitted(part.title, "title", max(right - left, LONGEST))
        wide = max(right - left, width(title, "title"))
        sheets.append((sheet, title, left, top, wide, bottom - top + HEAD))
    places = _corners([(wide, high) for *_, wide, high in sheets])
    for (sheet, title, left, top, _, _), (x, y) in zip(sheets, places, strict=True):
        sheet.move(x - left, y + HEAD - top)
        whole.add(sheet)
        titles.append(Caption(x, y + 7, title, "title", room=width(title, "title")))
    right = max(x + wide for (*_, wide, _), (x, _) in zip(sheets, places, strict=True))
    bottom = max(y + high for (*_, high), (_, y) in zip(sheets, places, strict=True))
    return _finished(whole, titles, right + MARGIN, bottom + MARGIN, made.measure)


def _corners(sizes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corner of each network: side by side, or below each other if that is too wide."""
    below = len(sizes) > 1 and sum(w for w, _ in sizes) > WIDEST * max(h for _, h in sizes)
    found, x, y = [], float(MARGIN), float(MARGIN)
    for wide, high in sizes:
        found.append((x, y))
        x, y = (x, y + high + APART / 2) if below else (x + wide + APART, y)
    return found


def _place(made: Composer, units: Sequence[Unit], sheet: Sheet, wishes: Wishes) -> None:
    """Lay out a network as a U if it is one and no columns are asked for, else in columns."""
    found = made.strand(units)
    u = valley(made, units, found) if wishes.columns is None else None
    if u is not None:
        across(u, sheet)
    else:
        wrapped(made.stacked(found, units, True, False), sheet, wishes.columns, wishes.wide)


def _finished(
    sheet: Sheet, titles: list[Caption], wide: float, high: float, measure: Measure
) -> Drawing:
    """Return the drawing: add the lengths of bars, all texts, and a legend."""
    full = max(box.cost for box in sheet.boxes if box.leaf)
    boxes = [box._replace(share=box.cost / full if full and box.leaf else 0) for box in sheet.boxes]
    alone = len(titles) == 1 and measure.sums
    share = f", {percent(full, measure.total)}" if alone else ""
    bar = f"{WORDS[measure.by]}; a full bar is {scaled(full)}{share}"
    legend, wide, high = _placed(_keys(boxes, bar if full else ""), wide, high)
    texts = [*titles, *sheet.captions, *captions(boxes)]
    texts += [_told(key) for key in legend]
    title = " → ".join(caption.text for caption in titles)
    drawn = tuple(boxes), joined(sheet.wires), tuple(texts)
    return Drawing(title, wide, high, *drawn, measure.by, measure.total, full, tuple(legend))


def _told(key: Swatch) -> Caption:
    return Caption(key.x + 15, key.y + 8.5, key.words, "key", room=width(key.words, "key"))


def _keys(boxes: Sequence[DrawnBox], bar: str) -> list[tuple[str, str]]:
    """Return the colors and marks that occur, with their words, and the meaning of a bar."""
    present = {box.color for box in boxes} - {"input", "join"}
    if "conv" in present:  # grouped convs have the same color; the text names their groups
        present -= {"grouped"}
    keys = [(color, told) for color, told in words.KINDS.items() if color in present]
    marks = {box.mark for box in boxes if box.leaf}
    keys += [(mark, mark) for mark in ("new", "gone", "changed", "moved") if mark in marks]
    return [*keys, ("bar", bar)] if bar else keys


def _placed(
    keys: Sequence[tuple[str, str]], wide: float, high: float
) -> tuple[list[Swatch], float, float]:
    """Place the legend below the drawing, in as many lines as the width requires."""
    found: list[Swatch] = []
    x: float = MARGIN
    wide = max([wide, *(width(told, "key") + 15 + 2 * MARGIN for _, told in keys)])
    for color, told in keys:
        room = 15 + width(told, "key")
        if x > MARGIN and x + room > wide - MARGIN:
            x, high = MARGIN, high + ROW
        found.append(Swatch(color, told, x, high))
        x += room + 14
    return found, wide, high + ROW + MARGIN / 2
