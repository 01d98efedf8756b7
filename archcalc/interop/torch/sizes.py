"""Evaluate sizes that depend on an input's: sympy's text, read by whitelist, exactly.

torch writes `Mul(Integer(2), Symbol('s77', positive=True, integer=True))`, earlier versions `2*s77`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from archcalc.interop.torch.symbols import FreeSizeError, SizeError

_LONGEST = 4096  # characters of one expression
_LARGEST = 1 << 128
_HIGHEST = 64  # power

Value = Fraction  # every value on the way; integers too


def _floor_div(a: Value, b: Value) -> Value:
    return Value(math.floor(a / b))


def _modulo(a: Value, b: Value) -> Value:
    return a - b * _floor_div(a, b)


def _power(base: Value, exponent: Value) -> Value:
    if exponent != int(exponent) or abs(exponent) > _HIGHEST:
        raise SizeError("a power that is no small integer")
    return Value(base ** int(exponent))


def _quotient(a: Value, b: Value) -> Value:
    return a / b


def _add(*values: Value) -> Value:
    return sum(values, Value(0))


def _itself(value: Value, *_: Value) -> Value:
    return value


def _whole(rounded: Callable[[Value], int]) -> Callable[..., Value]:
    return lambda value: Value(rounded(value))


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    **dict.fromkeys(("Integer", "Float", "ToFloat", "Identity", "int", "float"), _itself),
    "Rational": _quotient,
    "Add": _add,
    "Mul": lambda *values: math.prod(values, start=Value(1)),
    "Pow": _power,
    "PowByNatural": _power,
    **dict.fromkeys(("Max", "max"), max),
    **dict.fromkeys(("Min", "min"), min),
    **dict.fromkeys(("FloorDiv", "CleanDiv"), _floor_div),
    **dict.fromkeys(("IntTrueDiv", "FloatTrueDiv", "TrueDiv"), _quotient),
    "CeilDiv": lambda a, b: -_floor_div(-a, b),
    **dict.fromkeys(("Mod", "PythonMod"), _modulo),
    "ModularIndexing": lambda a, b, n: _modulo(_floor_div(a, b), n),
    **dict.fromkeys(("floor", "FloorToInt"), _whole(math.floor)),
    **dict.fromkeys(("ceiling", "CeilToInt"), _whole(math.ceil)),
    **dict.fromkeys(("TruncToInt", "trunc"), _whole(math.trunc)),
    "RoundToInt": _whole(round),
    "Abs": abs,
}

_OPERATORS: dict[type[ast.operator], Callable[..., Value]] = {
    ast.Add: _add,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: _floor_div,
    ast.Div: _quotient,
    ast.Mod: _modulo,
    ast.Pow: _power,
}

_CONSTANTS = {"One": Value(1), "Zero": Value(0), "NegativeOne": Value(-1), "Half": Value(1, 2)}


def evaluate(text: str, symbols: Mapping[str, int]) -> int:
    """Return a size.

    Raises:
        FreeSizeError: a symbol in it has no value.
        SizeError: the text is no expression of sizes, or its value no integer.
    """
    try:
        value = _value(_parsed(text), symbols)
    except (ZeroDivisionError, OverflowError, TypeError, ValueError, RecursionError) as error:
        raise SizeError(f"`{text[:60]}` cannot be evaluated") from error
    if value != int(value):
        raise SizeError(f"`{text[:60]}` is no integer")
    return int(value)


def symbols_of(text: str) -> set[str]:
    """Return the names of the symbols in an expression.

    Raises:
        SizeError: the text is too long, or no expression.
    """
    nodes = list(ast.walk(_parsed(text)))
    called = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    named = {_symbol(n) for n in nodes if isinstance(n, ast.Call) and _is_symbol(n)}
    return named | {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in called}


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise SizeError(f"an expression of {len(text)} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SizeError(f"`{text[:60]}` is no expression") from error


def _value(node: ast.expr, symbols: Mapping[str, int]) -> Value:
    value = _step(node, symbols)
    if abs(value) > _LARGEST:
        raise SizeError("a size beyond 128 bits")
    return value


def _step(node: ast.expr, symbols: Mapping[str, int]) -> Value:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int(number)):
            return Value(number)
        case ast.Constant(value=float() | str() as number):
            return Value(str(number))
        case ast.Name(id=name):
            return _CONSTANTS[name] if name in _CONSTANTS else _of_symbol(name, symbols)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, symbols)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)](_value(left, symbols), _value(right, symbols))
        case ast.Call() if _is_symbol(node):
            return _of_symbol(_symbol(node), symbols)
        case ast.Call(func=ast.Name(id=name), args=args) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(arg, symbols) for arg in args))
    raise SizeError(f"`{ast.unparse(node)[:60]}` is no size")


def _of_symbol(name: str, symbols: Mapping[str, int]) -> Value:
    if name not in symbols:
        raise FreeSizeError(name)
    return Value(symbols[name])


def _is_symbol(node: ast.Call) -> bool:
    named = isinstance(node.func, ast.Name) and node.func.id in ("Symbol", "Dummy")
    return named and bool(node.args) and isinstance(node.args[0], ast.Constant)


def _symbol(node: ast.Call) -> str:
    argument = node.args[0]
    return str(argument.value) if isinstance(argument, ast.Constant) else ""
