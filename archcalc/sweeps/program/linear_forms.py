"""Normalize expressions to linear forms: sums of atoms with coefficients, whose ranges are known.

An atom is an input or an operation other than a sum. Repeated layers collapse into coefficients, exact
divisions vanish, and candidates of a maximum that another one always reaches are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from archcalc.sweeps.program import ranges
from archcalc.sweeps.program.ranges import TRUTH, Range
from archcalc.tuples import NamedTuple


class Form(NamedTuple):
    """A linear form: the sum of coefficient × atom over (atom, coefficient), and of a constant."""

    terms: tuple[tuple[int, int], ...]
    constant: int

    @property
    def known(self) -> int | None:
        """The value, if the form is a constant."""
        return None if self.terms else self.constant

    @property
    def atom(self) -> int | None:
        """The atom that the form equals, without coefficient or constant."""
        alone = len(self.terms) == 1 and self.constant == 0 and self.terms[0][1] == 1
        return self.terms[0][0] if alone else None


class Atom(NamedTuple):
    """An operation on forms, or an input.

    `name` is *, //, %, min, max, "positive" (1 if the form is ≥ 0, else 0), "zero" (1 if it is 0, else
    0), or "input", whose number is `number`.
    """

    name: str
    forms: tuple[Form, ...]
    number: int = 0


class EmptyError(Exception):
    """A check fails at all points, so that no point is left."""


def constant(value: int) -> Form:
    """Return a form without atoms."""
    return Form((), value)


class Forms:
    """A table of atoms, each once, and of their ranges, which narrow as checks are assumed to pass."""

    def __init__(self) -> None:
        self.atoms: list[Atom] = []
        self.ranges: list[Range] = []
        self._numbers: dict[Atom, int] = {}
        self._known_corners: dict[Form, tuple[int, int]] = {}  # until a range narrows

    def input(self, number: int, known: Range) -> Form:
        """Return the form of an input, whose values are in the range `known`."""
        return self._form(Atom("input", (), number), known)

    def range_of(self, form: Form) -> Range:
        """Return the range of a form, from those of its atoms."""
        return ranges.linear(((c, self.ranges[a]) for a, c in form.terms), form.constant)

    def add(self, a: Form, b: Form, factor: int = 1) -> Form:
        """Return a + factor × b."""
        terms = dict(a.terms)
        for atom, coefficient in b.terms:
            terms[atom] = terms.get(atom, 0) + factor * coefficient
        found = tuple(sorted(t for t in terms.items() if t[1]))
        return Form(found, a.constant + factor * b.constant)

    def scale(self, a: Form, factor: int) -> Form:
        """Return factor × a."""
        return self.add(constant(0), a, factor)

    def multiply(self, a: Form, b: Form) -> Form:
        """Return a × b: constants and common factors become coefficients of the product."""
        a, b = self._folded(a), self._folded(b)
        if b.known is not None:
            a, b = b, a
        if a.known is not None:
            return self.scale(b, a.known)
        (x, a), (y, b) = self._primitive(a), self._primitive(b)
        atom = Atom("*", (min(a, b), max(a, b)))
        return self.scale(self._form(atom, ranges.product(self.range_of(a), self.range_of(b))), x * y)

    def divide(self, a: Form, b: Form) -> Form:
        """Return ⌊a / b⌋: divisible terms leave the fraction, common factors cancel."""
        a, b = self._folded(a), self._folded(b)
        d = b.known
        if d is None or d <= 0:
            return self._binary("//", a, b, ranges.quotient(self.range_of(a), self.range_of(b)))
        whole = Form(tuple((t, c // d) for t, c in a.terms if c % d == 0), a.constant // d)
        terms = tuple((t, c) for t, c in a.terms if c % d)
        common = gcd(d, *(c for _, c in terms))
        rest = Form(tuple((t, c // common) for t, c in terms), a.constant % d // common)
        over = ranges.quotient(self.range_of(rest), ranges.exactly(d // common))
        if over.known is not None:
            return self.add(whole, constant(over.known))
        return self.add(whole, self._binary("//", rest, constant(d // common), over))

    def modulo(self, a: Form, b: Form) -> Form:
        """Return a mod b: coefficients are reduced by a positive constant b."""
        a, b = self._folded(a), self._folded(b)
        d = b.known
        if d is not None and d > 0:
            a = Form(tuple((t, c % d) for t, c in a.terms if c % d), a.constant % d)
        known = ranges.remainder(self.range_of(a), self.range_of(b))
        if d is not None and self.range_of(a).low >= 0 and self.range_of(a).high < d:
            return a
        return self._binary("%", a, b, known)

    def extreme(self, name: str, a: Form, b: Form) -> Form:
        """Return the min or max of a and b, without the candidates that never decide it."""
        left, right = self._candidates(name, a), self._candidates(name, b)  # in each, all are needed
        both = set(left).intersection(right)
        kept, others = [form for form in left if form not in both], [*both]
        for form in right:
            if form in both or any(self._reaches(name, other, form) for other in kept):
                continue
            kept = [other for other in kept if not self._reaches(name, form, other)]
            others.append(form)
        kept += others
        if len(kept) == 1:
            return kept[0]
        kept.sort()
        return self._form(
            Atom(name, tuple(kept)), ranges.extreme(name, [self.range_of(a), self.range_of(b)])
        )

    def positive(self, a: Form) -> Form:
        """Return 1 where a ≥ 0, else 0."""
        known = self.range_of(a)
        if known.low >= 0 or known.high < 0:
            return constant(int(known.low >= 0))
        common = gcd(*(c for _, c in a.terms))
        reduced = Form(tuple((t, c // common) for t, c in a.terms), a.constant // common)
        return self._form(Atom("positive", (reduced,)), TRUTH)

    def zero(self, a: Form) -> Form:
        """Return 1 where a = 0, else 0."""
        known = self.range_of(a)
        if known.known is not None:
            return constant(int(known.known == 0))
        if not known.low <= 0 <= known.high or (known.step and known.rest % known.step):
            return constant(0)
        if a.terms[0][1] < 0:
            a = self.scale(a, -1)
        common = gcd(*(c for _, c in a.terms))
        if a.constant % common:
            return constant(0)
        reduced = Form(tuple((t, c // common) for t, c in a.terms), a.constant // common)
        return self._form(Atom("zero", (reduced,)), TRUTH)

    def least(self, forms: Iterable[Form]) -> Form:
        """Return the min of sums of conditions, without the ranges that assumed checks have narrowed."""
        found = tuple(dict.fromkeys(forms))
        if all(form.known is not None for form in found):
            return constant(min(form.constant for form in found))
        largest = max(abs(f.constant) + sum(abs(c) for _, c in f.terms) for f in found)
        return self._form(Atom("min", found), Range(-largest, largest))

    def plain(self, name: str, forms: tuple[Form, ...]) -> Form:
        """Return the min or max of all the forms, also of those that never decide it."""
        if len(forms) == 1:
            return forms[0]
        if all(form.known is not None for form in forms):
            return constant((min if name == "min" else max)(form.constant for form in forms))
        return self._form(Atom(name, forms), ranges.extreme(name, list(map(self.range_of, forms))))

    def suppose(self, form: Form, holds: bool) -> None:
        """Assume that the condition `form` (0 or 1) holds, or that it does not; narrow the ranges.

        Raises:
            EmptyError: it is known to be otherwise.
        """
        if form.known is not None:
            if bool(form.known) is not holds:
                raise EmptyError
            return
        if len(form.terms) > 1:
            return
        ((atom, coefficient),) = form.terms
        if (coefficient, form.constant) == (-1, 1):
            coefficient, holds = 1, not holds
        elif form.constant or coefficient != 1:
            return
        name, forms, _ = self.atoms[atom]
        if name == "positive":
            self._at_least(forms[0] if holds else self.add(constant(-1), forms[0], -1))
        elif name == "zero" and holds:
            self._at_least(forms[0])
            self._at_least(self.scale(forms[0], -1))
        elif name == "zero":
            self._not_zero(forms[0])
        elif name == "*" and holds:
            self.suppose(forms[0], True)
            self.suppose(forms[1], True)
        if name in ("positive", "zero"):
            self._narrow(atom, ranges.exactly(int(holds)))

    def _at_least(self, form: Form) -> None:
        """Narrow the ranges of the atoms of a form that is ≥ 0."""
        spare = self.range_of(form).high
        for atom, coefficient in form.terms:
            known = self.ranges[atom]
            most = max(coefficient * known.low, coefficient * known.high)
            bound = most - spare  # coefficient × atom is no less
            if coefficient > 0:
                narrow = known.within(low=-(-bound // coefficient))
            else:
                narrow = known.within(high=bound // coefficient)
            self._narrow(atom, narrow)

    def _not_zero(self, form: Form) -> None:
        if len(form.terms) == 1:
            ((atom, coefficient),) = form.terms
            value, rest = divmod(-form.constant, coefficient)
            known = self.ranges[atom]
            if rest == 0 and value == known.low:
                self._narrow(atom, known.within(low=value + 1))
            elif rest == 0 and value == known.high:
                self._narrow(atom, known.within(high=value - 1))

    def _narrow(self, atom: int, known: Range) -> None:
        if known.low > known.high:
            raise EmptyError
        if known != self.ranges[atom]:
            self.ranges[atom] = known
            self._known_corners.clear()

    def _folded(self, form: Form) -> Form:
        """Return a form of a single possible value as a constant; any other as it is."""
        known = self.range_of(form).known
        return form if known is None else constant(known)

    def _primitive(self, form: Form) -> tuple[int, Form]:
        """Return the greatest common divisor of a form's numbers, and the form divided by it."""
        common = gcd(form.constant, *(c for _, c in form.terms))
        if form.terms[0][1] < 0:
            common = -common
        terms = tuple((t, c // common) for t, c in form.terms)
        return common, Form(terms, form.constant // common)

    def _candidates(self, name: str, form: Form) -> Sequence[Form]:
        atom = form.atom
        if atom is not None and self.atoms[atom].name == name:
            return self.atoms[atom].forms
        return (form,)

    def _reaches(self, name: str, a: Form, b: Form) -> bool:
        """Return whether a ≥ b (max) or a ≤ b (min) everywhere."""
        if name == "min":
            a, b = b, a
        (low, high), (other_low, other_high) = self._corners(a), self._corners(b)
        if low < other_low or high < other_high:
            return False
        least = a.constant - b.constant  # of a − b; the terms that both have count once
        terms = dict(a.terms)
        for atom, coefficient in b.terms:
            terms[atom] = terms.get(atom, 0) - coefficient
        for atom, coefficient in terms.items():
            known = self.ranges[atom]
            least += coefficient * (known.low if coefficient > 0 else known.high)
        return least >= 0

    def _corners(self, form: Form) -> tuple[int, int]:
        """Return the form's values with all atoms at their minimum, and with all at their maximum."""
        found = self._known_corners.get(form)
        if found is None:
            low = high = form.constant
            for atom, coefficient in form.terms:
                known = self.ranges[atom]
                low, high = low + coefficient * known.low, high + coefficient * known.high
            found = self._known_corners[form] = low, high
        return found

    def _binary(self, name: str, a: Form, b: Form, known: Range) -> Form:
        if known.known is not None:
            return constant(known.known)
        return self._form(Atom(name, (a, b)), known)

    def _form(self, atom: Atom, known: Range) -> Form:
        number = self._numbers.get(atom)
        if number is None:
            number = self._numbers[atom] = len(self.atoms)
            self.atoms.append(atom)
            self.ranges.append(known)
        return Form(((number, 1),), 0)
