"""What goes wrong, as data: bare facts, the place they belong to, and a way out.

Rules raise `ShapeError("5 groups do not divide 192 channels", field="g")`; whoever knows the place
turns it into a `Diagnostic`; the command line renders it. Nothing else prints an error.
"""

from __future__ import annotations

from typing import NamedTuple

Keys = tuple[str | int, ...]


class Span(NamedTuple):
    """Where a fact stands in a spec: the TOML keys of a value, and characters `start:end` of it.

    `end < 0` means the whole value; `start < 0` means its key. An empty `keys` is the whole file.
    """

    keys: Keys
    start: int = 0
    end: int = -1


class Point(NamedTuple):
    """A line and a column of the text itself (from 1), for what has no TOML keys."""

    line: int
    column: int


class Diagnostic(NamedTuple):
    """One mistake: what is wrong, where, what the reader should know, and a way out."""

    message: str
    span: Span | Point | None = None
    label: str = ""
    notes: tuple[str | tuple[str, Span], ...] = ()
    help: str = ""


class ArchError(Exception):
    """Bad input, as one or more diagnostics. `exit_code` is what the process returns."""

    exit_code = 2

    def __init__(self, *diagnostics: Diagnostic | str) -> None:
        self.diagnostics = tuple(Diagnostic(d) if isinstance(d, str) else d for d in diagnostics)
        super().__init__("; ".join(d.message for d in self.diagnostics))


class UsageError(ArchError):
    """A command line that cannot be understood: unknown spec, option or value."""


class SpecError(ArchError):
    """A spec that cannot be read or built. `source` is its text, for the renderer."""

    def __init__(self, *diagnostics: Diagnostic, source: object = None) -> None:
        super().__init__(*diagnostics)
        self.source = source


class ShapeError(ArchError):
    """A rule of an operator that does not hold. `field` names the argument to blame, if one is."""

    def __init__(self, message: str, field: str = "", help: str = "") -> None:
        super().__init__(Diagnostic(message, help=help))
        self.message, self.field, self.help = message, field, help


def suggestion(word: str, known: object) -> str:
    """'did you mean …?' for the nearest of `known`, or '' when nothing is near."""
    import difflib

    words = [str(k) for k in known]  # type: ignore[attr-defined]
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if not near:
        lower = {w.lower(): w for w in words}
        near = [lower[k] for k in difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)]
    return f"did you mean `{near[0]}`?" if near else ""
