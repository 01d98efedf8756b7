"""Evaluate expressions by exact arithmetic on integers, fractions and symbols."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce
from typing import Any

from archcalc.arithmetic import maximum, minimum
from archcalc.errors import Span, shown
from archcalc.rationals import Quotient, divided, extreme, is_fraction, met, parts, settled
from archcalc.spec.expressions import (
    ARITHMETIC,
    COMPARISONS,
    CONSTANTS,
    LARGEST,
    SIGNS,
    Expression,
    Value,
    fault,
)
from archcalc.symbols import Symbol

Lookup = Callable[[str], Value]

_ADD = ast.Add()


class OperandError(TypeError):
    """An operation does not take a value; the message continues a sentence after the expression."""


def evaluate(expression: Expression, lookup: Lookup) -> Value:
    """Return the value: an integer, an exact fraction, a boolean, a string, a list, or a symbol.

    Raises:
        ArchError: division by zero, a value beyond 64 bits, or types that do not fit.
    """
    try:
        value: Value = _value(expression.tree, lookup)
        return value
    except OperandError as error:
        what = str(error)
    except (TypeError, AttributeError):
        what = "mixes values that do not fit"
    except ZeroDivisionError:
        what = "divides by zero"
    except OverflowError:
        what = "goes beyond 64 bits"
    except ValueError:
        what = "needs at least one value"
    place = Span((), expression.start, expression.end)
    raise fault(f"`{shown(expression.text.strip())}` {what}", place)


def _value(node: ast.expr, lookup: Lookup) -> Any:
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else lookup(node.id)
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _value(node.left, lookup), _value(node.right, lookup))
    if isinstance(node, ast.Compare):
        return _compare(node, lookup)
    if isinstance(node, ast.BoolOp):
        stop = isinstance(node.op, ast.Or)
        result = None
        for part in node.values:
            result = _value(part, lookup)
            if bool(result) is stop:
                break
        return result
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, lookup) else node.orelse, lookup)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, lookup)
        if isinstance(node.op, ast.Not):
            return not value
        return _arithmetic(SIGNS[type(node.op)], 0, value)
    if isinstance(node, ast.Subscript):
        items, index = _value(node.value, lookup), settled(_value(node.slice, lookup))
        if not isinstance(items, list):
            raise OperandError("takes an item of what is no list")
        if isinstance(index, bool):
            raise TypeError
        if not 0 <= index < len(items):
            raise OperandError(f"asks for item {int(index)}, counted from 0, of a list of {len(items)}")
        return items[index]
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return _call(node.func.id, [_value(argument, lookup) for argument in node.args])
    assert isinstance(node, ast.List | ast.Tuple)
    return [_value(item, lookup) for item in node.elts]


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    for value in (left, right):
        if isinstance(value, str | list):
            raise OperandError(f"calculates with {'text' if isinstance(value, str) else 'a list'}")
    left = met(left, right)
    if isinstance(op, ast.Div):
        if isinstance(left, Symbol | Quotient) or isinstance(right, Symbol | Quotient):
            return divided(left, right)
        from fractions import Fraction

        return _within(Fraction(left) / right)
    if isinstance(op, ast.FloorDiv | ast.Mod) and right == 0:
        raise ZeroDivisionError  # symbols divide by zero without an error
    return _within(ARITHMETIC[type(op)](left, right))


def _within(value: Any) -> Any:
    """Return a value, as an integer if it is whole.

    Raises:
        OverflowError: the value needs more than 64 bits.
    """
    if isinstance(value, Symbol | Quotient):
        return value
    if value.denominator == 1:
        value = int(value)
    if abs(value.numerator) > LARGEST or value.denominator > LARGEST:
        raise OverflowError
    return value


def _compare(node: ast.Compare, lookup: Lookup) -> Any:
    left = _value(node.left, lookup)
    result: Any = True
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, lookup)
        result = COMPARISONS[type(op)](met(left, right), right)
        if len(node.ops) > 1 and not result:
            return False
        left = right
    return result


def _call(name: str, values: list[Any]) -> Any:
    if name in ("min", "max", "sum", "len"):
        alone = len(values) == 1 and (name == "len" or isinstance(values[0], list))
        items = values[0] if alone else values
        if name == "len":
            if not isinstance(items, list):
                raise OperandError("takes the length of what is no list")
            return len(items)
        if name == "sum":
            return reduce(lambda a, b: _arithmetic(_ADD, a, b), items, 0)
        result = items[0] if items else min([])
        for item in items[1:]:
            result = extreme(minimum if name == "min" else maximum, result, item)
        return result
    if name == "round_to":
        return round_to(*values)
    (value,) = values
    if isinstance(value, Symbol):
        return value
    return value.__floor__() if name == "floor" else value.__ceil__()


def round_to(value: Any, multiple: Any) -> Any:
    """Return the nearest multiple, half up; the next if that is under 90 % of `value` (MobileNet)."""
    if value <= 0:  # the smallest multiple would hide a mistake
        raise OperandError("rounds a number that is not positive")
    if isinstance(multiple, Symbol | Quotient) and multiple == 0:
        raise ZeroDivisionError
    if is_fraction(multiple):
        whole, below = parts(multiple)
        return _arithmetic(ast.Div(), round_to(value * below, whole), below)
    numerator, denominator = value, 1
    if not isinstance(value, Symbol):
        numerator, denominator = value.numerator, value.denominator
    step = multiple * denominator
    rounded = maximum(multiple, (2 * numerator + step) // (2 * step) * multiple)
    return _within(rounded + multiple * (10 * rounded * denominator < 9 * numerator))
