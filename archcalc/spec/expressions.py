"""Parse expressions between braces: by a whitelist of syntax, never by `eval`."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from archcalc.errors import ArchError, Diagnostic, Span, shown, suggestion
from archcalc.symbols import Symbol

if TYPE_CHECKING:
    from fractions import Fraction

Value: TypeAlias = "int | Fraction | bool | str | Symbol | list[Any]"

LONGEST = 4000  # characters
DEEPEST = 50  # levels of nesting
LARGEST = 2**63 - 1
FUNCTIONS = ("min", "max", "floor", "ceil", "round_to", "sum", "len")
CONSTANTS = {"true": True, "false": False}
ARRIVING = ("channels", "shape")  # of the tensor that arrives at a step
ALLOWED = (
    "numbers, names, 'text', [lists], + - * / // %, comparisons, and or not, a if c else b, functions"
)

# the fewest and most arguments of a function, if not one or more
_VALUES = {"floor": (1, 1), "ceil": (1, 1), "round_to": (2, 2), "len": (1, 1)}
PLAIN = "a decimal is written out, in at most 30 characters: 0.75"
_UNQUOTED = re.compile(r"""(?>(?:[\t-\r !$-&(-\[\]-~]++|'[^'\\]*+'|"[^"\\]*+")*)""")  # ASCII but " # ' \
_WARNED = re.compile(r"""(?<![\w'"])[0-9]\w*?(?:if|else|and|or|in|is|not)\b""")
_BLANKS = str.maketrans("\t\n\v\f\r", "     ")

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
SIGNS: dict[type[ast.unaryop], ast.operator] = {ast.USub: ast.Sub(), ast.UAdd: ast.Add()}
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
    """A parsed expression.

    Attributes:
        start: its offset in the line.
        names: the names that it reads.
        size: the number of its nodes, which bounds the work of evaluating it.
    """

    __slots__ = ("names", "size", "start", "text", "tree")

    def __init__(self, text: str, start: int, tree: ast.expr, names: frozenset[str], size: int) -> None:
        self.text, self.start, self.tree = text, start, tree
        self.names, self.size = names, size

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def place(self, name: str) -> Span:
        """Return the place where the expression first reads `name`."""
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == name)
        return _place(min(nodes, key=lambda n: n.col_offset), self.text, self.start)

    def texts(self) -> list[str]:
        """Return the quoted strings in the expression."""
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Constant))
        return [n.value for n in nodes if isinstance(n.value, str)]

    @property
    def decides(self) -> bool:
        """Whether the value may be known before all parts are evaluated."""
        lazy = ast.IfExp | ast.BoolOp | ast.Compare
        return any(isinstance(node, lazy) for node in ast.walk(self.tree))

    def numbers(self) -> list[int]:
        """Return the integers in the expression."""
        nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Constant))
        return [n.value for n in nodes if type(n.value) is int]

    def __str__(self) -> str:
        return f"{{{self.text}}}"


def parse(text: str, start: int = 0, functions: Sequence[str] = FUNCTIONS) -> Expression:
    """Parse the expression `text`, which begins at character `start` of its line.

    It may call `functions`.

    Raises:
        ArchError: the text is not an expression of the language; the error has the place in the line.
    """
    place = Span((), start, start + len(text))
    if len(text) > LONGEST:
        message = f"an expression of {len(text):,} characters"
        raise fault(message, place, f"{LONGEST:,} characters are the most")
    if not text.strip():
        raise fault("an empty expression", place, "write a size, a name or a condition")
    stray = _UNQUOTED.match(text)
    if stray is not None and stray.end() < len(text):
        at = stray.end()
        if text[at] in "'\"" and "\\" in text[at:]:
            at = text.index("\\", at)
        what = "an unclosed quote" if text[at] in "'\"" else f"a stray `{text[at]}`"
        raise fault(f"{what} in an expression", Span((), start + at, start + at + 1), ALLOWED)
    tree = _parse_tree(text, start)
    nodes = list(_check(tree, text, start, functions))
    names = frozenset(node.id for node in nodes if isinstance(node, ast.Name))
    return Expression(text, start, tree, names, len(nodes))


def _parse_tree(text: str, start: int) -> ast.expr:
    lead = len(text) - len(text.lstrip())
    try:
        if _WARNED.search(text):  # `1if n else 2`: Python would print a warning of its own
            raise SyntaxError("invalid number", ("", 1, 1, text))
        with warnings.catch_warnings():  # of Python, as of `"relu"40if a`
            warnings.simplefilter("ignore")
            return ast.parse(text.strip().translate(_BLANKS), mode="eval").body
    except SyntaxError as error:
        column = lead + max((error.offset or 1) - 1, 0)
        deep = "nested" in error.msg
        reason = (
            "an expression nested too deeply" if deep else f"`{shown(text.strip())}` is no expression"
        )
        place = Span((), start + min(column, len(text) - 1), start + len(text))
        raise fault(reason, place, "" if deep else ALLOWED) from None
    except (ValueError, RecursionError, MemoryError):  # a thousand minus signs
        raise fault("an expression nested too deeply", Span((), start, start + len(text))) from None


def _check(tree: ast.expr, text: str, start: int, functions: Sequence[str]) -> Iterator[ast.AST]:
    """Check each node and yield it; breadth first, so that depth costs no stack."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise fault("an expression nested too deeply", Span((), start, start + len(text)))
        for node in level:
            refused = _refuse(node, text, functions)
            if refused is not None:
                raise fault(refused[0], _place(node, text, start), refused[1])
            yield node
        level = [
            child
            for node in level
            for child in (node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node))
        ]


def _refuse(node: ast.AST, text: str, functions: Sequence[str]) -> tuple[str, str] | None:
    """Return what is wrong with a node, and a way out; replace decimals by exact fractions."""
    if isinstance(node, ast.Call):
        return _refuse_call(node, functions)
    if isinstance(node, ast.Constant):
        return _refuse_constant(node, text)
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Div):
        return None if type(node.op) in ARITHMETIC else ("operators are + - * / // %", "")
    if isinstance(node, ast.Compare):
        known = all(type(op) in COMPARISONS for op in node.ops)
        return None if known else ("`is` is no comparison", "write == or !=")
    inverted = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)
    if inverted or not isinstance(node, _NODES):
        return "not allowed in an expression", ALLOWED
    return None


def _refuse_call(node: ast.Call, functions: Sequence[str]) -> tuple[str, str] | None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in functions:
        what = f"unknown function `{shown(name)}`" if name else "not allowed in an expression"
        return what, suggestion(name, functions) or f"the functions are {', '.join(functions)}"
    if node.keywords:
        return f"the values of `{name}` have no names", f"as in {name}(n, 2)"
    least, most = _VALUES.get(name, (1, LONGEST))
    if not least <= len(node.args) <= most:
        count = "at least 1 value" if most > least else f"{least} value{'s' if least > 1 else ''}"
        return f"`{name}` takes {count}, not {len(node.args)}", ""
    return None


def _refuse_constant(node: ast.Constant, text: str) -> tuple[str, str] | None:
    written = text[slice(*_place(node, text, 0)[1:])]
    if isinstance(node.value, float):
        try:
            node.value = decimal(written)  # type: ignore[assignment]
        except ValueError:
            return f"`{shown(written)}` is no plain decimal", PLAIN
    elif not isinstance(node.value, int | str):
        return f"`{shown(written)}` has no place in an expression", ALLOWED
    if isinstance(node.value, int) and abs(node.value) > LARGEST:
        return "a number beyond 64 bits", ""
    return None


def _place(node: ast.AST, text: str, start: int) -> Span:
    """Return the place of a node; `ast` counts the bytes of the stripped text."""
    lead = len(text) - len(text.lstrip())
    columns: list[int] = [getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)]
    if not text.isascii():
        data = text.strip().encode()
        columns = [len(data[:column].decode()) for column in columns]
    return Span((), start + lead + columns[0], start + lead + columns[1])


def decimal(text: str) -> Fraction | int:
    """Return a decimal exactly: '0.75' → 3/4, '1.0' → 1.

    Raises:
        ValueError: the text is not a plain decimal.
    """
    whole, _, digits = text.replace("_", "").lstrip("+-").partition(".")
    plain = (whole or "0").isdecimal() and (digits or "0").isdecimal() and text.isascii()
    if not (plain and (whole or digits) and len(text) <= 30):
        raise ValueError(f"`{shown(text)}` is no plain decimal")
    from fractions import Fraction

    value = Fraction(text.replace("_", ""))
    return int(value) if value.denominator == 1 else value


def fault(message: str, span: Span, help: str = "") -> ArchError:
    """Return the error for a place in the line."""
    return ArchError(Diagnostic(message, span, help=help))
