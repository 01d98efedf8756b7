"""Find where the keys and values of a TOML text are.

`tomllib` returns the values of a text without their places, and an error about a value must point at it.
So the text is scanned again when an error is shown. `tomllib` has accepted it by then, so nothing is
validated here, and the grammar is loose: commas are blanks, and what is neither a string nor a bracket
is a scalar. If `tomllib` did not accept the text, `reach` returns where a scan ends, and what is open.

All repetitions are possessive and all matches start at a position, so the scan is linear. Those of
a group are written `(?>(?:…)*)`: before Python 3.11.5 `(?:…)*+` loses its place (python/cpython#106052).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from archcalc import garbage
from archcalc.errors import Keys
from archcalc.spec.model import Source
from archcalc.tuples import NamedTuple

DEEPEST = 1000  # parts of a dotted key: a spec needs four, and a hostile text may have a million

Range = tuple[int, int]

STRING = "|".join(
    (
        r'"""(?>(?:[^"\\]++|\\[\s\S]|"(?!""))*)"{3,5}',  # up to two of the closing quotes are content
        r"'''(?>(?:[^']++|'(?!''))*)'{3,5}",
        r'"(?>(?:[^"\\]++|\\.)*)"',
        r"'[^']*+'",
    )
)
_WORD = r"""(?!["'])[^ \t\n#,\]}]++"""
_BLANK = re.compile(r"(?>(?:[ \t\n,]++|#[^\n]*+)*)")
_PART = re.compile(rf"[ \t]*+({STRING}|[\w-]++)[ \t]*+([.=\]])[ \t]*+")
_ITEM = re.compile(rf"{_BLANK.pattern}(?![\[\]{{}}])(?:{STRING}|{_WORD}(?: [0-9]{_WORD})?)")
_BRACKET = re.compile(rf"(?>(?:[^\[\]{{}}\"'#]++|{STRING}|#[^\n]*+)*)([\[{{]|[\]}}])")
_SCALAR = re.compile(rf"{STRING}|{_WORD}(?: [0-9]{_WORD})?")  # a date's time may follow a blank
_PIECE = re.compile(
    r"(?P<nothing>\\[ \t]*+\n[ \t\n]*+)|(?P<escape>\\(?:u.{4}|U.{8}|.))|(?P<plain>[^\\]++)"
)


class EntryPlace(NamedTuple):
    """The place of one entry; all offsets count characters from the start of the text.

    key: start and end of the last part of the key; of an array's item, the value's.
    value: start and end of the value, with its quotes or brackets. A table or array of tables
        made by a header has the header's name here, one made by a dotted key the key's part.
    """

    key: Range
    value: Range

    def offset(self, text: str, index: int) -> int:
        """Return the offset of character `index` of a string value in `text`, or of its escape.

        `index` counts decoded characters; the string's length gives the closing quote's offset.
        """
        start, end = self.value
        quote = text[start]
        width = 3 if text.startswith(quote * 3, start, end) else 1
        start, end = start + width, end - width
        if width == 3 and text[start] == "\n":
            start += 1
        if quote == "'":
            return start + index
        for piece in _PIECE.finditer(text, start, end):
            size = {"nothing": 0, "escape": 1}.get(str(piece.lastgroup), len(piece[0]))
            if index < size:
                return piece.start() + index
            index -= size
        return end


class Reached(NamedTuple):
    """Where a scan ended: at offset `at`, after `key`, inside the brackets at `opened`."""

    at: int
    key: Range
    opened: tuple[int, ...]


def locate(text: str, wanted: Iterable[Keys] | None = None) -> dict[Keys, EntryPlace]:
    """Return the places of all keys, array items and tables in a text that `tomllib` has accepted.

    Line ends must be "\\n". Keys are in full: dotted ones flattened, items by index. A table that is
    named several times is at the first place. With `wanted`, only these and the tables around them are
    found, which saves time and memory in a long text. If the scan reads a text differently from
    `tomllib`, the rest has no places: an error without its place is better than none.
    """
    scan = _Scan(text)
    if wanted is not None:
        scan.wanted = {keys[:n] for keys in wanted for n in range(1, len(keys) + 1)}
    with garbage.paused(), suppress(_NoMatchError):
        scan.run()
    return scan.found


def line_of(source: Source, keys: Keys) -> int | None:
    """Return the line, from 1, on which an entry of a file begins; None if its place is not known."""
    place = None if source.inline else locate(source.text, [keys]).get(keys)
    return None if place is None else source.text.count("\n", 0, place.key[0]) + 1


def reach(text: str) -> Reached:
    """Scan a text, and return where the scan ends: at its end, or at an unclosed string."""
    scan = _Scan(text, wanted=set())
    with suppress(_NoMatchError):
        scan.run()
    return Reached(scan.at, scan.key, tuple(bracket.start for bracket in scan.opened))


class _NoMatchError(Exception):
    """No pattern matches: `tomllib` cannot have accepted this text."""


@dataclass(slots=True)
class _Open:
    """An array or inline table whose end has not been reached; `items` are those of an array."""

    keys: Keys
    key: Range | None
    start: int
    items: int | None


@dataclass(slots=True)
class _Scan:
    text: str
    at: int = 0
    found: dict[Keys, EntryPlace] = field(default_factory=dict)
    header: Keys = ()
    sizes: dict[Keys, int] = field(default_factory=dict)  # tables so far in each array of tables
    opened: list[_Open] = field(default_factory=list)  # a stack: nesting must not recurse
    wanted: set[Keys] | None = None
    key: Range = (0, 0)  # of the last header or pair

    def run(self) -> None:
        while self.wanted is None or len(self.found) < max(len(self.wanted), 1):
            self.at = self._match(_BLANK).end()
            if self.at == len(self.text):
                return
            self._step(self.text[self.at])

    def _step(self, char: str) -> None:
        if not self.opened:
            if char == "[":
                self._header()
            else:
                self._pair(self.header)
            return
        top = self.opened[-1]
        if char in "]}":
            self._close()
        elif top.items is None:
            self._pair(top.keys)
        elif self.wanted is not None and char not in "[{":
            self._scalars(top)
        else:
            top.items += 1
            self._value((*top.keys, top.items - 1), None)

    def _scalars(self, top: _Open) -> None:
        """Pass over the items of an array up to the next bracket; record those that are wanted."""
        assert self.wanted is not None and top.items is not None
        depth = len(top.keys)
        items = {k[depth] for k in self.wanted if len(k) > depth and k[:depth] == top.keys}
        match: re.Match[str] | None = self._match(_ITEM)
        index = top.items
        while match is not None:
            self.at = match.end()
            if index in items:
                blank = _BLANK.match(self.text, match.start())
                place = (blank.end() if blank else match.start(), match.end())
                self.found[*top.keys, index] = EntryPlace(place, place)
            index += 1
            match = _ITEM.match(self.text, self.at)
        top.items = index

    def _header(self) -> None:
        many = self.text.startswith("[[", self.at)
        self.at += 1 + many
        parts = self._parts()
        self.at += many
        name, last = parts.pop()
        keys = (*self._descend((), parts), name)
        whole = self.key = (parts[0][1][0] if parts else last[0], last[1])
        self._keep(keys, EntryPlace(last, whole))
        if many:
            item = self.sizes.get(keys, 0)
            self.sizes[keys] = item + 1
            keys = (*keys, item)
            self._keep(keys, EntryPlace(whole, whole))
        self.header = keys

    def _pair(self, table: Keys) -> None:
        parts = self._parts()
        name, last = parts.pop()
        self.key = (parts[0][1][0] if parts else last[0], last[1])
        self._value((*self._descend(table, parts), name), last)

    def _parts(self) -> list[tuple[str, Range]]:
        parts = []
        while True:
            match = self._match(_PART)
            parts.append((_name(match[1]), match.span(1)))
            self.at = match.end()
            if match[2] != ".":
                return parts

    def _descend(self, keys: Keys, parts: list[tuple[str, Range]]) -> Keys:
        """Return the keys of the table that `parts` name; in an array of tables, of its last so far."""
        for name, span in parts[:DEEPEST]:
            keys = (*keys, name)
            self._keep(keys, EntryPlace(span, span))
            if keys in self.sizes:
                keys = (*keys, self.sizes[keys] - 1)
        return keys

    def _value(self, keys: Keys, key: Range | None) -> None:
        char = self.text[self.at] if self.at < len(self.text) else ""
        if char in ("[", "{") and self.wanted and keys not in self.wanted:
            self._skip()
        elif char in ("[", "{"):
            self.opened.append(_Open(keys, key, self.at, 0 if char == "[" else None))
            self.at += 1
        else:
            start, self.at = self._match(_SCALAR).span()
            self._record(keys, key, start)

    def _close(self) -> None:
        self.at += 1
        top = self.opened.pop()
        self._record(top.keys, top.key, top.start)

    def _record(self, keys: Keys, key: Range | None, start: int) -> None:
        value = (start, self.at)
        self._keep(keys, EntryPlace(key or value, value))

    def _keep(self, keys: Keys, found: EntryPlace) -> None:
        if self.wanted is None or keys in self.wanted:
            self.found.setdefault(keys, found)

    def _skip(self) -> None:
        """Skip an array or inline table in which nothing is wanted."""
        depth = 0
        while True:
            match = self._match(_BRACKET)
            self.at = match.end()
            depth += 1 if match[1] in "[{" else -1
            if not depth:
                return

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _NoMatchError
        return match


def _name(raw: str) -> str:
    if raw[0] not in "\"'":
        return raw
    if "\\" not in raw:
        return raw[1:-1]
    name: str = tomllib.loads(f"key = {raw}")["key"]
    return name
