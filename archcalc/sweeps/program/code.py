"""Compile linear forms to instructions of the register machine; each value is computed once."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.sweeps.machine.instructions import (
    ADD,
    ADD_MULTIPLE,
    AFFINE,
    BINARY,
    DIVIDE,
    DIVIDE_BY,
    DIVIDE_SMALL,
    DIVIDE_SMALL_BY,
    MANTISSA,
    MAX,
    MIN,
    MODULO,
    MULTIPLY,
    POSITIVE,
    SHIFT,
    WORD,
    ZERO,
    Code,
    Instruction,
)
from archcalc.sweeps.program.linear_forms import Form, Forms


def compile_forms(forms: Forms, outputs: Sequence[Form]) -> Code:
    """Return the program that computes `outputs`."""
    writer = Writer(forms)
    results = [writer.form(form) for form in outputs]
    return allocate(writer, results)


class Writer:
    """Writes forms as instructions in static single assignment; equal values are computed once.

    Attributes:
        some: the number of an input that exists: a program of constants alone computes them from it.
        written: the instructions; their operands are numbers of values, not yet of registers.
        count: the number of values.
        fits: whether no value exceeds 64 bits.
    """

    def __init__(self, forms: Forms, some: int = 0) -> None:
        self.forms, self.some = forms, some
        self.written: list[Instruction] = []
        self.inputs: dict[int, int] = {}  # number of the input → value
        self.count = 0
        self.fits = True
        self._forms: dict[Form, int] = {}
        self._atoms: dict[int, int] = {}

    def form(self, form: Form) -> int:
        """Return the number of the value of a form; write its instructions if there are none yet."""
        if form not in self._forms:
            self._forms[form] = self._sum(form)
        return self._forms[form]

    def _sum(self, form: Form) -> int:
        if form.atom is not None:
            return self._atom(form.atom)
        sizes = (abs(c) * self.forms.ranges[a].largest for a, c in form.terms)
        self.fits = self.fits and abs(form.constant) + sum(sizes) <= WORD
        if not form.terms:
            return self._emit(AFFINE, self._any(), 0, 0, form.constant)
        (atom, factor), *others = form.terms
        value = self._atom(atom)
        if factor != 1 or form.constant:
            value = self._emit(AFFINE, value, 0, factor, form.constant)
        for atom, factor in others:
            term = self._atom(atom)
            value = (
                self._emit(ADD, term, value)
                if factor == 1
                else self._emit(ADD_MULTIPLE, term, value, factor)
            )
        return value

    def _any(self) -> int:
        """Return any value: a constant is it times 0, plus the constant."""
        if not self.count:
            self.inputs[self.some] = self._new()
        return 0

    def _atom(self, number: int) -> int:
        if number not in self._atoms:
            self._atoms[number] = self._operation(number)
        return self._atoms[number]

    def _operation(self, number: int) -> int:
        name, forms, which = self.forms.atoms[number]
        self.fits = self.fits and self.forms.ranges[number].largest <= WORD
        if name == "input":
            if which not in self.inputs:
                self.inputs[which] = self._new()
            return self.inputs[which]
        if name in ("min", "max"):
            operation = MIN if name == "min" else MAX
            value, *others = map(self.form, forms)
            for other in others:
                value = self._emit(operation, value, other)
            return value
        if name in ("positive", "zero"):
            return self._emit(POSITIVE if name == "positive" else ZERO, self.form(forms[0]))
        if name == "//":
            return self._division(*forms)
        return self._emit(MULTIPLY if name == "*" else MODULO, *map(self.form, forms))

    def _division(self, a: Form, b: Form) -> int:
        left, right, divisor = self.form(a), self.forms.range_of(b), b.known
        small = self.forms.range_of(a).largest < MANTISSA and 0 < right.low <= right.high < MANTISSA
        if divisor is None or divisor <= 0:
            return self._emit(DIVIDE_SMALL if small else DIVIDE, left, self.form(b))
        if divisor & (divisor - 1) == 0:
            return self._emit(SHIFT, left, 0, divisor.bit_length() - 1)
        return self._emit(DIVIDE_SMALL_BY if small else DIVIDE_BY, left, 0, divisor)

    def _emit(self, operation: int, a: int, b: int = 0, s: int = 0, t: int = 0) -> int:
        target = self._new()
        self.written.append((operation, target, a, b, s, t))
        return target

    def _new(self) -> int:
        self.count += 1
        return self.count - 1


def allocate(writer: Writer, results: Sequence[int]) -> Code:
    """Allocate registers to values; a register is free after the last read of its value."""
    last: dict[int, int] = {}
    for i, (operation, _, a, b, _, _) in enumerate(writer.written):
        last[a] = i
        if operation in BINARY:
            last[b] = i
    last |= dict.fromkeys(results, len(writer.written))
    places: dict[int, int] = {}
    free: list[int] = []
    for value in writer.inputs.values():
        places[value] = len(places)
    count = len(places)
    instructions: list[Instruction] = []
    for i, (operation, target, a, b, s, t) in enumerate(writer.written):
        if not free:
            free.append(count)
            count += 1
        places[target] = free.pop()
        x, y = places[a], places[b] if operation in BINARY else 0
        instructions.append((operation, places[target], x, y, s, t))
        ended = {v for v in ((a, b) if operation in BINARY else (a,)) if last[v] == i}
        free += [places[v] for v in ended if v not in writer.inputs.values()]
        if target not in last:
            free.append(places[target])
    inputs = {number: places[value] for number, value in writer.inputs.items()}
    return Code(tuple(instructions), count, inputs, tuple(places[r] for r in results), writer.fits)
