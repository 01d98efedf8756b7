"""Record each structure of a sweep once, as a program ready to run.

Axes of sizes are variables of the programs. All other axes, and sizes fixed by an index or a repeat, are
enumerated: a structure is a combination of their values. Within a structure, guards decide where a
program holds; a point where no program holds is recorded anew.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import lcm
from typing import TYPE_CHECKING, Any

from archcalc.graph.folding import ROUNDS
from archcalc.spec.expressions import Expression
from archcalc.sweeps.evaluation.messages import Messages
from archcalc.sweeps.machine.instructions import WORD, Code
from archcalc.sweeps.metrics import ALIASES, MEANING
from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.code import compile_forms
from archcalc.sweeps.program.linear_forms import Forms, constant
from archcalc.sweeps.program.ranges import Range
from archcalc.sweeps.program.recording import (
    MetricsAsked,
    Recording,
    SizeInput,
    UnsupportedError,
    columns,
    inputs_read,
    record,
)
from archcalc.sweeps.program.simplify import Simplified, simplify
from archcalc.sweeps.space.constraints import holds
from archcalc.sweeps.space.model import Axis
from archcalc.sweeps.space.points import Points
from archcalc.symbols import Guard, Int, Program
from archcalc.tuples import NamedTuple

if TYPE_CHECKING:
    from archcalc.sweeps.evaluation.remembered import ProgramMemory

MOST_STRUCTURES = 1_000
WHERE = "where"
ELSEWHERE = -1  # the outcome of a point that belongs to another structure

NO_RECORDING = Recording(Program(), (), None, "", {})
NOTHING = Simplified(Forms(), constant(0), 0, {}, False, 0)

Sizes = dict[int, tuple[SizeInput, ...]]  # by axis


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


class Structures:
    """The structures of a sweep, recorded on demand and cached.

    Attributes:
        wanted: names of the results: metrics or integer variables, and `WHERE` if there is a condition.
        sizes, enumerated: the axes that are variables of the programs, and the others.
        columns, inputs: the variables, and the machine's form of them: an axis and its values.
        recorded: the number of structures; `remembered` of them were on disk, without a recording.
        stop: whether the work under way is no longer wanted.
    """

    def __init__(
        self,
        points: Points,
        wanted: Sequence[str],
        asked: MetricsAsked,
        condition: Expression | None,
        messages: Messages,
    ) -> None:
        from archcalc.sweeps.machine import numpy_machine

        self.points, self.space, self.asked = points, points.space, asked
        self.condition, self.lanes, self.messages = condition, numpy_machine, messages
        self.wanted = [*wanted, WHERE] if condition is not None else list(wanted)
        self.stop = threading.Event()
        self.recorded = self.remembered = 0
        values = self.space.network.values
        self._scales = {
            name: _denominator(self.space.axes, variable, values[variable])
            for name in wanted
            if (variable := name.partition("[")[0]) in values and name not in MEANING
        }
        self._known: dict[tuple[int, ...], list[Structure]] = {}
        self._lock = threading.Lock()
        self._first: tuple[list[int], Recording | None] = [], None
        self.sizes = self._sizes()
        self.enumerated = [i for i in range(len(self.space.axes)) if i not in self.sizes]
        self.columns = [column for own in self.sizes.values() for column in own]
        self.inputs = [(c.axis, self.lanes.table(c.values)) for c in self.columns]
        if not self.columns:  # a program of constants still wants to know how many points there are
            self.inputs = [(0, self.lanes.table([0] * len(self.space.axes[0].values)))]
        self._ranges = {c.name: ranges.of_values(c.values) for c in self.columns}
        self.memory: ProgramMemory | None = None
        if self.enumerated:
            from archcalc.sweeps.evaluation.remembered import ProgramMemory  # hashes, JSON, paths

            self.memory = ProgramMemory(self._facts(), len(self.inputs), len(self.wanted) + 1)

    def _facts(self) -> list[Any]:
        """Return what all programs depend on besides the values of the enumerated axes."""
        network, condition = self.space.network, self.condition
        columns = [(c.name, c.axis, c.values, c.denominator) for c in self.columns]
        return [
            network.spec.source.text,
            network.variant,
            network.changed,
            network.input,
            [axis.name for axis in self.space.axes],
            columns,
            self.asked,
            self.wanted,
            sorted(self._scales.items()),
            None if condition is None else ast.dump(condition.tree),
        ]

    def _sizes(self) -> Sizes:
        """Return the axes that are variables of the programs."""
        digits = self.points.digits(0)
        varied = {i: columns(axis, i) for i, axis in enumerate(self.space.axes)}
        sizes = {i: found for i, found in varied.items() if found is not None}
        try:
            found = record(self.space, digits, sizes, self.asked)
        except UnsupportedError:
            sizes = {i: own for i, own in sizes.items() if self._supported(digits, {i: own})}
            while sizes and not self._supported(digits, sizes):
                sizes.popitem()
            if not sizes:
                return {}
            found = record(self.space, digits, sizes, self.asked)
        fixed = self._fixed(found, digits, sizes)
        kept = {i: own for i, own in sizes.items() if not any(c.name in fixed for c in own)}
        if len(kept) == len(sizes):  # the structure of the first point will be asked for
            self._first = list(digits), found
        return kept

    def _fixed(self, found: Recording, digits: Sequence[int], sizes: Sizes) -> set[str]:
        """Return the inputs that an index or a repeat fixes, also where a repeat has more rounds."""
        program = found.program
        fixed, few = (inputs_read(program, names) for names in (program.fixed, program.counts))
        if few - fixed:
            more = list(digits)
            for axis, inputs in sizes.items():
                if not few.isdisjoint(c.name for c in inputs):
                    values = inputs[0].values
                    more[axis] = min(len(values) - 1, digits[axis] + ROUNDS)
            with suppress(UnsupportedError):
                there = record(self.space, more, sizes, self.asked).program
                fixed |= inputs_read(there, there.fixed)
        return fixed

    def _supported(self, digits: Sequence[int], sizes: Sizes) -> bool:
        try:
            record(self.space, digits, sizes, self.asked)
        except UnsupportedError:
            return False
        return True

    def of(self, digits: Sequence[int]) -> Sequence[Structure]:
        """Return the structures recorded for a point's combination of enumerated digits."""
        return self._known.get(tuple(digits[axis] for axis in self.enumerated), ())

    def get(self, tried: int, digits: Sequence[int]) -> Structure | None:
        """Return the structure number `tried` of a point's combination, recorded at this point if new.

        Returns None if symbols cannot express it, or if there are too many structures.
        """
        combination = tuple(digits[axis] for axis in self.enumerated)
        known = self._known.get(combination)
        if known is None:
            with self._lock:
                known = self._known.setdefault(combination, self._remembered(combination))
        if tried == len(known) and not self._record(known, tried, digits):
            return None
        return known[tried]

    def _remembered(self, combination: Sequence[int]) -> list[Structure]:
        """Return the structures of a combination that are on disk."""
        if self.memory is None or self.recorded >= MOST_STRUCTURES:
            return []
        found = self.memory.load(self.values_of(combination))
        self.recorded += len(found)
        self.remembered += len(found)
        told = ((one.code, self._outcomes(one.outcomes)) for one in found)
        return [Structure(NO_RECORDING, code, outcomes, {}, NOTHING) for code, outcomes in told]

    def values_of(self, combination: Sequence[int]) -> list[Any]:
        """Return the values of the enumerated axes."""
        axes = [self.space.axes[axis] for axis in self.enumerated]
        return [axis.values[digit] for axis, digit in zip(axes, combination, strict=True)]

    def _outcomes(self, told: Sequence[str | None]) -> Any:
        """Return the numbers of outcomes that are given by reasons."""
        numbers = [ELSEWHERE if o is None else self.messages.reason(o) if o else 0 for o in told]
        return self.lanes.table(numbers)

    def _remember(self, combination: Sequence[int], structures: Sequence[Structure]) -> None:
        if self.memory is not None:
            reasons = ["", *self.messages.reasons, None]  # the last one stands for ELSEWHERE
            told = [tuple(reasons[o] for o in one.outcomes.tolist()) for one in structures]
            programs = list(zip([one.code for one in structures], told, strict=True))
            self.memory.save(self.values_of(combination), programs)

    def whole(self) -> Structure | None:
        """Return the structure of all points, if one program holds everywhere."""
        if self.enumerated or not self.sizes:
            return None
        found = self.get(0, self.points.digits(0))
        return found if found is not None and found.everywhere else None

    def bounds(self, structure: Structure, metric: str) -> Range:
        """Return the range of a metric over all points of a structure."""
        program, checks, results, _, _ = structure.recording
        assert results is not None
        simple = simplify(program, checks, {metric: results[metric]}, self._ranges)
        return simple.forms.range_of(simple.results[metric])

    def _record(self, structures: list[Structure], tried: int, digits: Sequence[int]) -> bool:
        """Record the structure of a point, unless another thread did; False if impossible."""
        with self._lock:
            if len(structures) > tried:
                return True
            if self.recorded >= MOST_STRUCTURES:
                self.messages.note(
                    f"more than {MOST_STRUCTURES:,} structures: the rest is analyzed point by point"
                )
                return False
            try:
                if self.stop.is_set():
                    raise KeyboardInterrupt
                known, found = self._first
                if known != list(digits) or found is None:
                    found = record(self.space, digits, self.sizes, self.asked)
                structures.append(self._prepared(found))
                self._remember([digits[axis] for axis in self.enumerated], structures)
            except UnsupportedError:
                self.messages.note("symbols cannot express some points: they are analyzed one by one")
                return False
            self.recorded += 1
            return True

    def results(self, values: Mapping[str, Any]) -> dict[str, Int]:
        """Return the wanted results as integers, from the values of variables and metrics at a point.

        A decimal is multiplied by a denominator that is the same at all points.
        """
        found: dict[str, Int] = {}
        for name in self.wanted:
            if name in self._scales:
                variable, _, item = name.partition("[")
                value = values[variable][int(item[:-1])] if item else values[variable]
                found[name] = self._scales[name] * value
            elif name != WHERE:
                found[name] = values[name]
        if self.condition is not None:
            known = {**values, **{alias: values[name] for alias, name in ALIASES.items()}, **values}
            found[WHERE] = holds(self.condition, known.__getitem__)
        return found

    def _prepared(self, recording: Recording) -> Structure:
        wanted: dict[str, Int] = {}
        if recording.results is not None:
            wanted = self.results({**recording.variables, **recording.results})
        simple = simplify(recording.program, recording.checks, wanted, self._ranges)
        forms = [simple.results.get(name) or simple.first for name in self.wanted]
        code = compile_forms(simple.forms, [simple.first, *forms])
        code = code._replace(fits=code.fits and simple.largest <= WORD)
        told = [None if isinstance(check, Guard) else check.template for check in recording.checks]
        told.append(recording.refusal if recording.results is None else "")
        return Structure(recording, code, self._outcomes(told), wanted, simple)


def _denominator(axes: Sequence[Axis], variable: str, value: Any) -> int:
    """Return the denominator that makes all values of a variable, or of a list's items, integers."""
    found = [value, *(v for axis in axes if axis.variable == variable for v in axis.values)]
    flat = [v for one in found for v in (one if isinstance(one, list) else [one])]
    return lcm(*(getattr(v, "denominator", 1) for v in flat))
