"""Limit the work of building a graph, so that no text can make it take forever."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.graph import refusals
from archcalc.spec.model import Line
from archcalc.symbols import Int

MOST_NODES = 1_000_000
LONG = 50_000  # steps; a longer build estimates in advance whether its repeats exceed the limits
MOST_WORK = 20_000_000  # lines, parts of expressions, characters of paths: some seconds


class Effort:
    """Counts steps and work; its methods raise an ArchError for what exceeds the limits."""

    def __init__(self) -> None:
        self.steps = self.work = self.foreseen = 0
        self.hidden: Int = 0  # steps and work of rounds that are not built
        self._rounds: list[tuple[int, int]] = []  # of each repeat around: steps before, rounds left

    @property
    def spent(self) -> Int:
        """Steps and work, with those of rounds that are not built."""
        return self.hidden + self.steps + self.work

    @property
    def exhausted(self) -> bool:
        """Whether the work exceeds the limit."""
        return self.work > MOST_WORK

    def spend(self, work: int, line: Line) -> None:
        """Count work."""
        self.work += work
        if self.work > MOST_WORK:
            raise refusals.too_long(line)

    def step(self, work: int, line: Line) -> None:
        """Count a step and its work."""
        self.steps += 1
        self.work += work
        if self.steps > MOST_NODES:
            raise refusals.too_large(line, self.steps, MOST_NODES)
        if self.work > MOST_WORK:
            raise refusals.too_long(line)

    def allow(self, steps: int, line: Line) -> None:
        """Refuse a total of so many steps if it exceeds the limit."""
        self.foreseen = max(self.foreseen, steps)
        if steps > MOST_NODES:
            raise refusals.too_large(line, steps, MOST_NODES)

    def rounds(self, line: Line, count: int) -> Iterator[None]:
        """Yield once per round of a repeat; refuse it as soon as its rounds will exceed the limit."""
        self.allow(self.steps + len(line.steps) * count, line)
        if count > 1 and self.steps > LONG:
            self._require_end(line)
        self._rounds.append((self.steps, count - 1))
        for i in range(count):
            before = self.steps
            self._rounds[-1] = before, count - i - 1
            yield
            if i == min(1, count - 1):  # the second round is typical: the first may have a stride
                self.allow(self.steps + (self.steps - before) * (count - i - 1), line)
        self._rounds.pop()

    def _require_end(self, line: Line) -> None:
        """Refuse nested repeats whose rounds, if they are equal, have too many steps in total."""
        steps = self.steps
        for before, left in reversed(self._rounds):
            steps += (steps - before) * left
        self.allow(steps, line)
