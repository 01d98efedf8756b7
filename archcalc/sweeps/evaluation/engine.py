"""Every point of a sweep, by the program of its structure.

Axes of sizes are variables of the programs; all others, and sizes that are fixed by an index or a
repeat, are enumerated: a structure is a combination of them. Within one, guards tell where a program
holds; a point where none does is recorded. What cannot be had that way is analyzed point by point, which
is slower and as right.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.spec.expressions import Expression
from archcalc.sweeps.machine.instructions import WORD, Code, Executor
from archcalc.sweeps.metrics import ALIASES
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.code import compile_forms
from archcalc.sweeps.program.ranges import Range
from archcalc.sweeps.program.recording import Recording, UnsupportedError, analyzed, columns, record
from archcalc.sweeps.program.simplify import Simplified, simplify
from archcalc.sweeps.space.constraints import holds
from archcalc.sweeps.space.points import Points
from archcalc.symbols import OPERATIONS, Guard, Int, Symbol

Tell = Callable[[str], None]
MOST_STRUCTURES = 1_000
WHERE = "where"
ELSEWHERE = -1  # an outcome: another structure


def silent(note: str) -> None:
    """Tells nobody."""


class Structure(NamedTuple):
    """A program ready to run.

    Attributes:
        outcomes: by the number of the first check that fails: 0 for a valid point, the number of a
            reason, or `ELSEWHERE`.
    """

    recording: Recording
    code: Code
    outcomes: Any
    wanted: dict[str, Int]
    simple: Simplified

    @property
    def everywhere(self) -> bool:
        """Whether the program holds, within 64 bits, wherever its axes take it."""
        return self.code.fits and self.simple.everywhere and bool(self.simple.results)


class Found(NamedTuple):
    """Of some points: the results [metric, point], and reasons: 0 where a point is valid."""

    results: Any
    reasons: Any


class Engine:
    """Evaluates points.

    Attributes:
        wanted: names of the results: metrics or integer variables, and `WHERE` if there is a condition.
        reasons: why points are refused; the number in `Found` is one more.
        notes: what was slower than it should be, and why; `tell` hears them at once.
        stop: whether nobody waits for what is under way.
    """

    def __init__(
        self,
        points: Points,
        wanted: Sequence[str],
        bytes: int,
        condition: Expression | None = None,
        executor: Executor | None = None,
        tell: Tell = silent,
    ) -> None:
        from archcalc.sweeps.machine import numpy_machine

        self.points, self.space, self.bytes = points, points.space, bytes
        self.condition, self.lanes, self.executor = condition, numpy_machine, executor or numpy_machine
        self.wanted = [*wanted, WHERE] if condition is not None else list(wanted)
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self.stop = threading.Event()
        self._tell = tell
        self.recorded = 0
        self._structures: dict[tuple[int, ...], list[Structure]] = {}
        self._lock = threading.Lock()
        self._first: tuple[list[int], Recording | None] = [], None
        self.sizes = self._sizes()
        self.enumerated = [i for i in range(len(self.space.axes)) if i not in self.sizes]
        self.columns = [c for i in self.sizes for c in columns(self.space.axes[i], i) or ()]
        self.inputs = [(c.axis, numpy_machine.table(c.values)) for c in self.columns]
        if not self.columns:  # a program of constants still wants to know how many points there are
            self.inputs = [(0, numpy_machine.table([0] * len(self.space.axes[0].values)))]
        self.known = {c.name: ranges.of_values(c.values) for c in self.columns}

    def _sizes(self) -> list[int]:
        """The axes that are variables of the programs."""
        axes, digits = self.space.axes, self.points.digits(0)
        sizes = [i for i, axis in enumerate(axes) if columns(axis, i) is not None]
        try:
            found = record(self.space, digits, sizes, self.bytes)
        except UnsupportedError:
            sizes = [i for i in sizes if self._supported(digits, [i])]
            while sizes and not self._supported(digits, sizes):
                sizes.pop()
            if not sizes:
                return []
            found = record(self.space, digits, sizes, self.bytes)
        fixed = _read(found)
        kept = [i for i in sizes if not any(c.name in fixed for c in columns(axes[i], i) or ())]
        if kept == sizes:  # the structure of the first point will be asked for
            self._first = list(digits), found
        return kept

    def _supported(self, digits: Sequence[int], sizes: Sequence[int]) -> bool:
        try:
            record(self.space, digits, sizes, self.bytes)
        except UnsupportedError:
            return False
        return True

    def evaluate(self, digits: Any) -> Found:
        """The points with these digits."""
        found = Found(self.lanes.blank(len(self.wanted), digits.shape[1]), digits[0] * 0)
        if not self.enumerated:
            return self._group(digits, slice(None), found)
        for lanes in self.lanes.groups(digits[self.enumerated]):
            found = self._group(digits, lanes, found)
        return found

    def _group(self, digits: Any, lanes: Any, found: Found) -> Found:
        """The points of one combination of enumerated digits, structure by structure."""
        pending = digits[:, lanes]
        if isinstance(lanes, slice):
            lanes = self.lanes.where(digits[0] >= 0)
        key = tuple(int(pending[axis, 0]) for axis in self.enumerated)
        tried = 0
        while len(lanes):
            structures = self._structures.setdefault(key, [])
            if tried == len(structures) and not self._record(key, tried, pending[:, 0].tolist()):
                return self._slowly(digits, lanes, found)
            structure = structures[tried]
            tried += 1
            found, elsewhere = self._run(structure, pending, lanes, found)
            lanes, pending = lanes[elsewhere], pending[:, elsewhere]
        return found

    def _run(self, structure: Structure, digits: Any, lanes: Any, found: Found) -> tuple[Found, Any]:
        """Run a program on lanes; also those at which it does not hold."""
        if structure.code.fits:
            results = self.executor.run(structure.code, self.inputs, digits)
            first, rows = results[0], results[1:]
            outcomes = structure.outcomes[first]
        else:
            self.note("64 bits do not suffice here: exact integers, point by point")
            values = [self._exactly(structure, point) for point in self._one_by_one(digits)]
            outcomes = self.lanes.table([outcome for outcome, _ in values])
            rows = self.lanes.exact([row for _, row in values]).T
            found = found._replace(results=self.lanes.exact(found.results))
        elsewhere = outcomes == ELSEWHERE
        if len(lanes) == len(found.reasons) and not elsewhere.any():  # nearly always, and quick
            return Found(rows, outcomes), self.lanes.where(elsewhere)
        here = self.lanes.where(~elsewhere)
        for result, row in zip(found.results, rows, strict=True):
            result[lanes[here]] = row[here]
        found.reasons[lanes[here]] = outcomes[here]
        return found, self.lanes.where(elsewhere)

    def _exactly(self, structure: Structure, digits: Sequence[int]) -> tuple[int, list[int]]:
        """The outcome and the results of one point on integers of any size."""
        recording, largest = structure.recording, 0
        values: list[int] = []
        point = {c.name: c.values[digits[c.axis]] for c in self.columns}
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

    def whole(self) -> Structure | None:
        """The structure of all points, if one program holds everywhere."""
        if self.enumerated or not self.sizes:
            return None
        structures = self._structures.setdefault((), [])
        if not structures and not self._record((), 0, self.points.digits(0)):
            return None
        return structures[0] if structures[0].everywhere else None

    def bounds(self, structure: Structure, metric: str) -> Range:
        """Of a metric over all points of a structure."""
        program, checks, results, _, _ = structure.recording
        assert results is not None
        simple = simplify(program, checks, {metric: results[metric]}, self.known)
        return simple.forms.range_of(simple.results[metric])

    def metrics(self, digits: Sequence[int]) -> dict[str, int]:
        """All metrics of a valid point."""
        point = {c.name: c.values[digits[c.axis]] for c in self.columns}
        for structure in self._structures.get(tuple(digits[i] for i in self.enumerated), ()):
            program, results = structure.recording.program, structure.recording.results
            if results is not None:
                found = program.evaluate(point, list(results.values()))
                if found.valid and found.same_structure:
                    return dict(zip(results, found.results, strict=True))
        results, refusal = analyzed(self.space.at(digits), self.bytes)
        assert results is not None, refusal
        return {name: int(value) for name, value in results.items()}

    def _record(self, key: tuple[int, ...], tried: int, digits: Sequence[int]) -> bool:
        """Record the structure of a point, unless another thread did; False if that is no way."""
        with self._lock:
            structures = self._structures[key]
            if len(structures) > tried:
                return True
            if self.recorded >= MOST_STRUCTURES:
                self.note(
                    f"more than {MOST_STRUCTURES:,} structures: the rest is analyzed point by point"
                )
                return False
            try:
                if self.stop.is_set():
                    raise KeyboardInterrupt
                known, found = self._first
                if known != list(digits) or found is None:
                    found = record(self.space, digits, self.sizes, self.bytes)
                structures.append(self._prepared(found))
            except UnsupportedError:
                self.note("symbols cannot express some points: they are analyzed one by one")
                return False
            self.recorded += 1
            return True

    def _prepared(self, recording: Recording) -> Structure:
        wanted: dict[str, Int] = {}
        if recording.results is not None:
            values = recording.variables | recording.results
            wanted = {name: values[name] for name in self.wanted if name != WHERE}
            if self.condition is not None:
                wanted[WHERE] = holds(self.condition, _lookup(values))
        simple = simplify(recording.program, recording.checks, wanted, self.known)
        forms = [simple.results.get(name) or simple.first for name in self.wanted]
        code = compile_forms(simple.forms, [simple.first, *forms])
        code = code._replace(fits=code.fits and simple.largest <= WORD)
        outcomes = [
            ELSEWHERE if isinstance(check, Guard) else self.reason(check.template)
            for check in recording.checks
        ]
        outcomes.append(self.reason(recording.refusal) if recording.results is None else 0)
        return Structure(recording, code, self.lanes.table(outcomes), wanted, simple)

    def reason(self, text: str) -> int:
        """The number of a reason, from 1."""
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text) + 1

    def note(self, text: str) -> None:
        """Keep a note, and tell it, once."""
        if text not in self.notes:
            self.notes.append(text)
            self._tell(text)

    def _one_by_one(self, digits: Any) -> Iterator[list[int]]:
        """The digits of each point, as long as somebody waits for it."""
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
        """The outcome and the results of one point by building it."""
        network = self.space.at(digits)
        results, refusal = analyzed(network, self.bytes)
        if results is None:
            return self.reason(refusal), [0] * len(self.wanted)
        values = {k: v for k, v in network.values.items() if type(v) is int} | results
        if self.condition is not None:
            values[WHERE] = holds(self.condition, _lookup(values))
        return 0, [int(values[name]) for name in self.wanted]


def _lookup(values: Mapping[str, Int]) -> Callable[[str], Int]:
    return lambda name: values[name] if name in values else values[ALIASES[name]]


def _passes(check: Any, value: int) -> bool:
    return value == check.outcome if isinstance(check, Guard) else bool(value)


def _read(recording: Recording) -> set[str]:
    """The inputs on which an index or a repeat of the recording depends."""
    program = recording.program
    waiting, seen, names = list(program.fixed), set[int](), set[str]()
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        name, a, b = program.instructions[index]
        if name == "input":
            names.add(program.inputs[a])
        elif name != "constant":
            waiting += [a, b]
    return names
