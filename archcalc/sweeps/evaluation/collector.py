"""Collect what a sweep keeps while points stream by: counts, the front, the best, the first rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.sweeps.evaluation.engine import Found
from archcalc.sweeps.metrics import ALIASES, block_count, block_named
from archcalc.tuples import NamedTuple

MOST_IN_FRONT = 200_000
ENOUGH = 1 << 12  # points from which it shows whether goals choose


_WORD = re.compile(r"(?:([^:'\"]*):)?(.*)", re.DOTALL)  # a direction and a name


class Goal(NamedTuple):
    """An objective: a metric, one of a block, or a variable, and whether larger is better."""

    name: str
    most: bool

    def __str__(self) -> str:
        return f"max:{self.name}" if self.most else self.name


def parse_goals(
    text: str, names: Collection[str], option: str, blocks: bool = False
) -> tuple[Goal, ...]:
    """Parse 'parameters,max:field' as objectives; with `blocks`, also multiplies('stage4').

    Raises:
        UsageError: a name is unknown or occurs twice.
    """
    goals: list[Goal] = []
    for word in text.split(","):
        found = _WORD.fullmatch(word.strip())
        assert found is not None
        direction, name = found[1] or "", found[2]
        block = block_named(name) if blocks else None
        if block is not None:
            name = block_count(*block)
        if name not in names and name.lower() in (*ALIASES, "flops"):
            name = {"flops": "macs"}.get(name.lower(), name.lower())  # a multiply is 2 FLOPs
        name = ALIASES.get(name, name) if name in names else name
        if direction not in ("", "min", "max"):
            raise UsageError(f"{option}: `{shown(word)}`: write min:{shown(name)} or max:{shown(name)}")
        if name not in names and block is None:
            help = suggestion(name, names) or f"there are {listed(names)}"
            raise UsageError(Diagnostic(f"{option}: unknown name `{shown(name)}`", help=help))
        if any(goal.name == name for goal in goals):
            raise UsageError(f"{option}: `{shown(name)}` is there twice")
        goals.append(Goal(name, direction == "max"))
    return tuple(goals)


class Collector:
    """Counts of points, and the rows that the goals keep. One per thread; `merge` combines them.

    Attributes:
        seen, valid, kept: points evaluated; those that are networks; those that satisfy the condition.
        refused: points by the number of their reason, from 1.
        examples: the smallest point of each reason.
    """

    def __init__(self, pareto: Sequence[tuple[int, int]], by: tuple[int, int] | None, top: int) -> None:
        """`pareto` and `by` are rows of the results with a sign: −1 to maximize."""
        from archcalc.sweeps.machine.fronts import Best, Front, stacked

        self.stacked = stacked
        self.pareto, self.by = tuple(pareto), by
        self.goals = [*pareto, *([by] if by else [])]
        self.front = Front(len(pareto), MOST_IN_FRONT)
        self.best = Best(top)
        self.seen = self.valid = self.kept = 0
        self.refused: dict[int, int] = {}
        self.examples: dict[int, int] = {}

    def add(self, found: Found, lanes: Any, begin: int) -> None:
        """Collect points from number `begin`, of which `lanes` are valid and satisfy the condition."""
        reasons = found.reasons
        self.seen += len(reasons)
        self.valid += int((reasons == 0).sum())
        self.kept += len(lanes)
        if self.valid < self.seen:
            self._refusals(reasons, begin)
        if not len(lanes):
            return
        whole = slice(None) if len(lanes) == len(reasons) else lanes
        goals = [(found.results[row][whole], sign) for row, sign in self.goals]
        self._keep([row if sign > 0 else -row for row, sign in goals], begin + lanes)

    def add_rows(self, kept: Any, outcomes: Any, number_of: Callable[[Any], Any]) -> None:
        """Collect rows of a grid; the kernel kept the useful ones: see `machine.vector_filter`."""
        counts, places = kept.firsts.T
        self.seen += int(counts.sum())
        self.valid += int(counts[-1])
        self.kept += kept.satisfied
        for reason, count, place in zip(outcomes[:-1].tolist(), counts[:-1], places[:-1], strict=True):
            if count:
                self._refuse(reason, int(count), int(number_of(place)))
        if len(kept.places):
            self._keep(list(kept.results), number_of(kept.places))

    @property
    def hardly_chooses(self) -> bool:
        """Whether more than half of the points are in the front."""
        return bool(self.pareto) and self.kept >= ENOUGH and 2 * len(self.front.numbers) > self.kept

    def bars(self) -> Any:
        """Return objectives [goal, bar], or None; what one of them dominates is useless."""
        if self.pareto and len(self.front.numbers):
            return self.front.values
        if self.by is not None and len(self.best.numbers) == self.best.most:
            return self.best.values[None, -1:]
        return None

    def _keep(self, goals: Sequence[Any], numbers: Any) -> None:
        """Collect points that satisfy the condition, by the objectives to minimize."""
        if self.pareto:
            self.front.add(self.stacked(goals), numbers)
        elif self.by is not None:
            self.best.add(goals[0], numbers)
        else:
            self.best.add(numbers, numbers)

    def _refuse(self, reason: int, count: int, first: int) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + count
        self.examples[reason] = min(self.examples.get(reason, first), first)

    def _refusals(self, reasons: Any, begin: int) -> None:
        for reason in range(1, int(reasons.max()) + 1):
            those = reasons == reason
            count = int(those.sum())
            if count:
                self._refuse(reason, count, begin + int(those.argmax()))

    def merge(self, other: Collector) -> None:
        """Merge what another collector has kept."""
        self.seen, self.valid, self.kept = (
            self.seen + other.seen,
            self.valid + other.valid,
            self.kept + other.kept,
        )
        for reason, count in other.refused.items():
            self._refuse(reason, count, other.examples[reason])
        self.front.add(other.front.values, other.front.numbers, other.front.counts)
        self.front.dropped = self.front.dropped or other.front.dropped
        self.best.add(other.best.values, other.best.numbers)
