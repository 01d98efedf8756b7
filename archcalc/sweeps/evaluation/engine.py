"""Evaluate every point of a sweep by the program of its structure.

Points that no program covers are analyzed one by one, which is slower and gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.formats import Formats
from archcalc.spec.expressions import Expression
from archcalc.sweeps.evaluation.messages import Messages, Tell, silent
from archcalc.sweeps.evaluation.structures import ELSEWHERE, WHERE, Structure, Structures
from archcalc.sweeps.machine.instructions import WORD, Executor
from archcalc.sweeps.metrics import MEANING, Count
from archcalc.sweeps.program.linear_forms import Form, constant
from archcalc.sweeps.program.recording import MetricsAsked, analyzed
from archcalc.sweeps.space.points import Points
from archcalc.symbols import OPERATIONS, Guard, Symbol
from archcalc.tuples import NamedTuple

FEW = 200  # the most points whose metrics are computed one by one
FEWER = 20  # the same, if not all programs of structures are recorded
CHUNK = 1 << 15


class Found(NamedTuple):
    """The results [metric, point] of some points, and the number of each point's reason (0: valid)."""

    results: Any
    reasons: Any


class Engine:
    """The evaluator of points.

    Attributes:
        structures: the programs.
        wanted: names of the results, as `Structures` has them.
        messages: reasons of refusals, and notes on slow paths.
    """

    def __init__(
        self,
        points: Points,
        wanted: Sequence[str],
        formats: Formats,
        condition: Expression | None = None,
        executor: Executor | None = None,
        tell: Tell = silent,
        others: Sequence[Count] = (),
    ) -> None:
        from archcalc.sweeps.machine import numpy_machine

        self.points, self.space, self.condition = points, points.space, condition
        self.lanes, self.executor = numpy_machine, executor or numpy_machine
        self.messages = Messages(tell)
        self.structures = Structures(
            points, wanted, MetricsAsked(formats, tuple(others)), condition, self.messages
        )
        self.asked = self.structures.asked
        self.wanted, self.stop = self.structures.wanted, self.structures.stop

    def outputs(self, structure: Structure, signs: Sequence[int]) -> list[Form]:
        """Return what kernels compute at a point: its first failing check, the condition, the goals.

        The condition is 1 if there is none. The goals are the first of `wanted`, each times its sign.
        """
        forms, first, results = structure.simple.forms, structure.simple.first, structure.simple.results
        goals = (forms.scale(results[n], sign) for n, sign in zip(self.wanted, signs, strict=False))
        return [first, results.get(WHERE, constant(1)), *goals]

    def evaluate(self, digits: Any) -> Found:
        """Evaluate the points with these digits."""
        found = Found(self.lanes.blank(len(self.wanted), digits.shape[1]), digits[0] * 0)
        enumerated = self.structures.enumerated
        if not enumerated:
            return self._group(digits, slice(None), found)
        for lanes in self.lanes.groups(digits[enumerated]):
            found = self._group(digits, lanes, found)
        return found

    def _group(self, digits: Any, lanes: Any, found: Found) -> Found:
        """Evaluate the points of one combination of enumerated digits, structure by structure."""
        pending = digits[:, lanes]
        if isinstance(lanes, slice):
            lanes = self.lanes.where(digits[0] >= 0)
        tried = 0
        while len(lanes):
            structure = self.structures.get(tried, pending[:, 0].tolist())
            if structure is None:
                return self._slowly(digits, lanes, found)
            tried += 1
            found, elsewhere = self._run(structure, pending, lanes, found)
            lanes, pending = lanes[elsewhere], pending[:, elsewhere]
        return found

    def _run(self, structure: Structure, digits: Any, lanes: Any, found: Found) -> tuple[Found, Any]:
        """Run a program on lanes, including those at which it does not hold."""
        if structure.code.fits:
            results = self.executor.run(structure.code, self.structures.inputs, digits)
            first, rows = results[0], results[1:]
            outcomes = structure.outcomes.take(first, mode="clip")
        else:
            self.messages.note("64 bits do not suffice here: exact integers, point by point")
            values = [self._exactly(structure, point) for point in self._one_by_one(digits)]
            outcomes = self.lanes.table([outcome for outcome, _ in values])
            rows = self.lanes.exact([row for _, row in values]).T
            found = found._replace(results=self.lanes.exact(found.results))
        elsewhere = outcomes == ELSEWHERE
        if len(lanes) == len(found.reasons) and not elsewhere.any():  # the usual, fast case
            return Found(rows, outcomes), self.lanes.where(elsewhere)
        here = self.lanes.where(~elsewhere)
        for result, row in zip(found.results, rows, strict=True):
            result[lanes[here]] = row[here]
        found.reasons[lanes[here]] = outcomes[here]
        return found, self.lanes.where(elsewhere)

    def _exactly(self, structure: Structure, digits: Sequence[int]) -> tuple[int, list[int]]:
        """Return the outcome and the results of one point, computed with integers of any size."""
        recording, largest = structure.recording, 0
        values: list[int] = []
        point = {c.name: c.values[digits[c.axis]] for c in self.structures.columns}
        for name, a, b in recording.program.instructions:
            if name == "constant":
                value = a
            elif name == "input":
                value = point[recording.program.inputs[a]]
            else:
                value = int(OPERATIONS[name](values[a], values[b]))
            values.append(value)
            largest = max(largest, abs(value))
        if largest > WORD:  # building may refuse what goes beyond 64 bits
            return self._analyzed(digits)
        failing = (i for i, c in enumerate(recording.checks) if not _passes(c, values[c.condition]))
        outcome = int(structure.outcomes[next(failing, len(recording.checks))])
        wanted = structure.wanted.values()
        rows = [values[v.index] if isinstance(v, Symbol) else int(v) for v in wanted]
        return outcome, rows or [0] * len(self.wanted)

    def metrics(self, points: Sequence[Sequence[int]]) -> Iterator[dict[str, int]]:
        """Yield all metrics of valid points."""
        if len(points) <= (FEW if not self.structures.remembered else FEWER):
            yield from map(self._metrics, points)
            return
        names = [*MEANING, *map(str, self.asked.others)]
        whole = Engine(self.points, names, self.asked.formats, others=self.asked.others)
        for begin in range(0, len(points), CHUNK):
            digits = self.lanes.stacked(list(zip(*points[begin : begin + CHUNK], strict=True)))
            for row in whole.evaluate(digits).results.T.tolist():
                yield dict(zip(names, row, strict=True))

    def _metrics(self, digits: Sequence[int]) -> dict[str, int]:
        """Return all metrics of a valid point."""
        point = {c.name: c.values[digits[c.axis]] for c in self.structures.columns}
        for structure in self.structures.of(digits):
            program, results = structure.recording.program, structure.recording.results
            if results is not None:
                found = program.evaluate(point, list(results.values()))
                if found.valid and found.same_structure:
                    return dict(zip(results, found.results, strict=True))
        results, refusal = analyzed(self.space.at(digits), *self.asked)
        assert results is not None, refusal
        return {name: int(value) for name, value in results.items()}

    def _one_by_one(self, digits: Any) -> Iterator[list[int]]:
        """Yield the digits of each point until stopped."""
        for point in digits.T.tolist():
            if self.stop.is_set():
                raise KeyboardInterrupt
            yield point

    def _slowly(self, digits: Any, lanes: Any, found: Found) -> Found:
        found = found._replace(results=self.lanes.exact(found.results))
        for lane, point in zip(lanes.tolist(), self._one_by_one(digits[:, lanes]), strict=True):
            outcome, rows = self._analyzed(point)
            found.reasons[lane] = outcome
            found.results[:, lane] = rows
        return found

    def _analyzed(self, digits: Sequence[int]) -> tuple[int, list[int]]:
        """Return the outcome and the results of one point by building it."""
        network = self.space.at(digits)
        results, refusal = analyzed(network, *self.asked)
        if results is None:
            return self.messages.reason(refusal), [0] * len(self.wanted)
        found = self.structures.results({**network.values, **results})
        return 0, [int(found[name]) for name in self.wanted]


def _passes(check: Any, value: int) -> bool:
    return value == check.outcome if isinstance(check, Guard) else bool(value)
