"""Fractions of symbols: exact arithmetic on numerators and denominators.

A decimal that varies is an integer over a denominator that all its values share. Sums, products and
quotients stay fractions of integers; rounding and comparisons give integers again. Nothing is decided
on the way but the sign of a divisor.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from archcalc.symbols import Int, Symbol

if TYPE_CHECKING:
    from fractions import Fraction


class Quotient:
    """A fraction of integers or symbols; its denominator is positive."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Int, denominator: Int) -> None:
        self.numerator, self.denominator = numerator, denominator

    @property
    def value(self) -> Fraction:
        """The value at the recorded point."""
        from fractions import Fraction

        return Fraction(_recorded(self.numerator), _recorded(self.denominator))

    def __add__(self, other: Any) -> Any:
        return _added(self, other, 1)

    def __sub__(self, other: Any) -> Any:
        return _added(self, other, -1)

    def __rsub__(self, other: Any) -> Any:
        return _added(-self, other, 1)

    def __neg__(self) -> Any:
        return ratio(0 - self.numerator, self.denominator)

    def __mul__(self, other: Any) -> Any:
        return _multiplied(self, other)

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, other: Any) -> Any:
        return floor_divided(self, _nonzero(other))

    def __rfloordiv__(self, other: Any) -> Any:
        return floor_divided(other, _nonzero(self))

    def __mod__(self, other: Any) -> Any:
        return modulo(self, _nonzero(other))

    def __rmod__(self, other: Any) -> Any:
        return modulo(other, _nonzero(self))

    def __floor__(self) -> Any:
        return self.numerator // self.denominator

    def __ceil__(self) -> Any:
        return 0 - (0 - self.numerator) // self.denominator

    def __lt__(self, other: Any) -> Any:
        a, b = crossed(self, other)
        return a < b

    def __le__(self, other: Any) -> Any:
        a, b = crossed(self, other)
        return a <= b

    def __gt__(self, other: Any) -> Any:
        a, b = crossed(self, other)
        return a > b

    def __ge__(self, other: Any) -> Any:
        a, b = crossed(self, other)
        return a >= b

    def __eq__(self, other: Any) -> Any:
        if not hasattr(other, "numerator") and not isinstance(other, Symbol):
            return NotImplemented
        a, b = crossed(self, other)
        return a == b

    def __ne__(self, other: Any) -> Any:
        if not hasattr(other, "numerator") and not isinstance(other, Symbol):
            return NotImplemented
        a, b = crossed(self, other)
        return a != b

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.numerator)

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        return f"Quotient({self.numerator!r}, {self.denominator!r})"

    def __str__(self) -> str:
        return str(self.value)


def ratio(numerator: Int, denominator: Int) -> Any:
    """Return a fraction with a positive denominator; what is plainly an integer as one."""
    numerator, denominator = _reduced(numerator, denominator)
    if not isinstance(denominator, Symbol) and denominator == 1:
        return numerator
    return Quotient(numerator, denominator)


def parts(value: Any) -> tuple[Int, Int]:
    """Return numerator and denominator.

    Raises:
        TypeError: not a number.
    """
    if isinstance(value, Symbol):
        return value, 1
    if isinstance(value, float):
        return value.as_integer_ratio()
    if not hasattr(value, "numerator"):
        raise TypeError
    return value.numerator, value.denominator


def is_fraction(value: Any) -> bool:
    """Whether a value is a fraction, plain or of symbols."""
    return isinstance(value, Quotient) or hasattr(value, "limit_denominator")


def met(left: Any, right: Any) -> Any:
    """Return the left operand as one that computes with the right: a symbol knows no fractions."""
    apart = (isinstance(left, Symbol) and is_fraction(right)) or (
        isinstance(right, Symbol) and is_fraction(left)
    )
    return Quotient(*parts(left)) if apart else left


def divided(left: Any, right: Any) -> Any:
    """Return the exact quotient.

    Raises:
        ZeroDivisionError: the divisor is 0 at the recorded point; the program notes that.
    """
    (a, b), (n, d) = parts(left), parts(right)
    if n == 0:
        raise ZeroDivisionError
    if n < 0:
        a, n = 0 - a, 0 - n
    a, n = _reduced(a, n)
    d, b = _reduced(d, b)
    return ratio(a * d, n * b)


def settled(value: Any) -> Any:
    """Return an integer where the fraction is whole, else its value; the program notes which it is."""
    if isinstance(value, tuple | list):
        return getattr(value, "_make", type(value))(map(settled, value))
    if not isinstance(value, Quotient):
        return value
    whole: Any = value.numerator % value.denominator
    return value.numerator // value.denominator if whole == 0 else value.value


def extreme(combine: Callable[[Int, Int], Int], left: Any, right: Any) -> Any:
    """Return the smaller or the larger, which `combine` finds of integers."""
    if not (is_fraction(left) or is_fraction(right)):
        return combine(left, right)
    (a, b), (n, d) = parts(left), parts(right)
    if isinstance(b, Symbol) or isinstance(d, Symbol):
        return ratio(combine(a * d, n * b), b * d)
    common = lcm(b, d)
    return ratio(combine(a * (common // b), n * (common // d)), common)


def crossed(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two integers that compare as the fractions do."""
    (a, b), (n, d) = parts(left), parts(right)
    if not isinstance(b, Symbol) and not isinstance(d, Symbol):
        common = gcd(b, d)
        b, d = b // common, d // common
    return a * d, n * b


def _added(left: Any, right: Any, sign: int) -> Any:
    (a, b), (n, d) = parts(left), parts(right)
    if isinstance(b, Symbol) or isinstance(d, Symbol):
        if b is d:
            return ratio(a + sign * n, b)
        return ratio(a * d + sign * n * b, b * d)
    common = lcm(b, d)
    return ratio(a * (common // b) + sign * n * (common // d), common)


def _multiplied(left: Any, right: Any) -> Any:
    (a, b), (n, d) = parts(left), parts(right)
    a, d = _reduced(a, d)
    n, b = _reduced(n, b)
    return ratio(a * n, b * d)


def floor_divided(left: Any, right: Any) -> Any:
    """Return the quotient rounded down; 0 by a symbol that is 0, as symbols divide."""
    (a, b), (n, d) = parts(left), parts(right)
    a, n = _reduced(a, n)
    d, b = _reduced(d, b)
    return (a * d) // (n * b)


def modulo(left: Any, right: Any) -> Any:
    """Return what the rounded quotient leaves."""
    return _added(left, _multiplied(right, floor_divided(left, right)), -1)


def _nonzero(divisor: Any) -> Any:
    if divisor == 0:
        raise ZeroDivisionError
    return divisor


def _reduced(a: Int, b: Int) -> tuple[Int, Int]:
    """Return both without the common factor of plain integers."""
    if isinstance(a, Symbol) or isinstance(b, Symbol):
        return a, b
    common = gcd(a, b)
    return a // common, b // common


def _recorded(value: Int) -> int:
    return value.value if isinstance(value, Symbol) else value
