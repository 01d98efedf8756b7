"""What a tensor holds after others were written into: an in-place operation is a value for all aliases.

A view and what it is a view of share their numbers. Writing into one changes all; each of them gets,
when it is next read, a new value that depends on what it was and on what was written since. Who reads
the trace then never has to think of order.
"""

from __future__ import annotations

from typing import NamedTuple


class Stale(NamedTuple):
    """A tensor that others were written into since it was made: `was`, and what was written."""

    was: str
    written: tuple[str, ...]


class Writes:
    """Which tensors share numbers, and what was written into them in which order."""

    def __init__(self) -> None:
        self._base: dict[str, str] = {}
        self._written: dict[str, list[str]] = {}
        self._seen: dict[str, int] = {}  # how many writes a tensor knows of
        self._value: dict[str, str] = {}  # what its name stands for now

    def view(self, name: str, of: str) -> None:
        """`name` is made as a view of `of`, or as what a write left of it."""
        base = self._base.get(of, of)
        self._base[name] = base
        self._seen[name] = len(self._written.get(base, ()))

    def write(self, into: str, result: str) -> None:
        """An operation wrote into the tensor `into`, and calls what it holds then `result`."""
        base = self._base.get(into, into)
        self._written.setdefault(base, []).append(result)
        self.replace(into, result)

    def replace(self, name: str, value: str) -> None:
        """From here on `name` stands for `value`, and both know of all writes."""
        self.view(value, name)
        self._value[name] = value
        self._seen[name] = self._seen[value]

    def read(self, name: str) -> str | Stale:
        """What `name` stands for, or what has to be joined first."""
        value = self._value.get(name, name)
        written = self._written.get(self._base.get(name, name))
        if written is None or self._seen.get(name, 0) == len(written):
            return value
        return Stale(value, tuple(written[self._seen.get(name, 0) :]))
