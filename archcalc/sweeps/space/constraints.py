"""Parse `--where`: conditions on metrics and variables, with units: 'macs <= 600M and peak <= 512KiB'.

Metrics of a block name its path: multiplies('stage4'). A condition is evaluated like the rules of
operators, without branching: on symbols it becomes part of the program, on integers it is 0 or 1.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from archcalc.arithmetic import maximum
from archcalc.errors import ArchError, Diagnostic, UsageError, listed, shown, suggestion
from archcalc.rationals import floor_divided, is_fraction, met, modulo
from archcalc.spec.expressions import (
    ARITHMETIC,
    COMPARISONS,
    CONSTANTS,
    LARGEST,
    SIGNS,
    Expression,
    parse,
)
from archcalc.sweeps.metrics import ALIASES, OF_BLOCKS, block_count
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

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
_FLOPS = re.compile(r"\bflops\b(\s*\([^()]*\))?", re.IGNORECASE)
_QUOTED = re.compile(r"('[^']*'|\"[^\"]*\")")
_WORDS = ("and", "or", "if", "else", "in", "not")
_HELP = "as in 'multiplies <= 600M and peak <= 512KiB and output >= 7'"

# each comparison as it is shown, and with its sides exchanged
_SHOWN: dict[type[ast.cmpop], str] = {
    ast.Lt: "<>",
    ast.LtE: "≤≥",
    ast.Gt: "><",
    ast.GtE: "≥≤",
    ast.Eq: "==",
}

Lookup = Callable[[str], Any]


def parse_condition(text: str, names: Mapping[str, Any]) -> Expression:
    """Parse a condition; `names` are the names it may use, each with a possible value.

    Raises:
        UsageError: the text is no condition, or it has an unknown name or unit.
    """
    if "flops" not in names:  # one multiply and one add per product
        text = _FLOPS.sub(r"(2*multiplies\1)", text)
    pieces = _QUOTED.split(text)  # every other one is quoted
    pieces[::2] = [_NUMBER.sub(_whole, piece) for piece in pieces[::2]]
    try:
        expression = parse("".join(pieces), functions=(*OF_BLOCKS, *ALIASES))
    except UsageError:
        raise
    except ArchError as error:
        reason = error.diagnostics[0]
        raise UsageError(Diagnostic(f"--where: {reason.message}", help=reason.help or _HELP)) from None
    for name in sorted(expression.names):
        if name not in names and name not in CONSTANTS:
            help = suggestion(name, names) or f"there are {listed(names)}"
            raise UsageError(Diagnostic(f"--where: unknown name `{shown(name)}`", help=help))
    _refuse_items(expression, names)
    blocks = {block_count(*block): 1 for block in blocks_in(expression)}
    holds(expression, {**names, **blocks}.__getitem__)  # raises for anything but a condition
    return expression


def _refuse_items(expression: Expression, names: Mapping[str, Any]) -> None:
    """Refuse an item that a list does not have."""
    for node in ast.walk(expression.tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            continue
        items = names.get(node.value.id)
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(items, list) and isinstance(index, int) and index >= len(items):
            help = f"`{node.value.id}` has {len(items)} items, counted from 0"
            raise UsageError(Diagnostic(f"--where: no `{shown(ast.unparse(node))}`", help=help))


def blocks_in(expression: Expression) -> Iterator[tuple[str, str]]:
    """Yield the metrics of blocks in a condition, each with the path that it names."""
    for node in ast.walk(expression.tree):
        if isinstance(node, ast.Call):
            yield _block(node)


def _block(node: ast.Call) -> tuple[str, str]:
    assert isinstance(node.func, ast.Name)
    (path, *others) = node.args
    if others or not isinstance(path, ast.Constant) or not isinstance(path.value, str):
        raise UsageError(
            Diagnostic(
                f"--where: `{shown(ast.unparse(node))}` names no block",
                help=f"its path stands in quotes: {node.func.id}('stage4')",
            )
        )
    return ALIASES.get(node.func.id, node.func.id), path.value


def _whole(found: re.Match[str]) -> str:
    """Return a number with its unit as a plain integer."""
    digits, unit = found[1], found[2]
    if unit in _WORDS:
        return found[0]
    if unit is not None and unit not in UNITS:
        help = suggestion(unit, UNITS) or f"units: {', '.join(UNITS)}"
        raise UsageError(Diagnostic(f"--where: unknown unit `{shown(unit)}`", help=help))
    if unit is None and "." in digits:  # a decimal, as variables may be
        return digits
    value = Fraction(digits.replace("_", "")) * UNITS.get(unit or "", 1)
    if value.denominator != 1 or value > LARGEST:
        help = "metrics are whole numbers of at most 64 bits"
        raise UsageError(Diagnostic(f"--where: `{shown(found[0])}` is no whole number", help=help))
    return str(value)


def holds(expression: Expression, lookup: Lookup) -> Int:
    """Return 1 if the condition holds, else 0; it does not hold if it divides by 0.

    Raises:
        UsageError: the expression is no condition.
    """
    divisors: list[Int] = []
    result = _truth(expression.tree, lookup, divisors)
    for divisor in divisors:
        nonzero: Any = divisor != 0
        result = result * (int(nonzero) if isinstance(nonzero, bool) else nonzero)
    return result


class Comparison(NamedTuple):
    """A value of a condition and its bound; `metric` names the value if it is a single metric."""

    sign: str
    value: int
    bound: int
    metric: str


def comparison(expression: Expression, lookup: Lookup) -> Comparison | None:
    """Return the first comparison of whole numbers that fails; if all hold, the first."""
    parts = [expression.tree]
    while any(isinstance(part, ast.BoolOp) and isinstance(part.op, ast.And) for part in parts):
        parts = [p for part in parts for p in (part.values if isinstance(part, ast.BoolOp) else [part])]
    fails = [part for part in parts if not _truth(part, lookup, [])]
    found = (_compared(part, lookup) for part in fails or parts)
    return next((one for one in found if one), None)


def _compared(node: ast.expr, lookup: Lookup) -> Comparison | None:
    if not isinstance(node, ast.Compare) or len(node.ops) > 1 or type(node.ops[0]) not in _SHOWN:
        return None
    left, right, signs = node.left, node.comparators[0], _SHOWN[type(node.ops[0])]
    if not any(isinstance(part, ast.Name) for part in ast.walk(left)):  # 12M >= multiplies
        left, right, signs = right, left, signs[::-1]
    value, bound = (_operand(side, lookup, []) for side in (left, right))
    if type(value) is not int or type(bound) is not int:
        return None
    named = left.func if isinstance(left, ast.Call) else left
    name = named.id if isinstance(named, ast.Name) else ""
    return Comparison(signs[0], value, bound, ALIASES.get(name, name))


def _truth(node: ast.expr, lookup: Lookup, divisors: list[Int]) -> Int:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(part, lookup, divisors) for part in node.values]
        result = parts[0]
        for part in parts[1:]:
            result = result * part if isinstance(node.op, ast.And) else maximum(result, part)
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return 1 - _truth(node.operand, lookup, divisors)
    if isinstance(node, ast.Name):
        flag = CONSTANTS[node.id] if node.id in CONSTANTS else lookup(node.id)
        if isinstance(flag, bool):
            return int(flag)
    if not isinstance(node, ast.Compare):
        raise _fault(node, "no condition")
    left, result = _operand(node.left, lookup, divisors), 1
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn):
            raise _fault(node, "no comparison of numbers")
        right = _operand(comparator, lookup, divisors)
        if isinstance(left, str) is not isinstance(right, str):
            raise _fault(node, "no comparison: one side is text")
        if isinstance(left, str) and not isinstance(op, ast.Eq | ast.NotEq):
            raise _fault(node, "no comparison: text is == or != another")
        compared: Any = COMPARISONS[type(op)](met(left, right), right)
        result = result * (int(compared) if isinstance(compared, bool) else compared)
        left = right
    return result


def _operand(node: ast.expr, lookup: Lookup, divisors: list[Int]) -> Any:
    """Return the value of one side of a comparison: a number or text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id not in CONSTANTS:
        value = lookup(node.id)
        if isinstance(value, str):
            return value
    return _number(node, lookup, divisors)


def _number(node: ast.expr, lookup: Lookup, divisors: list[Int]) -> Any:
    if isinstance(node, ast.Name | ast.Subscript | ast.Call):
        value = _named(node, lookup, divisors)
        if isinstance(value, str | list):
            raise _fault(node, "no number")
        return value
    if isinstance(node, ast.Constant) and hasattr(node.value, "numerator"):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        a, b = _number(node.left, lookup, divisors), _number(node.right, lookup, divisors)
        a = met(a, b)
        if isinstance(node.op, ast.FloorDiv | ast.Mod):
            divisors.append(b)
            if isinstance(b, int) and b == 0:
                if not any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node.right)):
                    raise _fault(node, "a division by 0")
                return 0
            if is_fraction(a) or is_fraction(b):
                return (floor_divided if isinstance(node.op, ast.FloorDiv) else modulo)(a, b)
        result: Int = ARITHMETIC[type(node.op)](a, b)
        return result
    if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
        return ARITHMETIC[type(SIGNS[type(node.op)])](0, _number(node.operand, lookup, divisors))
    raise _fault(node, "no number")


def _named(node: ast.Name | ast.Subscript | ast.Call, lookup: Lookup, divisors: list[Int]) -> Any:
    """Return a variable or metric, an item of a list, a metric of a block."""
    if isinstance(node, ast.Call):
        return lookup(block_count(*_block(node)))
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else lookup(node.id)
    items = lookup(node.value.id) if isinstance(node.value, ast.Name) else None
    index = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if not isinstance(items, list) or type(index) is not int:
        raise _fault(node, "no item of a list")
    if index < len(items):
        return items[index]
    divisors.append(0)  # a list may be shorter elsewhere: the condition holds nowhere there
    return 0


def _fault(node: ast.expr, what: str) -> UsageError:
    text = shown(ast.unparse(node))
    return UsageError(Diagnostic(f"--where: `{text}` is {what}", help=_HELP))
