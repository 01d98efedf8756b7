"""Split a line into words with their places: sizes, expressions in braces, references to labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.arithmetic import Margin
from archcalc.errors import ArchError, Diagnostic, Span, shown
from archcalc.spec.expressions import LARGEST, Expression, parse
from archcalc.spec.model import Size
from archcalc.tuples import NamedTuple

BRACES = r"""\{(?>(?:[^{}'"]++|'[^']*'|"[^"]*")*)\}"""
_TOKEN = re.compile(rf"(?>(?:[^\s|{{}}]++|{BRACES})+)|\|")
_SPACE = re.compile(r"\s*")
LABEL_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_REFERENCE = re.compile(rf"{LABEL_NAME.pattern}(?:/{LABEL_NAME.pattern})*")
NAME = re.compile(r"[a-z][a-z0-9_]*")
_AMOUNT = "[0-9]+(?::[0-9]+)?"  # 1, or 0:1 if the sides differ
SIZE = re.compile(rf"({_AMOUNT}(?:x{_AMOUNT}){{0,2}})|({BRACES})")

MOST_WORDS = 10_000  # in one step
GRAMMAR_WORDS = frozenset({"in", "if", "output", "reuse", "x"})
LABEL_HELP = "labels are letters, digits and `_` `.` `-`"
DIMENSIONS = ("1d", "2d", "3d")
VOLUMES = "the input has one, two or three axes, then channels: 16000x1, 224x224x3, 16x112x112x3"


class Lexeme(NamedTuple):
    """A word and its offset in the line."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def cut_tokens(text: str, at: int) -> Iterator[Lexeme]:
    """Yield the words from offset `at`, including `|`.

    Raises:
        ArchError: a brace or a quote is not closed or not opened.
    """
    at = skip_space(text, at)
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            what = "an unclosed `{`" if text[at] == "{" else f"a stray `{text[at]}`"
            inside = text[at + 1 : max(text.find("}", at), at)]
            if text[at] == "{" and inside and "{" not in inside:
                what = "an unclosed quote in an expression"
            help = "an expression stands between `{` and `}`, without braces inside"
            raise fault(what, at, at + 1, help)
        yield Lexeme(found[0], at)
        at = skip_space(text, found.end())


def skip_space(text: str, at: int) -> int:
    """Return the offset of the next word."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def counted(token: Lexeme, before: int) -> Lexeme:
    """Return the token.

    Raises:
        ArchError: there are too many before it.
    """
    if before > MOST_WORDS:
        raise fault(f"more than {MOST_WORDS:,} arguments", token.start, token.end)
    return token


def read_size(token: Lexeme) -> Size:
    """Parse a size: an integer for each axis, as 3x3, one for each side, as 0:1, or an expression.

    Raises:
        ArchError: a number is beyond 64 bits, or the text in braces is no expression.
    """
    found = SIZE.fullmatch(token.text)
    assert found is not None
    if found[2]:
        return read_expression(token)
    sizes = found[1].split("x")
    if any(len(n) > 19 or int(n) > LARGEST for size in sizes for n in size.split(":")):
        raise fault("a number beyond 64 bits", token.start, token.end)
    amounts = [Margin(*map(int, size.split(":"))) if ":" in size else int(size) for size in sizes]
    return amounts[0] if len(amounts) == 1 else tuple(amounts)


def read_expression(token: Lexeme) -> Expression:
    """Parse the expression between the braces."""
    return parse(token.text[1:-1], token.start + 1)


def read_reference(token: Lexeme) -> str:
    """Return the label of `@label`, or the path of `@down1/skip`, a label inside a block.

    Raises:
        ArchError: it is no label.
    """
    label = token.text[1:]
    if not _REFERENCE.fullmatch(label):
        raise fault(f"`{shown(token.text)}` names no label", token.start, token.end, LABEL_HELP)
    return label


def require_label(label: str, start: int, end: int) -> None:
    """Refuse a label that no line or tensor can have.

    Raises:
        ArchError: it is no label, a number, or a word of the language.
    """
    if not LABEL_NAME.fullmatch(label):
        raise fault(f"`{shown(label)}` is no label", start, end, LABEL_HELP)
    if label.isdecimal():
        raise fault(f"the label `{shown(label)}` is a number", start, end, f"try `l{shown(label)}`")
    if label in GRAMMAR_WORDS:
        help = "write `output NAME = …`" if label == "output" else f"try `{label}_`"
        raise fault(f"`{label}` is a word of the language, no label", start, end, help)


def fault(message: str, start: int, end: int, help: str = "") -> ArchError:
    """Return the error for a place in the line."""
    return ArchError(Diagnostic(message, Span((), start, end), help=help))
