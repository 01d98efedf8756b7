"""Simplify a recorded program over a box of points to forms, with bounds of all values.

Checks narrow the values after them: a program means nothing where one fails, so its results may
assume that they hold. The number of the first check that fails is itself a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.sweeps.machine.instructions import WORD
from archcalc.sweeps.program.linear_forms import EmptyError, Form, Forms, constant
from archcalc.sweeps.program.ranges import Range
from archcalc.symbols import Guard, Int, Program, Requirement, Symbol
from archcalc.tuples import NamedTuple


class Simplified(NamedTuple):
    """The forms of a program.

    Attributes:
        first: the number of the first check that fails, or `passed`.
        results: by name; empty if a check fails at every point.
        everywhere: whether no guard can fail: the program holds at every point, valid or not.
        largest: no value of the program is larger, where the checks before it pass; within 64 bits
            this may be more than the largest.
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
    """Return the program in forms, over points whose inputs are in the ranges `known`."""
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
        self.failures: list[
            Form
        ] = []  # its number where the check fails, as many as there are where not
        self.everywhere = True
        self.sizes: list[int] = []
        self.next = 0

    def run(self) -> None:
        """Convert every instruction, and every check as soon as its condition is there.

        Raises:
            EmptyError: a check fails everywhere.
        """
        for instruction in self.program.instructions:
            form = self._form(*instruction)
            self.values.append(form)
            self.sizes.append(self._size(form, *instruction))
            self._check()
        self._check()

    def _size(self, form: Form, name: str, left: int, right: int) -> int:
        """Return a bound of a value's magnitude; sums grow long, and most stay far within 64 bits."""
        if name in ("+", "-"):
            bound = self.sizes[left] + self.sizes[right]
            if bound <= WORD:
                return bound
        return self.forms.range_of(form).largest

    def _check(self) -> None:
        """Convert the checks whose conditions are known, up to the first unknown."""
        while self.next < len(self.checks) and self.checks[self.next].condition < len(self.values):
            check = self.checks[self.next]
            form = self._truth(self.values[check.condition])
            holds = not isinstance(check, Guard) or bool(check.outcome)
            passes = form if holds else self.forms.add(constant(1), form, -1)
            # the check's number where it fails, the number of all checks where it passes
            left = len(self.checks) - self.next
            failure = self.forms.add(constant(self.next), passes, left)
            if failure.known != len(self.checks):
                self.failures.append(failure)
                self.everywhere = self.everywhere and not isinstance(check, Guard)
            self.next += 1
            self.forms.suppose(form, holds)

    def _truth(self, form: Form) -> Form:
        """Return 1 where the form is not 0: the kernels' counts stay within bounds."""
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
