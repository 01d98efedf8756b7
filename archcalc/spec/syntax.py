"""Parse TOML with `tomllib`, and explain its errors in plain words.

`tomllib` takes quadratic time for dotted keys, recurses into lists, and raises an error without a place
for integers of five thousand digits: such texts are refused here. The slow code here runs only if
something is wrong.
"""

from __future__ import annotations

import re
from typing import Any

from archcalc.errors import Diagnostic, Point, SpecError, shown
from archcalc.spec.expressions import decimal
from archcalc.spec.model import Source

MOST_PARTS = 8  # of a dotted key; a spec needs four
DEEPEST = 100  # nested brackets, beyond which a message points

_PART = r"""(?:[A-Za-z0-9_-]++|"(?>(?:[^"\\\n]++|\\.)*)"|'[^'\n]*+')[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:\.[ \t]*+{_PART}){{{MOST_PARTS}}}")

# tomllib's message, ours, and a way out
_WORDS = (
    (
        "Cannot overwrite|Cannot declare|Cannot mutate|Cannot redefine|Duplicate",
        "`…` is there already",
        "a key may be given once, and a [table] once",
    ),
    (
        r"Illegal character '\\n'|Unterminated|Expected [\"']'",
        "a text without its closing quote",
        'a text over several lines stands between """ and """',
    ),
    (
        "Illegal character|invalid character",
        "a control character",
        "take it away, or write it as \\t or \\u001b",
    ),
    (
        "Unescaped|hex value|scalar value",
        "a backslash that begins no escape",
        "between single quotes a backslash is a letter like others: 'a\\b'",
    ),
    (
        "Unclosed array",
        "a comma or a `]` is missing",
        'a list is ["conv 64", "relu"]: texts between quotes, with commas',
    ),
    ("Unclosed inline", "a comma or a `}` is missing", "a table in one line is { default = 1 }"),
    ("Expected '='", "no `=` after the key", 'write key = value, as in input = "224x224x3"'),
    ("Expected ']", "no `]` after the table's name", "a table begins with [name]"),
    ("Invalid initial character", "a name is missing", "names are letters, digits, `_` and `-`"),
    (
        "Expected newline",
        "the line goes on after the value",
        'text stands between quotes, as in input = "224x224x3"; a line has one key and one value',
    ),
    ("Invalid date", "no such date", ""),
    ("Invalid statement", "neither `key = value` nor `[table]`", ""),
    (
        "Invalid value",
        "this is no value",
        'text stands between quotes: "conv 64 | relu"; otherwise numbers, true, false, lists [ ]',
    ),
)


class Unreadable:
    """A number of a document that archcalc does not take: nan, 1e9, one of ten thousand digits."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def parse(source: Source) -> dict[str, Any]:
    """Parse a TOML text; decimals are exact.

    Raises:
        SpecError: the TOML is broken; the error has the place.
    """
    import tomllib

    long = _long_key(source.text)
    if long is not None:
        help = f"{MOST_PARTS} parts are the most"
        raise SpecError(Diagnostic("a key of too many parts", long, help=help), source=source)
    try:
        return tomllib.loads(source.text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(_explain(str(error), source.text), source=source) from None
    except RecursionError:
        place = _deep_bracket(source.text)
        raise SpecError(Diagnostic("values nested too deeply", place), source=source) from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        text = _without_long_integers(source.text)
        if text == source.text:
            raise
        return parse_again(text, source)


def parse_again(text: str, source: Source) -> dict[str, Any]:
    """Parse a text that differs from the source's only in numbers."""
    try:
        return parse(Source(source.name, text))
    except SpecError as error:
        raise SpecError(*error.diagnostics, source=source) from None


def _number(text: str) -> Any:
    from fractions import Fraction

    try:
        return Fraction(decimal(text))  # 1.0 as well: a variable with that default takes 0.75
    except ValueError:
        return Unreadable(text)


def _explain(message: str, text: str) -> Diagnostic:
    """Explain tomllib's message, 'Expected … (at line 5, …)', in plain words, at the place it names."""
    what, _, where = message.partition(" (at ")
    numbers = [int(n) for n in re.findall(r"\d+", where)]
    offset = _offset(text, *numbers) if len(numbers) == 2 else len(text)
    known = (entry for entry in _WORDS if re.search(entry[0], what))
    _, reason, help = next(known, ("", f"{what[:1].lower()}{what[1:]}", ""))
    return _at_place(Diagnostic(f"broken TOML: {reason}", help=help), text, offset)


def _at_place(error: Diagnostic, text: str, offset: int) -> Diagnostic:
    """Return the error with the text to blame; `offset` is where tomllib stopped."""
    from archcalc.spec.locate import reach

    reached = reach(text[: offset + 1])  # a header ends with the bracket that comes next
    reason = error.message.partition(": ")[2]
    if reason.startswith("`…`"):
        start, end = reached.key
        message = error.message.replace("…", shown(text[start:end]))
        return error._replace(message=message, span=_point(text, start, end - start))
    if reason.startswith("a text"):
        return error._replace(span=_point(text, reached.at))
    if reason.startswith("a backslash"):
        return error._replace(span=_point(text, text.rfind("\\", 0, offset), 2))
    place = _point(text, offset)
    lines = [_point(text, opened).line for opened in reached.opened]
    around = [line for line in lines if line != place.line]
    if lines and offset >= len(text):
        bracket = reached.opened[-1]
        message = f"broken TOML: nothing closes this `{text[bracket]}`"
        return error._replace(message=message, span=_point(text, bracket))
    if around:
        error = error._replace(notes=(f"a bracket is open since line {around[-1]}",))
    if reason.startswith(("the line goes on", "this is no value")):
        return _blame_word(error, text, offset)
    return error._replace(span=place)


def _blame_word(error: Diagnostic, text: str, offset: int) -> Diagnostic:
    """Return the error at the whole word that tomllib could not read, or only in part: 8x8x4, True."""
    start = offset - len(re.split(r"[^\w.+-]", text[max(offset - 30, 0) : offset])[-1])
    word = re.split(r"[\s,\]}#=]", text[start : start + 60])[0]
    help = error.help
    if word in ("True", "False"):
        help = f"write {word.lower()}"
    elif word[:1] in "“”„‘’" and word:
        help = 'quotes are straight: "'
    return error._replace(span=_point(text, start, max(len(word), 1)), help=help)


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


def _point(text: str, offset: int, width: int = 1) -> Point:
    """Return the point at an offset; at the end of the text, its last letter."""
    if offset >= len(text):
        offset = max(len(text.rstrip()) - 1, 0)
    return Point(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset), width)


def _long_key(text: str) -> Point | None:
    """Return the place of a dotted key with too many parts, outside of strings and comments."""
    if _LONG_KEY.search(text) is None:
        return None
    from archcalc.spec.locate import STRING

    for found in re.finditer(rf"(?P<key>{_LONG_KEY.pattern})|{STRING}|#[^\n]*+", text):
        if found["key"]:
            return _point(text, found.start(), len(found[0]))
    return None


def _deep_bracket(text: str) -> Point | None:
    from archcalc.spec.locate import STRING

    depth = 0
    for found in re.finditer(rf"{STRING}|#[^\n]*+|(?P<open>[\[{{])|(?P<close>[\]}}])", text):
        depth += bool(found["open"]) - bool(found["close"])
        if depth > DEEPEST:
            return _point(text, found.start())
    return None


def _without_long_integers(text: str) -> str:
    """Return the text with long integers as decimals of the same length, which `_number` refuses."""
    from archcalc.spec.locate import STRING

    integer = r"(?<![\w.])(?P<integer>[0-9][0-9_]{4000,}+)(?!\.[0-9]|[eE][+-]?[0-9])"
    return re.sub(
        rf"{STRING}|#[^\n]*+|{integer}",
        lambda found: f"1.{'0' * (len(found[0]) - 2)}" if found["integer"] else found[0],
        text,
    )
