"""What the rules of the operators compute with, beside `+ - * // %`: alike on integers and on symbols.

None of it decides on a symbol, so that a recorded program holds at every point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from archcalc.errors import ShapeError
from archcalc.rationals import Quotient
from archcalc.symbols import Int, Requirement, Symbol
from archcalc.tuples import NamedTuple

OPEN = -1  # the size of an axis that follows from the others'


class Margin(NamedTuple):
    """An amount before an axis and one after it, as `p0:1` says."""

    before: Int
    after: Int

    def __str__(self) -> str:
        before, after = recorded(tuple(self))
        return str(before) if before == after else f"{before}:{after}"


def ceil_div(a: Int, b: Int) -> Int:
    """Return a / b rounded up, on integers."""
    if isinstance(a, Symbol):
        return -a.program.combine("//", -a, b)  # total, even where −a is a known number
    return -((-a) // b)


def minimum(a: Int, b: Int) -> Int:
    """Return the smaller of both."""
    if isinstance(a, Symbol):
        return a.program.combine("min", a, b)
    return b.program.combine("min", a, b) if isinstance(b, Symbol) else min(a, b)


def maximum(a: Int, b: Int) -> Int:
    """Return the larger of both."""
    if isinstance(a, Symbol):
        return a.program.combine("max", a, b)
    return b.program.combine("max", a, b) if isinstance(b, Symbol) else max(a, b)


def gcd(a: Int, b: Int) -> Int:
    """Return the greatest common divisor of positive integers, by Euclid.

    A symbol runs as many steps as any 64 bits may need, or a known `b`: two steps halve it at least.
    """
    if not isinstance(a, Symbol) and not isinstance(b, Symbol):
        return math.gcd(a, b)
    if not isinstance(b, Symbol) and b == 1:
        return 1
    for _ in range(93 if isinstance(b, Symbol) else 2 * b.bit_length()):
        left = b > 0
        a, b = left * b + (1 - left) * a, left * (a % maximum(b, 1))
    return a


def product(factors: Sequence[Int]) -> Int:
    """Multiply all factors; 1 if there are none."""
    result: Int = math.prod(factors)
    return result


def recorded(value: Any) -> Any:
    """Return the value without symbols: each as it was at the recorded point, also inside a shape."""
    if isinstance(value, int):  # nearly always
        return value
    if isinstance(value, tuple):
        return getattr(value, "_make", tuple)(map(recorded, value))
    return value.value if isinstance(value, Symbol | Quotient) else value


def require(
    condition: Int,
    template: str,
    field: str = "",
    help: Callable[..., str] | None = None,
    **values: object,
) -> None:
    """Refuse a point where `condition` does not hold; the text is made only then.

    On a symbol the condition becomes a requirement of the program; at the recorded point it must
    hold. `help(**values)` writes the way out.

    Raises:
        ShapeError: `template.format(**values)`, blaming the argument `field`.
    """
    if condition is True:  # nearly always
        return

    def failure() -> ShapeError:
        shown = {k: recorded(v) for k, v in values.items()}
        return ShapeError(template.format(**shown), field, help(**shown) if help else "")

    if isinstance(condition, Symbol):
        if condition.known is None:
            condition.program.check(Requirement(condition.index, failure, template))
        condition = condition.value
    if not condition:
        raise failure()


def below(low: Any, high: Any) -> Int:
    """Whether low < high; a symbol is an integer, and is compared with one."""
    if isinstance(high, Symbol) and not isinstance(low, Symbol):
        low = math.floor(low)
    if isinstance(low, Symbol) and not isinstance(high, Symbol):
        high = math.ceil(high)
    below: Int = low < high
    return below
