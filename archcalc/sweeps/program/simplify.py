"""Simplify a recorded program to linear forms over ranges of its inputs.

Results mean nothing where a check fails, so all values after a check assume that it passes: it narrows
their ranges. The number of the first check that fails is a result itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.sweeps.machine.instructions import WORD
from archcalc.sweeps.program.linear_forms import EmptyError, Form, Forms, constant
from archcalc.sweeps.program.ranges import Range
from archcalc.symbols import Guard, Int, Program, Requirement, Symbol
from archcalc.tuples import NamedTuple


class Simplified(NamedTuple):
    """A program as linear forms.

    Attributes:
        first: the number of the first check that fails; `passed` if all pass.
        results: by name; empty if a check fails at every point.
        everywhere: whether no guard can fail, so that the program is valid at every point.
        largest: an upper bound of the absolute values where the checks before them pass; it is tight
            only beyond 64 bits.
    """

    forms: Forms
    first: Form
    passed: int
    results: dict[str, Form]
    everywhere: bool
    largest: int


def simplify(
    program: Program,
    checks: Sequence[Requirement | Guard],
    results: Mapping[str, Int],
    known: Mapping[str, Range],
) -> Simplified:
    """Return the program as linear forms, for inputs in the ranges `known`."""
    walk = _Walk(program, checks, known)
    try:
        walk.run()
    except EmptyError:
        results = {}
    found = {
        name: walk.values[r.index] if isinstance(r, Symbol) else constant(int(r))
        for name, r in results.items()
    }
    first = walk.forms.least([*walk.failures, constant(len(checks))])
    return Simplified(walk.forms, first, len(checks), found, walk.everywhere, max(walk.sizes, default=0))


class _Walk:
    def __init__(
        self, program: Program, checks: Sequence[Requirement | Guard], known: Mapping[str, Range]
    ) -> None:
        self.program, self.checks, self.known = program, checks, known
        self.forms = Forms()
        self.values: list[Form] = []
        # for each check that may fail: its number where it fails, the number of checks where it passes
        self.failures: list[Form] = []
        self.everywhere = True
        self.sizes: list[int] = []
        self.next = 0

    def run(self) -> None:
        """Convert every instruction, and each check right after the instruction of its condition.

        Raises:
            EmptyError: a check fails at all points.
        """
        for instruction in self.program.instructions:
            form = self._form(*instruction)
            self.values.append(form)
            self.sizes.append(self._size(form, *instruction))
            self._check()
        self._check()

    def _size(self, form: Form, name: str, left: int, right: int) -> int:
        """Return an upper bound of an absolute value; of a sum a cheap one, if it is within 64 bits."""
        if name in ("+", "-"):
            bound = self.sizes[left] + self.sizes[right]
            if bound <= WORD:
                return bound
        return self.forms.range_of(form).largest

    def _check(self) -> None:
        """Convert the checks whose conditions are converted, up to the first that is not."""
        while self.next < len(self.checks) and self.checks[self.next].condition < len(self.values):
            check = self.checks[self.next]
            form = self._truth(self.values[check.condition])
            holds = not isinstance(check, Guard) or bool(check.outcome)
            passes = form if holds else self.forms.add(constant(1), form, -1)
            left = len(self.checks) - self.next
            failure = self.forms.add(constant(self.next), passes, left)
            if failure.known != len(self.checks):
                self.failures.append(failure)
                self.everywhere = self.everywhere and not isinstance(check, Guard)
            self.next += 1
            self.forms.suppose(form, holds)

    def _truth(self, form: Form) -> Form:
        """Return 1 where the form is not 0, else 0."""
        known = self.forms.range_of(form)
        if known.low >= 0 and known.high <= 1:
            return form
        return self.forms.add(constant(1), self.forms.zero(form), -1)

    def _form(self, name: str, left: int, right: int) -> Form:
        forms = self.forms
        if name == "constant":
            return constant(left)
        if name == "input":
            return forms.input(left, self.known[self.program.inputs[left]])
        a, b = self.values[left], self.values[right]
        if name in ("+", "-"):
            return forms.add(a, b, 1 if name == "+" else -1)
        if name in ("min", "max"):
            return forms.extreme(name, a, b)
        if name in ("<", "<="):
            return forms.positive(forms.add(forms.add(b, a, -1), constant(-(name == "<"))))
        if name in ("==", "!="):
            same = forms.zero(forms.add(a, b, -1))
            return same if name == "==" else forms.add(constant(1), same, -1)
        return {"*": forms.multiply, "//": forms.divide, "%": forms.modulo}[name](a, b)
