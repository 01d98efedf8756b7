"""Write symbols as formulas: polynomials in the variables, and in floors, minima and maxima of them."""

from __future__ import annotations

from collections.abc import Callable

from archcalc.symbols import Int, Program, Symbol
from archcalc.tuples import NamedTuple
from archcalc.units import grouped

MOST_TERMS = 60  # of a product that is expanded

Monomial = tuple[str, ...]  # factors in order, a power as repeated factors
Polynomial = dict[Monomial, int]


class Style(NamedTuple):
    """A notation for formulas: functions for numbers and names, and templates for operations."""

    number: Callable[[int], str]
    name: Callable[[str], str]
    dot: str
    times: str
    floor: str
    call: str


def _latex_number(value: int) -> str:
    return grouped(value).replace(",", "{,}")


def _latex_name(name: str) -> str:
    return rf"\mathit{{{name}}}".replace("_", r"\_")


TEXT = Style(grouped, str, "·", " × ", "⌊({}) / ({})⌋", "{}({}, {})")
LATEX = Style(
    _latex_number,
    _latex_name,
    r" \cdot ",
    r" \times ",
    r"\left\lfloor \frac{{{}}}{{{}}} \right\rfloor",
    r"\{}({}, {})",
)


def formula(value: Int, style: Style = TEXT) -> str:
    """Write an integer, or a symbol as a formula: '777,728·bottleneck'."""
    if not isinstance(value, Symbol):
        return style.number(value)
    return _Writer(value.program, style).text(value.index)


class _Writer:
    def __init__(self, program: Program, style: Style) -> None:
        self.program, self.style = program, style
        self._known: dict[int, Polynomial] = {}

    def text(self, index: int) -> str:
        """Write the terms, highest degree first."""
        terms = sorted(self.polynomial(index).items(), key=lambda t: (-len(t[0]), t[0]))
        text = ""
        for factors, coefficient in terms:
            sign = " − " if coefficient < 0 else " + "
            text += (sign if text else "−" if coefficient < 0 else "") + self._term(
                factors, abs(coefficient)
            )
        return text or "0"

    def _term(self, factors: Monomial, coefficient: int) -> str:
        words = [] if coefficient == 1 and factors else [self.style.number(coefficient)]
        for factor in dict.fromkeys(factors):
            power = factors.count(factor)
            words.append(factor if power == 1 else f"{factor}^{power}")
        return self.style.dot.join(words)

    def polynomial(self, index: int) -> Polynomial:
        """Return an instruction as a polynomial; all instructions up to it are expanded in order."""
        for i in range(index + 1):
            if i not in self._known:
                self._known[i] = self._expand(i)
        return self._known[index]

    def _expand(self, index: int) -> Polynomial:
        operation, left, right = self.program.instructions[index]
        if operation == "constant":
            return {(): left} if left else {}
        if operation == "input":
            return {(self.style.name(self.program.inputs[left]),): 1}
        a, b = self._known[left], self._known[right]
        if operation in ("+", "-"):
            return _sum(a, b, 1 if operation == "+" else -1)
        if operation == "*" and len(a) * len(b) <= MOST_TERMS:
            return _product(a, b)
        return {(self._piece(operation, left, right),): 1}

    def _piece(self, operation: str, left: int, right: int) -> str:
        a, b = self.text(left), self.text(right)
        if operation == "//":
            return self.style.floor.format(a, b)
        if operation in ("min", "max"):
            return self.style.call.format(operation, a, b)
        return f"({a} {operation} {b})"


def _sum(a: Polynomial, b: Polynomial, sign: int) -> Polynomial:
    terms = dict(a)
    for factors, coefficient in b.items():
        terms[factors] = terms.get(factors, 0) + sign * coefficient
    return {factors: c for factors, c in terms.items() if c}


def _product(a: Polynomial, b: Polynomial) -> Polynomial:
    terms: Polynomial = {}
    for one, x in a.items():
        for other, y in b.items():
            factors = tuple(sorted(one + other))
            terms[factors] = terms.get(factors, 0) + x * y
    return {factors: c for factors, c in terms.items() if c}
