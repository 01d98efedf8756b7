"""Parse `--where`: conditions on metrics and variables, with units: 'macs <= 600M and peak <= 512KiB'.

A condition is evaluated like the rules of operators, without branching: on symbols it becomes part of
the program, on integers it is 0 or 1.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from fractions import Fraction
from typing import Any

from archcalc.arithmetic import maximum
from archcalc.errors import ArchError, Diagnostic, UsageError, listed, shown, suggestion
from archcalc.spec.expressions import ARITHMETIC, COMPARISONS, LARGEST, SIGNS, Expression, parse
from archcalc.symbols import Int

UNITS = {
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_NUMBER = re.compile(r"(?<![\w.])([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z]+)?(?![\w.])")
_FLOPS = re.compile(r"\bflops\b", re.IGNORECASE)
_WORDS = ("and", "or", "if", "else", "in", "not")
_HELP = "as in 'multiplies <= 600M and peak <= 512KiB and output >= 7'"

Lookup = Callable[[str], Int]


def parse_condition(text: str, names: Collection[str]) -> Expression:
    """Parse a condition over these names.

    Raises:
        UsageError: it is no condition, or has an unknown name or unit.
    """
    if "flops" not in names:  # one multiply and one add per product
        text = _FLOPS.sub("(2*multiplies)", text)
    try:
        expression = parse(_NUMBER.sub(_whole, text))
    except UsageError:
        raise
    except ArchError as error:
        reason = error.diagnostics[0]
        raise UsageError(Diagnostic(f"--where: {reason.message}", help=reason.help or _HELP)) from None
    for name in sorted(expression.names):
        if name not in names:
            help = suggestion(name, names) or f"there are {listed(names)}"
            raise UsageError(Diagnostic(f"--where: unknown name `{shown(name)}`", help=help))
    holds(expression, lambda name: 1)  # raises for anything but a condition
    return expression


def _whole(found: re.Match[str]) -> str:
    """Return a number with its unit as a plain integer."""
    digits, unit = found[1], found[2]
    if unit in _WORDS:
        return found[0]
    if unit is not None and unit not in UNITS:
        help = suggestion(unit, UNITS) or f"units: {', '.join(UNITS)}"
        raise UsageError(Diagnostic(f"--where: unknown unit `{shown(unit)}`", help=help))
    value = Fraction(digits.replace("_", "")) * UNITS.get(unit or "", 1)
    if value.denominator != 1 or value > LARGEST:
        help = "metrics are whole numbers of at most 64 bits"
        raise UsageError(Diagnostic(f"--where: `{shown(found[0])}` is no whole number", help=help))
    return str(value)


def holds(expression: Expression, lookup: Lookup) -> Int:
    """Return 1 where the condition holds, else 0, also where it divides by 0.

    Raises:
        UsageError: the expression is no condition.
    """
    divisors: list[Int] = []
    result = _truth(expression.tree, lookup, divisors)
    for divisor in divisors:
        nonzero: Any = divisor != 0
        result = result * (int(nonzero) if isinstance(nonzero, bool) else nonzero)
    return result


def _truth(node: ast.expr, lookup: Lookup, divisors: list[Int]) -> Int:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, lookup, divisors) for part in node.values]
        result = parts[0]
        for part in parts[1:]:
            result = result * part if isinstance(node.op, ast.And) else maximum(result, part)
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return 1 - _truth(node.operand, lookup, divisors)
    if not isinstance(node, ast.Compare):
        raise _fault(node, "no condition")
    left, result = _number(node.left, lookup, divisors), 1
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn):
            raise _fault(node, "no comparison of numbers")
        right = _number(comparator, lookup, divisors)
        compared: Any = COMPARISONS[type(op)](left, right)
        result = result * (int(compared) if isinstance(compared, bool) else compared)
        left = right
    return result


def _number(node: ast.expr, lookup: Lookup, divisors: list[Int]) -> Int:
    if isinstance(node, ast.Name):
        return lookup(node.id)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        a, b = _number(node.left, lookup, divisors), _number(node.right, lookup, divisors)
        if isinstance(node.op, ast.FloorDiv | ast.Mod):
            divisors.append(b)
            if isinstance(b, int) and b == 0:
                if not any(isinstance(part, ast.Name) for part in ast.walk(node.right)):
                    raise _fault(node, "a division by 0")
                return 0
        result: Int = ARITHMETIC[type(node.op)](a, b)
        return result
    if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
        value: Int = ARITHMETIC[type(SIGNS[type(node.op)])](0, _number(node.operand, lookup, divisors))
        return value
    raise _fault(node, "no number")


def _fault(node: ast.expr, what: str) -> UsageError:
    text = shown(ast.unparse(node))
    return UsageError(Diagnostic(f"--where: `{text}` is {what}", help=_HELP))
