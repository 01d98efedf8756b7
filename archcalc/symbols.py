"""Integers that remember how they were computed.

The rules of the operators and the expressions of a spec run on plain integers or on `Symbol`s. A run
on symbols records a straight-line `Program` that gives the same numbers at any other point, without
the graph: `explain` prints it, sweeps run it a million times.

Every symbol also carries its value at the point of the recording. Where a decision is needed (a
condition of a spec, a repeat) that value decides and the program notes it as a *guard*: the program
holds wherever the guards come out alike. Rules themselves never decide; they use `+ - * // %`,
comparisons (0 or 1) and `arithmetic`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, Union

from archcalc.errors import ShapeError
from archcalc.tuples import NamedTuple

Int: TypeAlias = Union[int, "Symbol"]


def floor_div(a: int, b: int) -> int:
    """Return `a // b`, and 0 where b is 0: total, because `require` has already refused that point."""
    return a // b if b else 0


def modulo(a: int, b: int) -> int:
    """Return `a % b`, and 0 where b is 0."""
    return a % b if b else 0


OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": floor_div,
    "%": modulo,
    "min": min,
    "max": max,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
COMMUTATIVE = frozenset({"+", "*", "min", "max", "==", "!="})
COMPARISONS = frozenset({"<", "<=", "==", "!="})
# (operation, x, constant) that is x itself; (operation, x, constant) that is a constant
NEUTRAL = {("+", 0), ("-", 0), ("*", 1), ("//", 1)}
ABSORBING = {("*", 0): 0, ("%", 1): 0}
TERMS = {"+": 1, "-": -1}  # (operation, x, constant) that only moves x

# (operation, x, x) that is a constant, whatever x is
ALIKE = {"-": 0, "<": 0, "<=": 1, "==": 1, "!=": 0}


class Requirement(NamedTuple):
    """A condition that every valid point meets, with the message for those that do not.

    `message` tells it as at the point of the recording, `template` leaves the numbers open.
    """

    condition: int
    message: Callable[[], ShapeError]
    template: str = ""


class Guard(NamedTuple):
    """A decision that the recorded run took: the value of `condition` at its point."""

    condition: int
    outcome: int


class Evaluation(NamedTuple):
    """A program at one point. Results are right only if `valid` and `same_structure`."""

    results: tuple[int, ...]
    valid: bool
    same_structure: bool


class Program:
    """A straight-line program over integers; instruction i is (operation, left, right).

    "input" instructions hold the number of the variable, "constant" ones their value. Equal
    instructions are recorded once.
    """

    def __init__(self) -> None:
        self.instructions: list[tuple[str, int, int]] = []
        self.inputs: list[str] = []
        self.point: dict[str, int] = {}  # the inputs' values at the point of the recording
        # in the order in which the run met them: a later one means nothing where an earlier one fails
        self.checks: list[Requirement | Guard] = []
        self.fixed: list[int] = []  # instructions whose value became an index or a repeat
        self.counts: list[int] = []  # instructions that are the count of a repeat, and small
        self.folded: list[int] = []  # instructions that are the count of a repeat left folded
        self._checked: set[tuple[type, int]] = set()
        self._symbols: dict[tuple[str, int, int], Symbol] = {}

    @property
    def requirements(self) -> list[Requirement]:
        return [check for check in self.checks if isinstance(check, Requirement)]

    @property
    def guards(self) -> list[Guard]:
        return [check for check in self.checks if isinstance(check, Guard)]

    def check(self, check: Requirement | Guard) -> None:
        """Note a requirement or a guard, unless the same condition was one before."""
        key = (type(check), check.condition)
        if key not in self._checked:
            self._checked.add(key)
            self.checks.append(check)

    def variable(self, name: str, value: int) -> Symbol:
        """Add a new input of the program, with its value at the point of the recording."""
        if name in self.inputs:
            raise ValueError(f"the program has a variable {name} already")
        self.inputs.append(name)
        self.point[name] = operator.index(value)
        return self._emit(("input", len(self.inputs) - 1, 0), operator.index(value))

    def symbol(self, index: int) -> Symbol:
        """Return the symbol of an instruction."""
        return self._symbols[self.instructions[index]]

    def constant(self, value: int) -> Symbol:
        """Add a number of the program.

        Raises:
            TypeError: not an integer; a fraction is never cut off.
        """
        whole = operator.index(value)
        return self._emit(("constant", whole, 0), whole)

    def combine(self, name: str, left: Int, right: Int) -> Int:
        """Add `left name right`, folded where both are constant or the result is an operand."""
        a, b = self._lift(left), self._lift(right)
        constant = b.known
        if a.known is not None and constant is not None:
            return int(OPERATIONS[name](a.known, constant))
        if name in COMMUTATIVE and (a.known is not None or (constant is None and b.index < a.index)):
            a, b, constant = b, a, a.known
        if constant is not None:
            if (name, constant) in NEUTRAL:
                return a
            if (name, constant) in ABSORBING:
                return ABSORBING[name, constant]
            if name in TERMS:
                return self._with_term(a, TERMS[name] * constant)
        if a is b and name in ("min", "max"):
            return a
        if a is b and name in ALIKE:
            return ALIKE[name]
        value = int(OPERATIONS[name](a.value, b.value))
        return self._emit((name, a.index, b.index), value)

    def evaluate(self, point: Mapping[str, int], results: Sequence[Int]) -> Evaluation:
        """Run the program at another point: `results` there, and whether they may be believed."""
        values: list[int] = []
        for name, a, b in self.instructions:
            if name == "constant":
                values.append(a)
            elif name == "input":
                values.append(point[self.inputs[a]])
            else:
                values.append(int(OPERATIONS[name](values[a], values[b])))
        return Evaluation(
            tuple(values[r.index] if isinstance(r, Symbol) else int(r) for r in results),
            all(values[r.condition] for r in self.requirements),
            all(values[g.condition] == g.outcome for g in self.guards),
        )

    def _with_term(self, a: Symbol, term: int) -> Symbol:
        """a + term, one step even where `a` is such a sum itself: x + 2 − 3 is x − 1."""
        name, x, constant = self.instructions[a.index]
        known = self.symbol(constant).known if name in TERMS else None
        value = a.value + term
        if known is not None:
            term += TERMS[name] * known
            a = self.symbol(x)
        if term == 0:
            return a
        return self._emit(("+" if term > 0 else "-", a.index, self.constant(abs(term)).index), value)

    def _lift(self, value: Int) -> Symbol:
        if isinstance(value, Symbol):
            if value.program is not self:
                raise ValueError("symbols of two programs do not mix")
            return value
        return self.constant(value)

    def _emit(self, instruction: tuple[str, int, int], value: int) -> Symbol:
        symbol = self._symbols.get(instruction)
        if symbol is None:
            symbol = Symbol(self, len(self.instructions), value)
            self.instructions.append(instruction)
            self._symbols[instruction] = symbol
        return symbol


class Symbol:
    """An integer of a `Program`: instruction `index`, which was `value` when it was recorded."""

    __slots__ = ("index", "program", "value")

    def __init__(self, program: Program, index: int, value: int) -> None:
        self.program, self.index, self.value = program, index, value

    @property
    def known(self) -> int | None:
        """The value if it is a constant, else None."""
        operation, value, _ = self.program.instructions[self.index]
        return value if operation == "constant" else None

    def __add__(self, other: Int) -> Int:
        return self.program.combine("+", self, other)

    def __sub__(self, other: Int) -> Int:
        return self.program.combine("-", self, other)

    def __rsub__(self, other: Int) -> Int:
        return self.program.combine("-", other, self)

    def __mul__(self, other: Int) -> Int:
        return self.program.combine("*", self, other)

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Int) -> Int:
        return self.program.combine("//", self, other)

    def __rfloordiv__(self, other: Int) -> Int:
        return self.program.combine("//", other, self)

    def __mod__(self, other: Int) -> Int:
        return self.program.combine("%", self, other)

    def __rmod__(self, other: Int) -> Int:
        return self.program.combine("%", other, self)

    def __neg__(self) -> Int:
        return self.program.combine("-", 0, self)

    def __lt__(self, other: Int) -> Int:
        return self.program.combine("<", self, other)

    def __le__(self, other: Int) -> Int:
        return self.program.combine("<=", self, other)

    def __gt__(self, other: Int) -> Int:
        return self.program.combine("<", other, self)

    def __ge__(self, other: Int) -> Int:
        return self.program.combine("<=", other, self)

    def __eq__(self, other: Any) -> Any:
        if not isinstance(other, int | Symbol):
            return NotImplemented
        return self.program.combine("==", self, other)

    def __ne__(self, other: Any) -> Any:
        if not isinstance(other, int | Symbol):
            return NotImplemented
        return self.program.combine("!=", self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        """Decide as the recorded point does, and note the guard."""
        if self.program.instructions[self.index][0] in COMPARISONS:
            return bool(self.decide())
        return bool(self != 0)

    def __index__(self) -> int:
        """Fix the symbol at its recorded value (a repeat, an index), and note the guard."""
        equal = self == self.value
        if isinstance(equal, Symbol):
            equal.decide()
            self.program.fixed.append(self.index)
        return self.value

    __int__ = __index__

    def decide(self) -> int:
        """Return the value of a condition, and note it as a guard of the program."""
        if self.known is None:
            self.program.check(Guard(self.index, self.value))
        return self.value

    def __repr__(self) -> str:
        return f"Symbol({self.index}, value={self.value})"
