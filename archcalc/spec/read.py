"""Read TOML text into a Spec. All mistakes of the text are collected and raised at once."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic, Keys, Span, SpecError, listed, shown, suggestion
from archcalc.spec import inline
from archcalc.spec.arguments import parse_arguments, parse_parameters
from archcalc.spec.expressions import ARRIVING, CONSTANTS, FUNCTIONS
from archcalc.spec.lines import parse_line
from archcalc.spec.misplaced import TABLES, lifted
from archcalc.spec.mistakes import Mistakes, TooManyMistakesError
from archcalc.spec.model import (
    INPUT,
    JOINS,
    Block,
    Branch,
    Given,
    Limit,
    Line,
    Parameter,
    Size,
    Source,
    Spec,
    Variable,
    Variant,
)
from archcalc.spec.names import structural_names, unknown_names, unused_variables
from archcalc.spec.settings import show_value, split_values
from archcalc.spec.syntax import parse
from archcalc.spec.tokens import GRAMMAR_WORDS, LABEL_HELP, LABEL_NAME, VOLUMES, Lexeme, read_size
from archcalc.spec.variables import RESERVED as RESERVED
from archcalc.spec.variables import check_type, read_variable, wrong

ABOUT = ("title", "paper", "year")
BODY = ("layers", *JOINS, "then")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PIECE = r"""(\{(?>(?:[^{}'"]++|'[^']*+'|"[^"]*+")*)\}|[0-9]+)"""
_INPUT = re.compile(rf"\s*{_PIECE}(?:\s*x\s*{_PIECE}){{1,3}}\s*")
_SIDE = re.compile(_PIECE)
_VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def read(source: Source) -> Spec:
    """Read the spec in `source`.

    Raises:
        SpecError: all mistakes found, each at its place.
    """
    reader = _Reader(source)
    try:
        with garbage.paused():
            spec = reader.spec(inline.document(source.text) if source.inline else parse(source))
    except TooManyMistakesError:
        pass
    if reader.mistakes.found:
        raise SpecError(*reader.mistakes.found, source=source)
    return spec


class _Reader:
    """Reads a document, and collects its mistakes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes = Mistakes()
        self.unclear: set[str] = set()  # blocks whose arguments could not be read

    def spec(self, document: dict[str, Any]) -> Spec:
        document = lifted(document, self.mistakes)
        known = (*ABOUT, "input", *BODY, *TABLES)
        document = self.mistakes.check_keys((), document, known, meant=("input", "layers"))
        tables = {name: self.mistakes.table((name,), document.get(name, {})) for name in TABLES}
        variables = {k: read_variable(self.mistakes, k, v) for k, v in tables["vars"].items()}
        blocks = {name: self._block(name, body) for name, body in tables["block"].items()}
        body = self._network({k: v for k, v in document.items() if k in BODY})
        spec = Spec(
            source=self.source,
            about=self._about((), document),
            inputs=self._inputs(document, tables["inputs"]),
            body=body,
            blocks=blocks,
            variables=variables,
            variants={k: self._variant(k, v, variables) for k, v in tables["variants"].items()},
            defaults={k: self._defaults(k, v) for k, v in tables["defaults"].items()},
            budget=tuple(self._budget("", ("budget",), tables["budget"])),
            freeze=self._freeze(tables["train"]),
            structural=structural_names([body, *blocks.values()]),
            space={k: self._varied(k, v, variables) for k, v in tables["space"].items()},
        )
        if isinstance(document.get("vars", {}), dict):
            self.mistakes.extend(unknown_names(spec, self.unclear))
        if not self.mistakes.found:  # a use that is misspelt would leave its variable unused
            self.mistakes.extend(unused_variables(spec))
        return spec

    def _about(self, keys: Keys, table: dict[str, Any]) -> dict[str, Any]:
        about = {}
        for key in ABOUT:
            if key in table:
                about[key] = value = table[key]
                if key == "year" and (type(value) is not int or not 0 < value < 10_000):
                    self.mistakes.fault("`year` must be a year, as in 2015", (*keys, key))
                elif key != "year" and not isinstance(value, str):
                    self.mistakes.fault(f"`{key}` must be text", (*keys, key))
        return about

    def _inputs(self, document: dict[str, Any], table: dict[str, Any]) -> dict[str, tuple[Size, ...]]:
        if not table:
            return {INPUT: self._input((INPUT,), document.get(INPUT))}
        if INPUT in document:
            help = "name each in [inputs]; the layers begin at the first"
            self.mistakes.fault("the network has both `input` and `[inputs]`", (INPUT,), help, -1)
        for name in table:
            help = f"try `{name}_`" if name in GRAMMAR_WORDS else LABEL_HELP
            if help != LABEL_HELP or not LABEL_NAME.fullmatch(name) or name.isdecimal():
                self.mistakes.fault(f"`{shown(name)}` is no label", ("inputs", name), help, -1)
        return {name: self._input(("inputs", name), size) for name, size in table.items()}

    def _input(self, keys: Keys, value: Any) -> tuple[Size, ...]:
        if value is None:
            help = 'write input = "224x224x3": height x width x channels'
            self.mistakes.add(Diagnostic("the network has no `input`", help=help))
        elif not isinstance(value, str):
            self.mistakes.fault("`input` must be text", keys, 'height x width x channels: "224x224x3"')
        else:
            sizes: tuple[Size, ...] | None = self.mistakes.attempt(keys, parse_input, value)
            if sizes is not None:
                return sizes
        return (1, 1, 1)

    def _variant(self, name: str, value: Any, variables: dict[str, Variable]) -> Variant:
        keys: Keys = ("variants", name)
        if not _VARIANT_NAME.fullmatch(name):
            help = "letters, digits and `_` `.` `-`"
            self.mistakes.fault(f"`{shown(name)}` is no variant name", keys, help, -1)
        table = self.mistakes.table(keys, value)
        about = self._about(keys, table)
        if "input" in table:
            about["input"] = self._input((*keys, "input"), table["input"])
        values = {k: v for k, v in table.items() if k not in (*ABOUT, "input")}
        for key, given in values.items():
            if key not in variables:
                help = suggestion(key, variables) or f"variables: {listed(variables) or 'none'}"
                self.mistakes.fault(f"unknown variable `{shown(key)}`", (*keys, key), help, -1)
            elif not any(True for _ in wrong(variables[key].default, ())):
                self.mistakes.attempt((*keys, key), check_type, variables[key], given)
        return Variant(name, values, about, keys)

    def _defaults(self, name: str, value: Any) -> tuple[Given, ...]:
        keys: Keys = ("defaults", name)
        if not isinstance(value, str):
            self.mistakes.fault("a default is text", keys, 'as in conv = "half nobias"')
            return ()
        return self.mistakes.attempt(keys, parse_arguments, value) or ()

    def _freeze(self, table: dict[str, Any]) -> tuple[str, ...]:
        value = self.mistakes.check_keys(("train",), table, ("freeze",)).get("freeze", [])
        patterns = [value] if isinstance(value, str) else value
        if isinstance(patterns, list) and all(isinstance(p, str) and p for p in patterns):
            return tuple(patterns)
        help = 'as in freeze = ["stage[1-3]", "*/bn*"]'
        self.mistakes.fault("`freeze` needs patterns of layers' paths", ("train", "freeze"), help)
        return ()

    def _budget(self, part: str, keys: Keys, table: dict[str, Any]) -> Iterator[Limit]:
        for name, value in table.items():
            if isinstance(value, dict) and not part:
                yield from self._budget(name, (*keys, name), value)
                continue
            for i, text in enumerate(value if isinstance(value, list) else [value]):
                place = (*keys, name, i) if isinstance(value, list) else (*keys, name)
                if isinstance(text, str | int) and not isinstance(text, bool):
                    yield Limit(name, str(text), part, place)
                else:
                    help = 'as in max-params = "5M", or a condition: where = "peak <= 512KiB"'
                    self.mistakes.fault("a budget is a number or text", place, help)

    def _varied(self, name: str, value: Any, variables: dict[str, Variable]) -> tuple[str, ...]:
        """Return the values and ranges of an entry of [space], as a command line has them."""
        keys: Keys = ("space", name)
        variable = name.partition("[")[0].strip()
        if variable not in (*variables, "input"):
            help = suggestion(variable, variables) or f"variables: {listed(variables) or 'none'}"
            self.mistakes.fault(f"unknown variable `{shown(variable)}`", keys, help, -1)
        if isinstance(value, str):
            return tuple(split_values(value))
        if isinstance(value, list) and value and not any(True for _ in wrong(value, keys)):
            return tuple(item if isinstance(item, str) else show_value(item) for item in value)
        help = f'{shown(name)} = "16:128:8", or a list of values'
        self.mistakes.fault(f"`{shown(name)}` needs values to vary over", keys, help)
        return ()

    def _network(self, body: dict[str, Any]) -> Block:
        joins = [key for key in JOINS if key in body]
        if not joins and "layers" not in body:
            help = 'write layers = ["conv 64 k3 | relu", …]'
            self.mistakes.add(Diagnostic("the network has no `layers`", help=help))
        return self._body("", (), body, joins)

    def _block(self, name: str, value: Any) -> Block:
        keys: Keys = ("block", name)
        body = self.mistakes.table(keys, value)
        if body is not value:
            self.unclear.add(name)
            body = {"layers": "relu"}
        if name in GRAMMAR_WORDS or keyword.iskeyword(name):
            self.mistakes.fault(f"`{name}` is a word of the language", keys, f"try `{name}_`", -1)
        elif not _NAME.fullmatch(name):
            help = "lower case letters, digits and _"
            self.mistakes.fault(f"`{shown(name)}` is no block name", keys, help, -1)
        self.mistakes.check_keys(keys, body, ("args", *BODY))
        joins = [key for key in JOINS if key in body]
        if not joins and "layers" not in body:
            ways = 'layers = ["conv 64 k3", …], or branches: concat.left = "conv 64", concat.right = …'
            self.mistakes.fault(f"the block `{shown(name)}` has no `layers`", keys, ways, -1)
        return self._body(name, keys, body, joins)

    def _body(self, name: str, keys: Keys, body: dict[str, Any], joins: list[str]) -> Block:
        bodies = [*(["layers"] if "layers" in body else []), *joins]
        if len(bodies) > 1:
            what = f"the block `{shown(name)}`" if keys else "the network"
            message = f"{what} has both `{bodies[0]}` and `{bodies[1]}`"
            help = "keep one; what follows a join goes into `then`"
            self.mistakes.fault(message, (*keys, bodies[1]), help, -1)
        then = self._lines((*keys, "then"), body["then"]) if "then" in body else ()
        if joins:
            branches = self._branches((*keys, joins[0]), body[joins[0]])
        else:
            branches = (Branch("", self._lines((*keys, "layers"), body.get("layers", "relu"))),)
        lines = [line for branch in branches for line in branch.lines] + list(then)
        rest = any(g.name == "..." for line in lines for step in line.steps for g in step.arguments)
        parameters = self._parameters(name, (*keys, "args"), body.get("args", ""))
        return Block(name, keys, parameters, joins[0] if joins else "", branches, then, rest)

    def _parameters(self, block: str, keys: Keys, value: Any) -> tuple[Parameter, ...]:
        parameters = None
        if isinstance(value, str):
            parameters = self.mistakes.attempt(keys, parse_parameters, value)
        else:
            self.mistakes.fault("`args` must be text", keys, 'as in args = "channels_out s=2"')
        if parameters is None:
            self.unclear.add(block)
            return ()
        for p in parameters:
            if keyword.iskeyword(p.name) or p.name in (*FUNCTIONS, *CONSTANTS, *ARRIVING):
                place = Span(keys, p.start, p.start + len(p.name))
                message = f"`{p.name}` is a word of the language"
                self.mistakes.add(Diagnostic(message, place, help=f"try `{p.name}_`"))
        return tuple(parameters)

    def _branches(self, keys: Keys, value: Any) -> tuple[Branch, ...]:
        help = f'{keys[-1]}.left = "conv 64", {keys[-1]}.right = "conv 64 k3 half"'
        if not isinstance(value, dict):
            self.mistakes.fault(f"`{keys[-1]}` needs named branches", keys, help)
            return ()
        branches = []
        for name, lines in value.items():
            if not _VARIANT_NAME.fullmatch(name):
                self.mistakes.fault(f"`{shown(name)}` is no branch name", (*keys, name), help, -1)
            branches.append(Branch(name, self._lines((*keys, name), lines)))
        return tuple(branches)

    def _lines(self, keys: Keys, value: Any) -> tuple[Line, ...]:
        items = [(keys, value)] if isinstance(value, str) else []
        if isinstance(value, list):
            items = [((*keys, i), item) for i, item in enumerate(value)]
        if not items:
            help = 'a line "conv 64 | relu", or a list of lines'
            self.mistakes.fault(f"`{shown(keys[-1])}` must hold layers", keys, help)
        lines = []
        for place, item in items:
            if not isinstance(item, str):
                self.mistakes.fault("a line must be text", place, '"conv 64 k3 | relu"')
                continue
            line = self.mistakes.attempt(place, parse_line, item, place)
            if line is not None:
                lines.append(line)
        return tuple(lines)


def parse_input(text: str) -> tuple[Size, ...]:
    """Parse an input, '224x224x3' or '{size}x{size}x3': one, two or three axes, then channels.

    Raises:
        ArchError: the text is no input size.
    """
    plain = text.replace("×", "x")
    if _INPUT.fullmatch(plain) is None:
        help = "height x width x channels, as in 224x224x3"
        help = VOLUMES if text.count("x") > 3 else help
        message = f"`{shown(text)}` is no input size"
        raise ArchError(Diagnostic(message, Span((), 0, len(text)), help=help))
    return tuple(read_size(Lexeme(found[1], found.start(1))) for found in _SIDE.finditer(plain))
