"""Follow writes into tensors: an in-place operation gives a new value to all aliases.

A view shares its numbers with its base. A write into one changes all; each gets a new value at its
next read, which depends on the old value and on all writes since. A reader of the trace need not
think of order then.
"""

from __future__ import annotations

from archcalc.tuples import NamedTuple


class StaleTensor(NamedTuple):
    """A tensor `was` whose values were changed by writes into tensors that share its storage.

    `written`: its base as it was joined last, and all writes since then, so that each is joined once.
    """

    was: str
    written: tuple[str, ...]


class Writes:
    """Which tensors share numbers, and what was written into them in which order."""

    def __init__(self) -> None:
        self._base: dict[str, str] = {}
        self._written: dict[str, int] = {}  # how many writes there were into a base and its views
        self._open: dict[str, list[str]] = {}  # what of them nothing has joined yet
        self._seen: dict[str, int] = {}  # how many of them a tensor knows of
        self._value: dict[str, str] = {}  # what its name stands for now

    def view(self, name: str, of: str) -> None:
        """Record that `name` is a view of `of`, or what a write left of it."""
        base = self._base.get(of, of)
        self._base[name] = base
        self._seen[name] = self._written.get(base, 0)

    def write(self, into: str, result: str) -> None:
        """Record that an operation wrote into the tensor `into`, which then holds `result`."""
        base = self._base.get(into, into)
        self._written[base] = self._written.get(base, 0) + 1
        self._open.setdefault(base, []).append(result)
        self._replace(into, result)

    def joined(self, name: str, value: str) -> None:
        """Record that `value` was joined from what `read` returned for the stale `name`."""
        self._open[self._base.get(name, name)] = [value]
        self._replace(name, value)

    def _replace(self, name: str, value: str) -> None:
        self.view(value, name)
        self._value[name] = value
        self._seen[name] = self._seen[value]

    def read(self, name: str) -> str | StaleTensor:
        """Return the current value of `name`, or the values to join first."""
        value = self._value.get(name, name)
        base = self._base.get(name, name)
        if self._seen.get(name, 0) == self._written.get(base, 0):
            return value
        return StaleTensor(value, tuple(self._open[base]))
