"""What a sweep keeps while points stream by: counts, the front, the best, the first rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.sweep.engine import Found
from archcalc.sweep.metrics import ALIASES

MOST_IN_FRONT = 10_000


class Goal(NamedTuple):
    """An objective: a metric or variable, and whether the most of it is best."""

    name: str
    most: bool

    def __str__(self) -> str:
        return f"max:{self.name}" if self.most else self.name


def parse_goals(text: str, names: Sequence[str], option: str) -> tuple[Goal, ...]:
    """'parameters,max:field' as objectives.

    Raises:
        UsageError: an unknown name, or one twice.
    """
    goals: list[Goal] = []
    for word in text.split(","):
        direction, _, name = word.strip().rpartition(":")
        name = ALIASES.get(name, name) if name in names else name
        if direction not in ("", "min", "max"):
            raise UsageError(f"{option}: `{shown(word)}`: write min:{shown(name)} or max:{shown(name)}")
        if name not in names:
            help = suggestion(name, names) or f"there are {listed(names)}"
            raise UsageError(Diagnostic(f"{option}: unknown name `{shown(name)}`", help=help))
        if any(goal.name == name for goal in goals):
            raise UsageError(f"{option}: `{shown(name)}` is there twice")
        goals.append(Goal(name, direction == "max"))
    return tuple(goals)


class Collector:
    """Counts of points, and what the goals keep. One a thread; `merge` puts them together.

    Attributes:
        seen, valid, kept: points evaluated; that are networks; that also satisfy the condition.
        refused: points by the number of their reason, from 1.
        examples: the smallest point of each reason.
    """

    def __init__(self, pareto: Sequence[tuple[int, int]], by: tuple[int, int] | None, top: int) -> None:
        """`pareto` and `by` are rows of the results with a sign: −1 for what is to be large."""
        from archcalc.numerics.fronts import Best, Front, stacked

        self.stacked = stacked
        self.pareto, self.by = tuple(pareto), by
        self.front = Front(len(pareto), MOST_IN_FRONT)
        self.best = Best(top)
        self.seen = self.valid = self.kept = 0
        self.refused: dict[int, int] = {}
        self.examples: dict[int, int] = {}

    def add(self, found: Found, lanes: Any, begin: int) -> None:
        """Points from number `begin` on, of which `lanes` are valid and satisfy the condition."""
        reasons = found.reasons
        self.seen += len(reasons)
        self.valid += int((reasons == 0).sum())
        self.kept += len(lanes)
        if self.valid < self.seen:
            self._refusals(reasons, begin)
        if not len(lanes):
            return
        numbers = begin + lanes
        if self.pareto:
            rows = [found.results[row] * sign for row, sign in self.pareto]
            self.front.add(self.stacked([row[lanes] for row in rows]), numbers)
        if self.by is not None:
            row, sign = self.by
            self.best.add(found.results[row][lanes] * sign, numbers)
        elif not self.pareto and len(self.best.numbers) < self.best.most:
            self.best.add(numbers, numbers)

    def _refusals(self, reasons: Any, begin: int) -> None:
        for reason in range(1, int(reasons.max()) + 1):
            those = reasons == reason
            count = int(those.sum())
            if count:
                self.refused[reason] = self.refused.get(reason, 0) + count
                first = begin + int(those.argmax())
                self.examples[reason] = min(self.examples.get(reason, first), first)

    def merge(self, other: Collector) -> None:
        """Take over what another one has kept."""
        self.seen, self.valid, self.kept = (
            self.seen + other.seen,
            self.valid + other.valid,
            self.kept + other.kept,
        )
        for reason, count in other.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count
            first = other.examples[reason]
            self.examples[reason] = min(self.examples.get(reason, first), first)
        self.front.add(other.front.values, other.front.numbers, other.front.counts)
        self.front.dropped = self.front.dropped or other.front.dropped
        self.best.add(other.best.values, other.best.numbers)
