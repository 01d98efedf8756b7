"""The tree of a drawing as text: glyphs by kind, ×N, map sizes, bars of the cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from archcalc.drawing.layout import Outline
from archcalc.drawing.measures import WORDS
from archcalc.drawing.outline import OutlineEntry
from archcalc.drawing.words import KINDS
from archcalc.reports.model import BAR, Column, cell
from archcalc.tuples import NamedTuple
from archcalc.units import percent, scaled
from archcalc.views.table import USUAL, window

GLYPHS = {
    "conv": "■",
    "depthwise": "□",
    "grouped": "▣",
    "upconv": "▲",
    "linear": "●",
    "recurrent": "◎",
    "attention": "◆",
    "pool": "▼",
    "join": "⊕",
    "reshape": "↻",
    "plain": "·",
    "input": "○",
    "block": "▸",
}
MARKS = {"new": "+", "gone": "−", "changed": "~", "moved": "→"}
COUNT = 10
UNBROKEN = "\xa0"  # a key of the legend stays in one line
GAPS = 6  # between its columns
SHORT = {"multiplies": "multiplies", "params": "parameters", "alive": "alive", "field": "field"}


class _Line(NamedTuple):
    text: str
    entry: OutlineEntry


class _Widths(NamedTuple):
    """Of the texts, and of the sizes of maps."""

    text: int
    shape: int


def render(parts: Sequence[Outline]) -> str:
    """Write networks from top to bottom, one line a box."""
    full = max(entry.cost for part in parts for entry in _leaves(part.entries))
    marked = any(line.entry.mark for part in parts for line in _lines(part.entries, ""))
    widths = _widths(parts, marked)
    blocks = [_network(part, widths, full, marked) for part in parts]
    colors = {color for part in parts for color in _colors(part.entries)}
    keys = (f"{glyph} {KINDS[color]}" for color, glyph in GLYPHS.items() if color in colors)
    foot = ["  ".join(key.replace(" ", UNBROKEN) for key in keys)]
    if any(line.entry.beside for part in parts for line in _lines(part.entries, "")):
        foot[0] += "  ╞ side by side"
    if marked:
        foot.append("+ new  − gone  ~ changed  → moved")
    measure = parts[-1].measure
    if full:
        alone = len(parts) == 1 and measure.sums
        share = f", {percent(full, measure.total)}" if alone else ""
        foot.append(f"{WORDS[measure.by]}; a full bar is {scaled(full)}{share}")
    return "\n\n".join(
        [*blocks, "\n".join(line for text in foot for line in wrap(text, window()))]
    ).replace(UNBROKEN, " ")


def _widths(parts: Sequence[Outline], marked: bool) -> _Widths:
    """Return widths that a usual page has room for; longer texts take what the terminal adds."""
    lines = [line for part in parts for line in _lines(part.entries, "")]
    shape = max(len("output"), *(len(line.entry.shape) for line in lines))
    others = shape + COUNT + BAR + GAPS + 2 * marked
    longest = max(len(line.text) for line in lines)
    return _Widths(min(max(longest, USUAL - others), window() - others), shape)


def _network(part: Outline, widths: _Widths, full: int, marked: bool) -> str:
    head = f"{'':{widths.text + 2 * marked}}  {'output':>{widths.shape}}"
    head += f"  {SHORT[part.measure.by]:>{COUNT}}"
    rows = [_row(line, widths, full, marked) for line in _lines(part.entries, "")]
    return "\n".join([part.title, "", head, *rows])


def _leaves(entries: Sequence[OutlineEntry]) -> Iterator[OutlineEntry]:
    for entry in entries:
        yield from _leaves(entry.children) if entry.children else [entry]


def _lines(entries: list[OutlineEntry], lead: str, top: bool = True) -> Iterator[_Line]:
    for at, entry in enumerate(entries):
        last = at == len(entries) - 1
        branch, stem = ("└ ", "  ") if last else ("├ ", "│ ")
        if entry.beside:
            branch = "╞ "
        elif top:
            branch = stem = ""
        yield _Line(lead + branch + _text(entry), entry)
        yield from _lines(entry.children, lead + stem, False)


def _text(entry: OutlineEntry) -> str:
    glyph = f"{GLYPHS[entry.color]} " if entry.color else ""
    times = f" ×{entry.times}" if entry.times > 1 else ""
    small = f" · {entry.small}" if entry.small else ""
    before = f"{entry.before} · " if entry.before else ""
    return f"{glyph}{before}{entry.label}{times}{small}"


def _row(line: _Line, widths: _Widths, full: int, marked: bool) -> str:
    text, entry = line
    if len(text) > widths.text:
        text = f"{text[: widths.text - 1]}…"
    leaf = not entry.children
    count = scaled(entry.cost) if leaf and entry.cost else ""
    bar = cell(Column("bar", "", "bar"), (entry.cost, full)) if count else ""
    mark = f"{MARKS.get(entry.mark, ' ')} " if marked else ""
    return f"{mark}{text:{widths.text}}  {entry.shape:>{widths.shape}}  {count:>{COUNT}}  {bar}".rstrip()


def _colors(entries: list[OutlineEntry]) -> set[str]:
    inner = [_colors(entry.children) for entry in entries]
    return {entry.color for entry in entries}.union(*inner)
