"""Compile forms for a grid: hoist what is invariant along its fast or slow axes out of the loop.

A row is one point of the slow axes with all points of the fast ones. What depends only on the slow
axes is a number of the row; what depends only on the fast ones is computed once for all rows; the rest
is computed for every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from archcalc.sweeps.machine.instructions import (
    ADD,
    ADD_MULTIPLE,
    AFFINE,
    MAX,
    MIN,
    Code,
)
from archcalc.sweeps.program.code import Writer, allocate
from archcalc.sweeps.program.linear_forms import Form, Forms, constant
from archcalc.tuples import NamedTuple

FEWEST, MOST = 64, 4_096  # points of a row
SLOW, FAST = 1, 2


class RowCode(NamedTuple):
    """The programs for the rows of a grid.

    Attributes:
        numbers: computes the numbers of a row from its slow inputs.
        once: computes the inputs of `points` from the fast inputs, once for all rows.
        points: computes the outputs at every point of a row.
        patches: (instruction, field, number): field s (4) or t (5) of an instruction of `points` is
            replaced by a number of the row.
    """

    numbers: Code
    once: Code
    points: Code
    patches: tuple[tuple[int, int, int], ...]


def fast_axes(forms: Forms, axes: Sequence[int], lengths: Sequence[int]) -> tuple[int, ...]:
    """Return the fast axes: the one, two or three whose rows need the least work per point.

    Returns none if no row has from `FEWEST` to `MOST` points. `axes` are those of the inputs.
    """
    depends = _axes_of(forms, axes)
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    sizes = [axis for axis in dict.fromkeys(axes) if lengths[axis] <= MOST]
    for count in (1, 2, 3):
        for chosen in combinations(sizes, count):
            points = 1
            for axis in chosen:
                points *= lengths[axis]
            if FEWEST <= points <= MOST:
                fast = sum(1 << axis for axis in chosen)
                both = sum(1 for d in depends if d & fast and d & ~fast)
                best = min(best, ((both + 4) * (1 + 100 / points), chosen))
    return best[1]


def _axes_of(forms: Forms, axes: Sequence[int]) -> list[int]:
    """Return the axes that each atom depends on, as a bit mask."""
    found: list[int] = []
    for name, parts, number in forms.atoms:
        mask = 1 << axes[number] if name == "input" else 0
        for form in parts:
            for atom, _ in form.terms:
                mask |= found[atom]
        found.append(mask)
    return found


def compile_rows(forms: Forms, outputs: Sequence[Form], fast_inputs: Sequence[bool]) -> RowCode:
    """Return the programs that compute `outputs`; `fast_inputs` says which inputs are on fast axes."""
    writer = _RowWriter(forms, fast_inputs)
    results = [writer.own(form) for form in outputs]
    points = allocate(writer, results)
    kinds = [bool(fast) for fast in fast_inputs]
    slow = Writer(forms, kinds.index(False) if False in kinds else 0)
    fast = Writer(forms, kinds.index(True) if True in kinds else 0)
    return RowCode(
        allocate(slow, [slow.form(form) for form in writer.numbers]),
        allocate(fast, [fast.form(form) for form in writer.once]),
        points,
        tuple(writer.patches),
    )


class _RowWriter(Writer):
    """Writes what depends on slow and fast axes; it reads the values of `once` and the row's numbers."""

    def __init__(self, forms: Forms, fast_inputs: Sequence[bool]) -> None:
        super().__init__(forms)
        self.fast = fast_inputs
        self.numbers: list[Form] = []
        self.once: list[Form] = []
        self.patches: list[tuple[int, int, int]] = []
        self._kinds: list[int] = []

    def own(self, form: Form) -> int:
        """Return a value of its own for a form, even one that is a value of `once`."""
        value = self.form(form)
        return value if self._kind(form) == SLOW | FAST else self._emit(AFFINE, value, 0, 1, 0)

    def form(self, form: Form) -> int:
        if self._kind(form) == FAST:
            return self._once(form)
        return super().form(form)

    def _kind(self, form: Form) -> int:
        kind = 0
        for atom, _ in form.terms:
            kind |= self._kind_of(atom)
        return kind

    def _kind_of(self, atom: int) -> int:
        while len(self._kinds) <= atom:
            name, parts, number = self.forms.atoms[len(self._kinds)]
            kind = (FAST if self.fast[number] else SLOW) if name == "input" else 0
            for form in parts:
                kind |= self._kind(form)
            self._kinds.append(kind)
        return self._kinds[atom]

    def _once(self, form: Form) -> int:
        if form not in self.once:
            self.once.append(form)
            self.inputs[len(self.once) - 1] = self._new()
        return self.inputs[self.once.index(form)]

    def _sum(self, form: Form) -> int:
        """Write a sum: the row's part as one number, the fast part as one value, and the other terms."""
        slow = tuple(t for t in form.terms if self._kind_of(t[0]) in (0, SLOW))
        fast = tuple(t for t in form.terms if self._kind_of(t[0]) == FAST)
        both = [t for t in form.terms if self._kind_of(t[0]) == SLOW | FAST]
        number = Form(slow, form.constant)
        if not both:
            if not fast:
                return self._affine(self._some(), constant(0), number)
            return self._affine(self._once(Form(fast, 0)), constant(1), number)
        atom, factor = both[0]
        times, value = self._scaled(atom, factor)
        if times.known != 1 or number.terms or number.constant:
            value = self._affine(value, times, number)
        for atom, factor in both[1:]:
            times, term = self._scaled(atom, factor)
            value = self._multiple(term, times, value)
        return self._emit(ADD, value, self._once(Form(fast, 0))) if fast else value

    def _scaled(self, atom: int, factor: int) -> tuple[Form, int]:
        """Return a term as a number of the row times a value."""
        name, parts, _ = self.forms.atoms[atom]
        if name == "*":
            for slow, other in (parts, parts[::-1]):
                if self._kind(slow) == SLOW:
                    return self.forms.scale(slow, factor), self.form(other)
        return constant(factor), self._atom(atom)

    def _operation(self, number: int) -> int:
        name, parts, _ = self.forms.atoms[number]
        if name in ("min", "max"):
            kinds = [self._kind(form) for form in parts]
            values = [self.form(f) for f, kind in zip(parts, kinds, strict=True) if kind == SLOW | FAST]
            for kind in (SLOW, FAST):
                alike = tuple(f for f, k in zip(parts, kinds, strict=True) if k in (kind, kind & FAST))
                if alike:
                    values.append(self.form(self.forms.plain(name, alike)))
            value, *others = values
            for other in others:
                value = self._emit(MIN if name == "min" else MAX, value, other)
            return value
        return super()._operation(number)

    def _some(self) -> int:
        """Return any value, to make a constant from."""
        inputs = (i for i, atom in enumerate(self.forms.atoms) if atom.name == "input")
        if self.count:
            return 0
        return self._once(next(Form(((i, 1),), 0) for i in inputs if self._kind_of(i) == FAST))

    def _affine(self, value: int, times: Form, plus: Form) -> int:
        return self._emit(AFFINE, value, 0, self._number(times, 4), self._number(plus, 5))

    def _multiple(self, term: int, times: Form, value: int) -> int:
        if times.known == 1:
            return self._emit(ADD, term, value)
        return self._emit(ADD_MULTIPLE, term, value, self._number(times, 4))

    def _number(self, form: Form, field: int) -> int:
        """Return a constant; for any other form 0, and a patch of the next instruction."""
        if form.known is not None:
            return form.known
        if form not in self.numbers:
            self.numbers.append(form)
        self.patches.append((len(self.written), field, self.numbers.index(form)))
        return 0
