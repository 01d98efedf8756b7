"""Define errors as data: the bare fact, its place, and a way out.

Rules raise `ShapeError("5 groups do not divide 192 channels", field="g")`; the caller that knows the
place turns it into a `Diagnostic`; the command line renders it. Nothing else prints an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from archcalc.tuples import NamedTuple

Keys = tuple[str | int, ...]

MOST_MISTAKES = 100  # that are collected before reading stops
_LONGEST_WORD = 60  # that is quoted, or compared with others
_MOST_WORDS = 1000  # that a word is compared with
_NEAR = 8  # of them that are looked at again
_MOST_LISTED = 40


class Span(NamedTuple):
    """The place of a fact in a spec: the TOML keys of a value, and characters `start:end` of it.

    `end < 0` means the whole value; `start < 0` means its key. An empty `keys` is the whole file.
    """

    keys: Keys
    start: int = 0
    end: int = -1


class Point(NamedTuple):
    """A line and a column of the text itself (from 1), for what has no TOML keys."""

    line: int
    column: int
    width: int = 1


class Diagnostic(NamedTuple):
    """One mistake: the fact, its place, background, and a way out."""

    message: str
    span: Span | Point | None = None
    label: str = ""
    notes: tuple[str | tuple[str, Span], ...] = ()
    help: str = ""


class ArchError(Exception):
    """Bad input, as one or more diagnostics. `exit_code` is that of the process."""

    exit_code = 2

    def __init__(self, *diagnostics: Diagnostic | str) -> None:
        self.diagnostics = tuple(Diagnostic(d) if isinstance(d, str) else d for d in diagnostics)
        super().__init__("; ".join(d.message for d in self.diagnostics))
        for help in filter(None, (d.help for d in self.diagnostics)):
            self.add_note(f"help: {help}")


class UsageError(ArchError):
    """A command line that cannot be understood: unknown spec, option or value."""


class Finding(ArchError):
    """A claim or prediction that does not hold."""

    exit_code = 1


class SpecError(ArchError):
    """A spec that cannot be read or built. `source` is its text, for the renderer."""

    def __init__(self, *diagnostics: Diagnostic, source: object = None) -> None:
        super().__init__(*diagnostics)
        self.source = source


class ShapeError(ArchError):
    """A violated rule of an operator. `field` names the argument to blame, if there is one."""

    def __init__(self, message: str, field: str = "", help: str = "") -> None:
        super().__init__(Diagnostic(message, help=help))
        self.message, self.field, self.help = message, field, help


def shown(value: object, deep: int = 2) -> str:
    """Return a user's word or value as a message quotes it: never long, `true` and 0.5 as in a spec.

    `deep` is how far lists in lists are shown.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        first = [quoted(item, deep - 1) if deep else "…" for item in value[:4]]
        return f"[{', '.join([*first, '…'] if len(value) > 4 else first)}]"
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, tuple):
        return "x".join(map(shown, value))
    numerator = getattr(value, "numerator", 0)
    if isinstance(numerator, int) and abs(numerator) > 10**_LONGEST_WORD:
        return "…"  # Python refuses to write thousands of digits
    text = str(value) if isinstance(value, int | str) or not numerator else str(float(value))  # type: ignore[arg-type]
    return text if len(text) <= _LONGEST_WORD else f"{text[: _LONGEST_WORD - 1]}…"


def quoted(value: object, deep: int = 2) -> str:
    """Return the value with quotes where a spec has them: a "3" is no 3."""
    return f'"{shown(value)}"' if isinstance(value, str) else shown(value, deep)


def listed(words: Iterable[object]) -> str:
    """Join words as 'a, b, c'; only the first if there are many."""
    first = [shown(word) for word in islice(words, _MOST_LISTED + 1)]
    return ", ".join([*first[:_MOST_LISTED], "…"] if len(first) > _MOST_LISTED else first)


def suggestion(word: str, known: Iterable[object]) -> str:
    """Return 'did you mean …?' for the nearest of `known`, or '' if none is near."""
    import difflib

    if len(word) > _LONGEST_WORD:
        return ""
    words = [str(k) for k in islice(known, _MOST_WORDS)]
    near = difflib.get_close_matches(word, words, n=_NEAR, cutoff=0.7)
    if not near:
        lower = {w.lower(): w for w in words}
        matches = difflib.get_close_matches(word.lower(), lower, n=_NEAR, cutoff=0.7)
        near = [lower[match] for match in matches]
    letters = sorted(word.lower())  # swapped letters are a likelier slip than wrong ones
    near.sort(key=lambda w: sorted(w.lower()) != letters)
    return f"did you mean `{shown(near[0])}`?" if near else ""
