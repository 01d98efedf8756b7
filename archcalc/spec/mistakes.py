"""Collect the mistakes of a text, so that all are shown at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from archcalc.errors import MOST_MISTAKES, ArchError, Diagnostic, Keys, Span, shown, suggestion

TOP_LEVEL = "top-level keys stand before the first [table], or TOML puts them inside it"


class TooManyMistakesError(Exception):
    """There are as many mistakes as are shown at most."""


class Mistakes:
    """The mistakes found so far, each with its place."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a mistake.

        Raises:
            TooManyMistakesError: it is the hundredth.
        """
        self.found.append(diagnostic)
        if len(self.found) >= MOST_MISTAKES:
            raise TooManyMistakesError

    def extend(self, mistakes: Iterable[Diagnostic]) -> None:
        """Add several mistakes."""
        for mistake in mistakes:
            self.add(mistake)

    def fault(self, message: str, keys: Keys, help: str = "", start: int = 0) -> None:
        """Add a mistake in the value of `keys`, or in the key with `start=-1`."""
        self.add(Diagnostic(message, Span(keys, start), help=help))

    def attempt(self, keys: Keys, action: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of `action` on the value of `keys`, or None after adding its error."""
        try:
            return action(*arguments)
        except ArchError as error:
            for d in error.diagnostics:
                place = d.span._replace(keys=keys) if isinstance(d.span, Span) else Span(keys)
                self.add(d._replace(span=place))
        return None

    def check_keys(
        self, keys: Keys, table: dict[str, Any], known: tuple[str, ...], meant: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return the table; add a mistake for each key that is not known.

        A key that is misspelt is corrected if it is clearly one of `meant`, and that one is missing.
        """
        right = dict(table)
        for key in table:
            if key in known:
                continue
            help = suggestion(key, known)
            near = next((m for m in meant if m not in right and help == suggestion(m, [m])), None)
            if near is not None:
                right[near] = table[key]
            if keys and key in ("layers", "title", "input", "paper", "year"):
                help = TOP_LEVEL
            help = help or f"known: {', '.join(known)}"
            self.fault(f"unknown key `{shown(key)}`", (*keys, key), help, -1)
        return right

    def table(self, keys: Keys, value: Any) -> dict[str, Any]:
        """Return a value that is a table; for any other, add a mistake, and return an empty table."""
        if isinstance(value, dict):
            return value
        self.fault(f"`{shown(keys[-1])}` must be a table", keys, f"write [{'.'.join(map(shown, keys))}]")
        return {}
