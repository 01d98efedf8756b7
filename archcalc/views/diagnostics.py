"""Errors as text: the place with a caret, what the reader should know, a way out."""

from __future__ import annotations

from archcalc.errors import ArchError, Diagnostic, Keys, Point, Span
from archcalc.spec.locate import Found, locate
from archcalc.spec.model import Source
from archcalc.units import printable

WIDEST = 96  # of a source line that is shown
MOST = 20  # mistakes that are shown


def render(error: ArchError) -> str:
    """All mistakes of an error, each with its place if it has one."""
    source = getattr(error, "source", None)
    view = _Renderer(source) if isinstance(source, Source) else None
    parts = ["\n".join(_one(d, view)) for d in error.diagnostics[:MOST]]
    if len(error.diagnostics) > MOST:
        parts.append(f"… and {len(error.diagnostics) - MOST} more")
    return "\n\n".join(parts)


def _one(diagnostic: Diagnostic, view: _Renderer | None) -> list[str]:
    lines = [f"error: {printable(diagnostic.message)}"]
    margin = "  "
    if view is not None:
        place = view.excerpt(diagnostic)
        lines += place
        margin = " " * place[0].index("┌")
    if diagnostic.help:
        lines.append(f"{margin}= help: {printable(diagnostic.help)}")
    return lines


class _Renderer:
    """Finds places in one source. The text is scanned only when the first place is asked for."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._found: dict[Keys, Found] | None = None

    def excerpt(self, diagnostic: Diagnostic) -> list[str]:
        start, end = self._range(diagnostic.span)
        line, column = self._position(start)
        margin = " " * len(str(line))
        where = f"{printable(self.source.name)}:{line}:{column}"
        lines = [
            f"{margin} ┌─ {where}" if diagnostic.span else f"{margin} ┌─ {printable(self.source.name)}"
        ]
        if diagnostic.span and self.source.text:
            lines += self._caret(start, end, line, diagnostic.label)
        elif diagnostic.label:
            lines.append(f"{margin} │ {printable(diagnostic.label)}")
        for note in diagnostic.notes:
            lines.append(f"{margin} │ {self._note(note)}")
        return lines

    def _note(self, note: str | tuple[str, Span]) -> str:
        if isinstance(note, str):
            return printable(note)
        line, _ = self._position(self._range(note[1])[0])
        return f"{printable(note[0])}, line {line}"

    def _caret(self, start: int, end: int, line: int, label: str) -> list[str]:
        text = self.source.text
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", start)
        last = len(text) if last < 0 else last
        left = max(first, min(start - WIDEST // 2, last - WIDEST)) if last - first > WIDEST else first
        shown = "".join(c if c.isprintable() else "·" for c in text[left : min(left + WIDEST, last)])
        lead = "…" if left > first else ""
        tail = "…" if left + WIDEST < last else ""
        width = max(min(end, last, left + WIDEST) - start, 1)
        spaces = " " * (start - left + len(lead))
        carets = f"{spaces}{'^' * width} {printable(label)}".rstrip()
        return [f"{line} │ {lead}{shown}{tail}", f"{' ' * len(str(line))} │ {carets}"]

    def _range(self, span: Span | Point | None) -> tuple[int, int]:
        """Start and end in the text, as characters."""
        text = self.source.text
        if span is None:
            return 0, 0
        if isinstance(span, Point):
            start = 0
            for _ in range(span.line - 1):
                start = text.find("\n", start) + 1
            start = min(start + span.column - 1, len(text))
            return start, start + 1
        found = self._find(span.keys)
        if found is None:
            return 0, 0
        if span.start < 0:
            return found.key
        start, end = found.value
        if span.end >= 0 and text[start : start + 1] in ('"', "'"):
            begin = found.offset(text, span.start)
            return begin, max(found.offset(text, span.end), begin + 1)
        return start, end

    def _find(self, keys: Keys) -> Found | None:
        """The entry of `keys`, or of the nearest table around it."""
        if self._found is None:
            self._found = locate(self.source.text)
        while keys and keys not in self._found:
            keys = keys[:-1]
        return self._found.get(keys)

    def _position(self, offset: int) -> tuple[int, int]:
        text = self.source.text
        return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
