"""Expressions between braces: exact arithmetic over the variables, parsed by whitelist, never `eval`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from archcalc.errors import ArchError, Diagnostic, Span
from archcalc.symbols import Symbol, maximum, minimum

if TYPE_CHECKING:
    from fractions import Fraction

Value: TypeAlias = "int | Fraction | bool | str | Symbol | list[Any]"
Lookup = Callable[[str], Value]

LONGEST = 4000
DEEPEST = 50
LARGEST = 2**63 - 1
FUNCTIONS = ("min", "max", "floor", "ceil", "round_to", "sum", "len")
CONSTANTS = {"true": True, "false": False}

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_NODES = (
    ast.Constant,
    ast.Name,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Subscript,
    ast.List,
    ast.Tuple,
    ast.Call,
    ast.Load,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


class Expression:
    """A parsed expression: its text, where it stands in its line, the names it reads."""

    __slots__ = ("names", "start", "text", "tree")

    def __init__(self, text: str, start: int, tree: ast.expr, names: frozenset[str]) -> None:
        self.text, self.start, self.tree, self.names = text, start, tree, names

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def __str__(self) -> str:
        return f"{{{self.text}}}"


def parse(text: str, start: int = 0) -> Expression:
    """The expression `text`, which begins at character `start` of its line.

    Raises:
        ArchError: not an expression of the language, with its place in the line.
    """
    place = Span((), start, start + len(text))
    if len(text) > LONGEST:
        raise _fault(f"an expression of {len(text)} characters; {LONGEST} are the most", place)
    if not text.strip():
        raise _fault("an empty expression", place, "write a size or a name between the braces")
    lead = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        column = start + lead + max((error.offset or 1) - 1, 0)
        reason = "nested too deeply" if "nested" in error.msg else "not an expression"
        place = Span((), min(column, start + len(text) - 1), start + len(text))
        raise _fault(f"{reason}: `{text.strip()}`", place) from None
    except (ValueError, RecursionError, MemoryError):
        raise _fault("an expression that cannot be read", place) from None
    names = frozenset(_check(tree, text, start + lead))
    return Expression(text, start, tree, names)


def _check(tree: ast.expr, text: str, start: int) -> Iterator[str]:
    """The names in the tree, after a look at every node; breadth first, so that depth costs no stack."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _fault("an expression nested too deeply", Span((), start, start + len(text)))
        for node in level:
            yield from _check_node(node, start)
        level = [
            child
            for node in level
            for child in (node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node))
        ]


def _check_node(node: ast.AST, start: int) -> Iterator[str]:
    place = Span((), start + getattr(node, "col_offset", 0), start + getattr(node, "end_col_offset", 0))
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            raise _fault("unknown function", place, f"the functions are {', '.join(FUNCTIONS)}")
    elif isinstance(node, ast.Constant):
        if not isinstance(node.value, int | float | str):
            raise _fault(f"`{node.value!r}` has no place in an expression", place)
        if isinstance(node.value, int) and abs(node.value) > LARGEST:
            raise _fault("a number beyond 64 bits", place)
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Div):
        if type(node.op) not in _ARITHMETIC:
            raise _fault("operators are + - * / // %", place)
    elif not isinstance(node, _NODES):
        raise _fault("not allowed in an expression", place)


def evaluate(expression: Expression, lookup: Lookup) -> Value:
    """The value: an integer, an exact fraction, a boolean, a string, a list, or a symbol.

    Raises:
        ArchError: division by zero, a value beyond 64 bits, types that do not fit.
    """
    try:
        value: Value = _value(expression.tree, lookup)
        return value
    except (TypeError, AttributeError):
        message = f"`{expression.text.strip()}` mixes values that do not fit"
    except ZeroDivisionError:
        message = f"`{expression.text.strip()}` divides by zero"
    except IndexError:
        message = f"`{expression.text.strip()}` asks for an item that the list does not have"
    except OverflowError:
        message = f"`{expression.text.strip()}` goes beyond 64 bits"
    except ValueError:
        message = f"`{expression.text.strip()}` needs at least one value"
    raise _fault(message, Span((), expression.start, expression.end))


def _value(node: ast.expr, lookup: Lookup) -> Any:
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else lookup(node.id)
    if isinstance(node, ast.Constant):
        return decimal(repr(node.value)) if isinstance(node.value, float) else node.value
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
        return not value if isinstance(node.op, ast.Not) else _arithmetic(ast.Sub(), 0, value)
    if isinstance(node, ast.Subscript):
        items, index = _value(node.value, lookup), _value(node.slice, lookup)
        if not isinstance(items, list) or isinstance(index, bool) or index < 0:
            raise TypeError
        return items[index]
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return _call(node.func.id, [_value(argument, lookup) for argument in node.args])
    assert isinstance(node, ast.List | ast.Tuple)
    return [_value(item, lookup) for item in node.elts]


def _arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, str | list) or isinstance(right, str | list):
        raise TypeError
    if isinstance(op, ast.Div):
        from fractions import Fraction

        return _within(Fraction(left) / right)
    return _within(_ARITHMETIC[type(op)](left, right))


def _within(value: Any) -> Any:
    """`value`, as an integer where it is one.

    Raises:
        OverflowError: it needs more than 64 bits.
    """
    if isinstance(value, Symbol):
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
        result = _COMPARISONS[type(op)](left, right)
        if len(node.ops) > 1 and not result:
            return False
        left = right
    return result


def _call(name: str, values: list[Any]) -> Any:
    if name in ("min", "max", "sum", "len"):
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        if name == "len":
            return len(items)
        if name == "sum":
            return _within(sum(items))
        result = items[0] if items else min([])
        for item in items[1:]:
            result = (minimum if name == "min" else maximum)(result, item)
        return result
    if name == "round_to":
        return round_to(*values)
    (value,) = values
    if isinstance(value, Symbol):
        return value
    return value.__floor__() if name == "floor" else value.__ceil__()


def round_to(value: Any, multiple: Any) -> Any:
    """Nearest multiple, half up, one more if that is under 90 % of `value` (MobileNet's rule)."""
    numerator, denominator = value, 1
    if not isinstance(value, Symbol):
        numerator, denominator = value.numerator, value.denominator
    step = multiple * denominator
    rounded = maximum(multiple, (2 * numerator + step) // (2 * step) * multiple)
    return _within(rounded + multiple * (10 * rounded * denominator < 9 * numerator))


def decimal(text: str) -> Fraction | int:
    """A decimal exactly: '0.75' → 3/4, '1.0' → 1.

    Raises:
        ValueError: not a plain decimal.
    """
    whole, _, digits = text.replace("_", "").lstrip("+-").partition(".")
    if not (whole.isdecimal() and (digits or "0").isdecimal() and len(text) <= 30):
        raise ValueError(f"`{text[:30]}` is no plain decimal")
    from fractions import Fraction

    value = Fraction(text.replace("_", ""))
    return int(value) if value.denominator == 1 else value


def _fault(message: str, span: Span, help: str = "") -> ArchError:
    return ArchError(Diagnostic(message, span, help=help))
