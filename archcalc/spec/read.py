"""TOML text → Spec. Every mistake of the text is collected; the caller sees them all at once."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator
from typing import Any

from archcalc import collector
from archcalc.errors import ArchError, Diagnostic, Keys, Point, Span, SpecError, suggestion
from archcalc.spec.expressions import CONSTANTS, FUNCTIONS, LARGEST, Expression, Value, decimal
from archcalc.spec.lines import Token, parse_arguments, parse_line, parse_parameters, read_size
from archcalc.spec.model import (
    JOINS,
    Block,
    Branch,
    Given,
    Line,
    Parameter,
    Size,
    Source,
    Spec,
    Variable,
    Variant,
)

ABOUT = ("title", "paper", "year")
TABLES = ("vars", "variants", "defaults", "block")
BODY = ("layers", *JOINS, "then")
VARIABLE_KEYS = ("default", "help", "choices")
# the options of archcalc's own commands, which no variable may take
RESERVED = frozenset(
    """all as batch by census crops depth dtype ensemble expand format freeze help init input jobs map
    maps max-multiplies max-params no-base order quick save search seed set sort stats symbol taps time
    top vary verify version where""".split()  # noqa: SIM905
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_INPUT = re.compile(r"\s*(\{[^{}]*\}|\d+)\s*x\s*(\{[^{}]*\}|\d+)\s*x\s*(\{[^{}]*\}|\d+)\s*")
_VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def read(source: Source) -> Spec:
    """The spec in `source`.

    Raises:
        SpecError: with every mistake found, each at its place.
    """
    reader = _Reader()
    with collector.paused():
        spec = reader.spec(source, _parse_toml(source))
    if reader.mistakes:
        raise SpecError(*reader.mistakes, source=source)
    return spec


def _parse_toml(source: Source) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(source.text, parse_float=decimal)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(_syntax(str(error), source.text), source=source) from None
    except RecursionError:
        raise SpecError(Diagnostic("values nested too deeply"), source=source) from None
    except ValueError as error:
        number = re.search(r"\d{30,}", source.text) if "digits" in str(error) else None
        message = "a number beyond 64 bits" if "digits" in str(error) else str(error)
        place = _point(source.text, number.start()) if number else None
        raise SpecError(Diagnostic(message, place), source=source) from None


def _syntax(message: str, text: str) -> Diagnostic:
    """tomllib's message with its place apart: 'Expected … (at line 5, column 3)'."""
    what, _, where = message.partition(" (at ")
    numbers = [int(n) for n in re.findall(r"\d+", where)]
    place = Point(*numbers) if len(numbers) == 2 else _point(text, max(len(text.rstrip()) - 1, 0))
    return Diagnostic(f"broken TOML: {what[:1].lower()}{what[1:]}", place, help=_syntax_help(what))


def _syntax_help(what: str) -> str:
    if "overwrite" in what or "twice" in what.lower():
        return "a key may be given once, and a [table] once"
    if "Invalid value" in what or "Unclosed" in what or "Illegal" in what:
        return 'text stands between quotes: "conv 64 | relu"; lists between [ and ], with commas'
    return ""


def _point(text: str, offset: int) -> Point:
    return Point(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class _Reader:
    """Walks the document; keeps every mistake and goes on."""

    def __init__(self) -> None:
        self.mistakes: list[Diagnostic] = []

    def spec(self, source: Source, document: dict[str, Any]) -> Spec:
        self._know((), document, (*ABOUT, "input", *BODY, *TABLES))
        tables = {name: self._table((name,), document.get(name, {})) for name in TABLES}
        variables = {k: self._variable(k, v) for k, v in tables["vars"].items()}
        blocks = {
            name: self._block(name, ("block", name), self._table(("block", name), body))
            for name, body in tables["block"].items()
        }
        body = self._block("", (), {k: v for k, v in document.items() if k in BODY})
        spec = Spec(
            source=source,
            about=self._about((), document),
            input=self._input(("input",), document.get("input")),
            body=body,
            blocks=blocks,
            variables=variables,
            variants={k: self._variant(k, v, variables) for k, v in tables["variants"].items()},
            defaults={k: self._defaults(k, v) for k, v in tables["defaults"].items()},
            structural=frozenset(_structural_names([body, *blocks.values()])),
        )
        if not self.mistakes:
            self.mistakes.extend(_check_names(spec))
        return spec

    def _fault(self, message: str, keys: Keys, help: str = "", start: int = 0) -> None:
        self.mistakes.append(Diagnostic(message, Span(keys, start), help=help))

    def _try(self, keys: Keys, action: Callable[..., Any], *arguments: Any) -> Any:
        """The result, or None with the mistake noted at `keys`."""
        try:
            return action(*arguments)
        except ArchError as error:
            for d in error.diagnostics:
                place = d.span._replace(keys=keys) if isinstance(d.span, Span) else Span(keys)
                self.mistakes.append(d._replace(span=place))
        return None

    def _know(self, keys: Keys, table: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key in known:
                continue
            help = suggestion(key, known)
            if keys and key in ("layers", "title", "input", "paper", "year"):
                help = f"top-level keys stand before the first [table]: put `{key}` there"
            self._fault(f"unknown key `{key}`", (*keys, key), help or f"known: {', '.join(known)}", -1)

    def _table(self, keys: Keys, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._fault(f"`{keys[-1]}` must be a table", keys, f"write [{'.'.join(map(str, keys))}]")
        return {}

    def _about(self, keys: Keys, table: dict[str, Any]) -> dict[str, Any]:
        about = {}
        for key in ABOUT:
            if key in table:
                about[key] = table[key]
                if not isinstance(table[key], int if key == "year" else str):
                    self._fault(
                        f"`{key}` must be {'a number' if key == 'year' else 'text'}", (*keys, key)
                    )
        return about

    def _input(self, keys: Keys, value: Any) -> tuple[Size, ...]:
        if value is None:
            self._fault('no `input`: write input = "224x224x3"', ())
        elif not isinstance(value, str):
            self._fault("`input` must be text", keys, 'height x width x channels: "224x224x3"')
        else:
            sizes: tuple[Size, ...] | None = self._try(keys, parse_input, value)
            if sizes is not None:
                return sizes
        return (1, 1, 1)

    def _variable(self, name: str, value: Any) -> Variable:
        keys: Keys = ("vars", name)
        self._check_variable_name(name, keys)
        help, choices = "", ()
        if isinstance(value, dict):
            self._know(keys, value, VARIABLE_KEYS)
            if "default" not in value:
                self._fault(f"`{name}` has no default", keys, f"{name} = {{ default = 1 }}")
            help, choices = value.get("help", ""), value.get("choices", ())
            if not isinstance(help, str):
                self._fault("`help` must be text", (*keys, "help"))
            if not isinstance(choices, list | tuple):
                self._fault("`choices` must be a list", (*keys, "choices"))
                choices = ()
            value, keys = value.get("default", 0), (*keys, "default")
        self._check_value(value, keys)
        if choices and value not in choices:
            self._fault(f"the default of `{name}` is not among its choices", keys)
        return Variable(name, value, str(help), tuple(choices), ("vars", name))

    def _check_variable_name(self, name: str, keys: Keys) -> None:
        if not _NAME.fullmatch(name) or keyword.iskeyword(name):
            self._fault(f"`{name}` is no variable name", keys, "lower case letters, digits and _", -1)
        elif name.replace("_", "-") in RESERVED:
            self._fault(f"`{name}` is an option of archcalc's own", keys, f"try `{name}_`", -1)
        elif name in (*FUNCTIONS, *CONSTANTS, "channels"):
            self._fault(f"`{name}` is a word of the language", keys, f"try `{name}_`", -1)

    def _check_value(self, value: Any, keys: Keys) -> None:
        """A variable's value: integer, decimal, boolean, text, or a list of these."""
        items, depth = [value], 0
        while items and depth < 4:
            for item in items:
                if isinstance(item, int) and abs(item) > LARGEST:
                    self._fault("a number beyond 64 bits", keys)
                elif not (isinstance(item, int | str | list) or hasattr(item, "numerator")):
                    self._fault("a variable is a number, true, false, text, or a list of these", keys)
            items = [x for item in items if isinstance(item, list) for x in item]
            depth += 1
        if items:
            self._fault("lists nested too deeply", keys)

    def _variant(self, name: str, value: Any, variables: dict[str, Variable]) -> Variant:
        keys: Keys = ("variants", name)
        if not _VARIANT_NAME.fullmatch(name):
            self._fault(f"`{name}` is no variant name", keys, "letters, digits and `_` `.` `-`", -1)
        table = self._table(keys, value)
        about = self._about(keys, table)
        if "input" in table:
            about["input"] = self._input((*keys, "input"), table["input"])
        values = {k: v for k, v in table.items() if k not in (*ABOUT, "input")}
        for key, given in values.items():
            if key not in variables:
                help = suggestion(key, variables) or f"variables: {', '.join(variables) or 'none'}"
                self._fault(f"unknown variable `{key}`", (*keys, key), help, -1)
            else:
                self._try((*keys, key), check_type, variables[key], given)
        return Variant(name, values, about, keys)

    def _defaults(self, name: str, value: Any) -> tuple[Given, ...]:
        keys: Keys = ("defaults", name)
        if not isinstance(value, str):
            self._fault("a default is text", keys, 'conv = "half nobias"')
            return ()
        return self._try(keys, parse_arguments, value) or ()

    def _block(self, name: str, keys: Keys, body: dict[str, Any]) -> Block:
        if name and not _NAME.fullmatch(name):
            self._fault(f"`{name}` is no block name", keys, "lower case letters, digits and _", -1)
        if name:
            self._know(keys, body, ("args", *BODY))
        joins = [key for key in JOINS if key in body]
        if ("layers" in body) + len(joins) != 1:
            self._explain_body(name, keys, body, joins)
        then = self._lines((*keys, "then"), body["then"]) if "then" in body else ()
        if joins:
            branches = self._branches((*keys, joins[0]), body[joins[0]])
        else:
            branches = (Branch("", self._lines((*keys, "layers"), body.get("layers", "relu"))),)
        lines = [line for branch in branches for line in branch.lines] + list(then)
        rest = any(g.name == "..." for line in lines for step in line.steps for g in step.arguments)
        parameters = self._parameters((*keys, "args"), body.get("args", ""))
        return Block(name, keys, parameters, joins[0] if joins else "", branches, then, rest)

    def _explain_body(self, name: str, keys: Keys, body: dict[str, Any], joins: list[str]) -> None:
        what = f"block `{name}`" if name else "the network"
        if "layers" in body and joins:
            self._fault(
                f"{what} has both `layers` and `{joins[0]}`",
                (*keys, "layers"),
                "top-level keys stand before the first [table], or TOML puts them inside it; "
                "a joined block goes on with `then`",
                -1,
            )
        elif joins:
            self._fault(f"{what} has both `{joins[0]}` and `{joins[1]}`", (*keys, joins[1]), start=-1)
        else:
            ways = 'layers = ["conv 64 k3", …], or branches: concat.left = "conv 64", concat.right = …'
            self._fault(f"{what} has no `layers`", keys, ways, -1)

    def _parameters(self, keys: Keys, value: Any) -> tuple[Parameter, ...]:
        if not isinstance(value, str):
            self._fault("`args` must be text", keys, 'args = "channels_out s=2"')
            return ()
        parameters = self._try(keys, parse_parameters, value) or ()
        for p in parameters:
            if keyword.iskeyword(p.name) or p.name in (*FUNCTIONS, *CONSTANTS, "channels"):
                self._fault(f"`{p.name}` is a word of the language", keys, f"try `{p.name}_`", p.start)
        return tuple(parameters)

    def _branches(self, keys: Keys, value: Any) -> tuple[Branch, ...]:
        help = f'{keys[-1]}.left = "conv 64", {keys[-1]}.right = "conv 64 k3 half"'
        if not isinstance(value, dict):
            self._fault(f"`{keys[-1]}` needs named branches", keys, help)
            return ()
        branches = []
        for name, lines in value.items():
            if not _VARIANT_NAME.fullmatch(name):
                self._fault(f"`{name}` is no branch name", (*keys, name), help, -1)
            branches.append(Branch(name, self._lines((*keys, name), lines)))
        return tuple(branches)

    def _lines(self, keys: Keys, value: Any) -> tuple[Line, ...]:
        items = [(keys, value)] if isinstance(value, str) else []
        if isinstance(value, list):
            items = [((*keys, i), item) for i, item in enumerate(value)]
        if not items:
            self._fault(
                f"`{keys[-1]}` must hold layers", keys, 'a line "conv 64 | relu", or a list of lines'
            )
        lines = []
        for place, item in items:
            if not isinstance(item, str):
                self._fault("a line must be text", place, '"conv 64 k3 | relu"')
                continue
            line = self._try(place, parse_line, item, place)
            if line is not None:
                lines.append(line)
        return tuple(lines)


def parse_input(text: str) -> tuple[Size, ...]:
    """'224x224x3' or '{size}x{size}x3' as three sizes.

    Raises:
        ArchError: not three sizes.
    """
    found = _INPUT.fullmatch(text.replace("×", "x"))
    if found is None:
        help = "height x width x channels, as in 224x224x3"
        raise ArchError(Diagnostic(f"`{text}` is no input size", Span((), 0, len(text)), help=help))
    return tuple(read_size(Token(found[i], found.start(i))) for i in (1, 2, 3))


def check_type(variable: Variable, value: Any) -> Value:
    """`value` if it is of the type of the variable's default and among its choices.

    Raises:
        ArchError: it is not.
    """
    default = variable.default
    fits = type(value) is type(default) or (
        hasattr(default, "numerator") and not isinstance(default, bool | int) and type(value) is int
    )
    if (
        type(default) is int
        and variable.name
        and hasattr(value, "numerator")
        and type(value) is not bool
    ):
        fits = type(value) is int
    if not fits:
        raise ArchError(Diagnostic(f"`{variable.name}` must be {kind_of(default)}, not `{value}`"))
    if variable.choices and value not in variable.choices:
        known = ", ".join(map(str, variable.choices))
        help = suggestion(str(value), variable.choices) or f"choices: {known}"
        raise ArchError(Diagnostic(f"`{variable.name}` cannot be `{value}`", help=help))
    checked: Value = value
    return checked


def kind_of(value: Value) -> str:
    """The type of a variable in words."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a number"


def _expressions(block: Block) -> Iterator[tuple[Expression, Span, bool]]:
    """Every expression of a block, its place, and whether it decides structure."""
    for parameter in block.parameters:
        if isinstance(parameter.default, Expression):
            yield parameter.default, Span((*block.keys, "args")), False
    for line in (*(line for branch in block.branches for line in branch.lines), *block.then):
        for value, structural in ((line.condition, True), (line.repeat, True)):
            if isinstance(value, Expression):
                yield value, line.span(), structural
        for step in line.steps:
            if isinstance(step.name, Expression):
                yield step.name, line.span(), True
            for given in step.arguments:
                if isinstance(given.value, Expression):
                    yield given.value, line.span(), False


def _structural_names(blocks: list[Block]) -> Iterator[str]:
    for block in blocks:
        for expression, _, structural in _expressions(block):
            if structural:
                yield from expression.names


def _check_names(spec: Spec) -> Iterator[Diagnostic]:
    """Names that nothing defines, and variables that no text mentions."""
    used: set[str] = set()
    texts = [
        (block, e, span)
        for block in (spec.body, *spec.blocks.values())
        for e, span, _ in _expressions(block)
    ]
    for size in (spec.input, *(v.about.get("input", ()) for v in spec.variants.values())):
        texts += [(spec.body, e, Span(("input",))) for e in size if isinstance(e, Expression)]
    for name, arguments in spec.defaults.items():
        values = [g.value for g in arguments if isinstance(g.value, Expression)]
        texts += [(spec.body, e, Span(("defaults", name))) for e in values]
    for block, expression, span in texts:
        own = {p.name for p in block.parameters}
        known = {*spec.variables, *own, "channels", *CONSTANTS}
        used |= expression.names
        for name in sorted(expression.names - known):
            at = expression.start + max(expression.text.find(name), 0)
            help = suggestion(name, known) or f"known here: {', '.join(sorted(known - set(CONSTANTS)))}"
            place = Span(span.keys, at, at + len(name))
            yield Diagnostic(f"unknown variable `{name}`", place, help=help)
    for name, variable in spec.variables.items():
        if name not in used:
            help = "use it between braces, or take it away"
            yield Diagnostic(
                f"no text mentions the variable `{name}`", Span(variable.keys, -1), help=help
            )
