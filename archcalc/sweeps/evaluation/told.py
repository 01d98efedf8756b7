"""Collect the messages of an evaluation: reasons of refusals, and notes on slow paths."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def silent(note: str) -> None:
    """Ignore a note."""


class Told:
    """The reasons of refusals, and the notes, of one evaluation.

    Attributes:
        reasons: why points are refused; the number in `Found` is one larger.
        notes: what was slower than expected, and why; `tell` gets them at once.
    """

    def __init__(self, tell: Tell = silent) -> None:
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self._tell = tell

    def reason(self, text: str) -> int:
        """Return the number of a reason, from 1."""
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text) + 1

    def note(self, text: str) -> None:
        """Keep a note, and report it once."""
        if text not in self.notes:
            self.notes.append(text)
            self._tell(text)
