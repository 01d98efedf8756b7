"""Collect the messages of an evaluation: reasons of refusals, and notes on slow paths."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def silent(note: str) -> None:
    """Ignore a note."""


class Messages:
    """The messages of one evaluation.

    Attributes:
        reasons: why points are refused; `Found` has their numbers, from 1.
        notes: what was slower than expected, and why. `tell` is called with each at once.
    """

    def __init__(self, tell: Tell = silent) -> None:
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self._tell = tell

    def reason(self, text: str) -> int:
        """Return the number of a reason, from 1; add it if it is new."""
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text) + 1

    def note(self, text: str) -> None:
        """Add a note, and tell it, if it is new."""
        if text not in self.notes:
            self.notes.append(text)
            self._tell(text)
