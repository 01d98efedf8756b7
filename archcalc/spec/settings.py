"""Determine the values of a spec's variables: defaults, then a variant's, then the user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchError, Diagnostic, UsageError, listed, shown, suggestion
from archcalc.spec.expressions import Value, decimal
from archcalc.spec.model import Spec, Variable
from archcalc.spec.syntax import Unreadable
from archcalc.spec.variables import check_type, kind_of
from archcalc.symbols import Symbol
from archcalc.units import parse_integer, printable

_BOOLEANS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def settle(spec: Spec, variant: str | None, given: Mapping[str, Any]) -> dict[str, Value]:
    """Return the value of every variable; `given` has texts as on a command line, or typed values.

    Raises:
        UsageError: a variable is unknown, or a value is not of its type.
    """
    values = {name: variable.default for name, variable in spec.variables.items()}
    if variant is not None:
        values.update(spec.variants[variant].values)
    for name, value in given.items():
        variable = spec.variables.get(name)
        if variable is None:
            raise unknown_variable(spec, name)
        values[name] = _convert(variable, value)
    return {name: _plain(value) for name, value in values.items()}


def unknown_variable(spec: Spec, name: str) -> UsageError:
    """Return the error of a name that no variable of the spec has."""
    known = listed(spec.variables) or "none"
    help = suggestion(name, spec.variables) or f"variables of {printable(spec.source.name)}: {known}"
    return UsageError(Diagnostic(f"unknown variable `{shown(name)}`", help=help))


def parse_value(variable: Variable, text: str) -> Value:
    """Parse text of a command line as a value of the variable's type: '3,4,23,3' for a list.

    Raises:
        UsageError: the text is not such a value.
    """
    try:
        return _parse(variable.default, text)
    except (ValueError, RecursionError):
        message = f"`{variable.name}` must be {kind_of(variable.default)}, not `{shown(text)}`"
        help = f"as in --{variable.name} {shown(show_value(variable.default))}"
        raise UsageError(Diagnostic(message, help=help)) from None


def show_value(value: Value) -> str:
    """Format a value as a user would type it: 3/4 → '0.75', True → 'true', [3, 4] → '3,4'."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        nested = any(isinstance(v, list) for v in value)
        return f"[{','.join(map(show_value, value))}]" if nested else ",".join(map(show_value, value))
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, Symbol):
        return str(value.value)
    return str(float(value))


def split_values(text: str) -> list[str]:
    """Split several values at their commas, except commas in brackets: '[2,2],[3,4]'."""
    pieces, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece.strip() for piece in pieces]


def _convert(variable: Variable, value: Any) -> Value:
    if isinstance(value, Symbol):
        return value
    if isinstance(value, str) and not isinstance(variable.default, str):
        value = parse_value(variable, value)
    try:
        return check_type(variable, _exact(value))
    except ArchError as error:
        raise UsageError(*error.diagnostics) from None


def _exact(value: Any, depth: int = 0) -> Any:
    """Return Python's floats as the decimals they are written as, and tuples as lists."""
    if isinstance(value, list | tuple) and depth < 9:
        return [_exact(item, depth + 1) for item in value]
    if isinstance(value, float):
        try:
            return decimal(repr(value))
        except ValueError:  # nan, inf, 1e300
            return Unreadable(repr(value))
    return value


def _plain(value: Value) -> Value:
    """Return the value with integers in place of whole decimals."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int | str | Symbol):
        return value
    return int(value) if value.denominator == 1 else value


def _parse(default: Value, text: str) -> Value:
    if isinstance(default, bool):
        if text.lower() not in _BOOLEANS:
            raise ValueError
        return _BOOLEANS[text.lower()]
    if isinstance(default, int):
        if not text.isascii():
            raise ValueError
        return parse_integer(text)
    if isinstance(default, str):
        return text
    if isinstance(default, list):
        return _parse_list(default, text)
    return decimal(text)


def _parse_list(default: list[Any], text: str) -> list[Any]:
    if any(isinstance(item, list) for item in default):
        import tomllib

        document = tomllib.loads(f"value = {text}", parse_float=decimal)
        if len(document) > 1 or not isinstance(document["value"], list):
            raise ValueError
        return document["value"]
    items = text.strip().removeprefix("[").removesuffix("]")
    return [
        _parse(default[0] if default else 0, item.strip()) for item in items.split(",") if item.strip()
    ]
