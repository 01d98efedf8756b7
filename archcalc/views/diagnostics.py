"""Errors as text: the place with a caret, what the reader should know, a way out."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.errors import MOST_MISTAKES, ArchError, Diagnostic, Keys, Point, Span
from archcalc.spec.inline import pieces
from archcalc.spec.locate import EntryPlace, locate
from archcalc.spec.model import Source
from archcalc.tuples import NamedTuple
from archcalc.units import printable

WIDEST = 96  # of a source line that is shown
MOST = 20  # mistakes that are shown
LONGEST = 1000  # of a sentence
_PIECE = 100


class Mistake(NamedTuple):
    """A mistake as sentences; `place` are its first character and the one behind its last."""

    message: str
    label: str
    notes: tuple[str, ...]
    help: str
    place: tuple[int, int] | None


def placed(error: ArchError) -> list[Mistake]:
    """Return the mistakes of an error in the order of the text, for those who show it themselves."""
    diagnostics, view = _ordered(error)
    return [_mistake(d, view) for d in diagnostics]


def places_of(source: Source, spans: Iterable[Span]) -> dict[Span, tuple[int, int]]:
    """Return the first character of each span in the text, and the one behind its last."""
    view = _Renderer(source, [Diagnostic("", span) for span in spans])
    return {span: view.place(span) for span in view.spans}


def _mistake(diagnostic: Diagnostic, view: _Renderer | None) -> Mistake:
    message, label, help = map(_safe, (diagnostic.message, diagnostic.label, diagnostic.help))
    if view is None:
        notes = tuple(_safe(note) for note in diagnostic.notes if isinstance(note, str))
        return Mistake(message, label, notes, help, None)
    start, end = view.place(diagnostic.span)
    place = None if diagnostic.span is None else (start, max(end, start + 1))
    return Mistake(message, label, tuple(map(view.note, diagnostic.notes)), help, place)


def _ordered(error: ArchError) -> tuple[list[Diagnostic], _Renderer | None]:
    """Return those that are shown, in the order of the text, and what knows their places."""
    source = getattr(error, "source", None)
    diagnostics = list(error.diagnostics[:MOST])
    if not isinstance(source, Source):
        return diagnostics, None
    view = _Renderer(source, diagnostics)
    return sorted(diagnostics, key=view.start), view


def render(error: ArchError) -> str:
    """Return all mistakes of an error in the order of the text, each with its place if it has one."""
    diagnostics, view = _ordered(error)
    parts = ["\n".join(_one(d, view)) for d in diagnostics]
    hidden = len(error.diagnostics) - MOST
    if hidden > 0:
        at_least = "at least " if len(error.diagnostics) >= MOST_MISTAKES else ""
        parts.append(f"… and {at_least}{hidden} more")
    return "\n\n".join(parts)


def _one(diagnostic: Diagnostic, view: _Renderer | None) -> list[str]:
    lines = [f"error: {_safe(diagnostic.message)}"]
    margin = "  "
    if view is not None:
        place = view.excerpt(diagnostic)
        lines += place
        margin = " " * place[0].index("┌")
    else:
        lines += [f"  {_safe(note)}" for note in diagnostic.notes if isinstance(note, str)]
    if diagnostic.help:
        lines.append(f"{margin}= help: {_safe(diagnostic.help)}")
    return lines


def _safe(text: str) -> str:
    """Return a sentence, which may be longer than `printable` lets a name be."""
    return "".join(printable(text[i : i + _PIECE]) for i in range(0, min(len(text), LONGEST), _PIECE))


class _Renderer:
    """Finds places in one source. The text is scanned only when the first place is asked for."""

    def __init__(self, source: Source, diagnostics: list[Diagnostic]) -> None:
        self.source = source
        self.spans = [span for d in diagnostics for span in _spans(d)]
        self._found: dict[Keys, EntryPlace] | None = None

    def start(self, diagnostic: Diagnostic) -> int:
        return self.place(diagnostic.span)[0]

    def excerpt(self, diagnostic: Diagnostic) -> list[str]:
        name = printable(self.source.name)
        if diagnostic.span is None:
            lines, margin = [f"  ┌─ {name}"], " "
        else:
            start, end = self.place(diagnostic.span)
            line, column = self._position(start)
            margin = " " * len(str(line))
            lines = [f"{margin} ┌─ {name}:{line}:{column}"]
        if diagnostic.span is not None and self.source.text:
            lines += self._caret(start, end, line, diagnostic.label)
        elif diagnostic.label:
            lines.append(f"{margin} │ {_safe(diagnostic.label)}")
        return [*lines, *(f"{margin} │ {self.note(note)}" for note in diagnostic.notes)]

    def note(self, note: str | tuple[str, Span]) -> str:
        if isinstance(note, str):
            return _safe(note)
        line, _ = self._position(self.place(note[1])[0])
        return f"{_safe(note[0])}, line {line}"

    def _caret(self, start: int, end: int, line: int, label: str) -> list[str]:
        text = self.source.text
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", start)
        last = len(text) if last < 0 else last
        left = max(first, min(start - WIDEST // 2, last - WIDEST)) if last - first > WIDEST else first
        shown = "".join(c if c.isprintable() else "·" for c in text[left : min(left + WIDEST, last)])
        lead = "…" if left > first else ""
        tail = "…" if left + WIDEST < last else ""
        until = max(min(end, last, left + WIDEST), start + 1)
        spaces = " " * (_cells(text[left:start]) + len(lead))
        carets = f"{spaces}{'^' * max(_cells(text[start:until]), 1)} {_safe(label)}".rstrip()
        return [f"{line} │ {lead}{shown}{tail}", f"{' ' * len(str(line))} │ {carets}"]

    def place(self, span: Span | Point | None) -> tuple[int, int]:
        """Return start and end in the text, in characters."""
        text = self.source.text
        if span is None:
            return 0, 0
        if isinstance(span, Point):
            start = 0
            for _ in range(span.line - 1):
                start = text.find("\n", start) + 1
            start = min(start + span.column - 1, len(text))
            return start, start + span.width
        found = self._find(span.keys)
        if found is None:
            return 0, 0
        if span.start < 0:
            return found.key
        start, end = found.value
        if self.source.inline:
            lead = len(text[start:end]) - len(text[start:end].lstrip())
            return (start + span.start, start + span.end) if span.end >= 0 else (start + lead, end)
        if span.end >= 0 and text[start : start + 1] in ('"', "'"):
            begin = found.offset(text, span.start)
            return begin, max(found.offset(text, span.end), begin + 1)
        return start, end

    def _find(self, keys: Keys) -> EntryPlace | None:
        """Return the entry of `keys`, or of the nearest table around it."""
        if self._found is None:
            self._found = self._places()
        while keys and keys not in self._found:
            keys = keys[:-1]
        return self._found.get(keys)

    def _places(self) -> dict[Keys, EntryPlace]:
        text = self.source.text
        if not self.source.inline:
            return locate(text, [s.keys for s in self.spans])
        ranges = ((p.keys, (p.start, p.start + len(p.text))) for p in pieces(text))
        return {keys: EntryPlace(place, place) for keys, place in ranges}

    def _position(self, offset: int) -> tuple[int, int]:
        text = self.source.text
        return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _spans(diagnostic: Diagnostic) -> list[Span]:
    places = [diagnostic.span, *(note[1] for note in diagnostic.notes if not isinstance(note, str))]
    return [place for place in places if isinstance(place, Span)]


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: two per Chinese letter, none per accent."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    shown = (c if c.isprintable() else "·" for c in text)
    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in shown)
