"""Read the variables of a spec, and check the values that they take."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from archcalc.errors import ArchError, Diagnostic, Keys, Span, listed, quoted, shown, suggestion
from archcalc.spec.expressions import ARRIVING, CONSTANTS, FUNCTIONS, LARGEST, PLAIN, Value
from archcalc.spec.mistakes import TOP_LEVEL, Mistakes
from archcalc.spec.model import Variable
from archcalc.spec.syntax import Unreadable

VARIABLE_KEYS = ("default", "help", "choices")
MOST_CHOICES = 100
DEEPEST = 3  # lists in lists
# the options of archcalc's own commands, which no variable may take
RESERVED = frozenset(
    """against align all allow-skips as attention batch best by census columns crops dask depth
    diff dtype ensemble epochs expand force format freeze git help identities image images init input
    jobs layout map maps max-flops max-macs max-multiplies max-params max-peak max-stored
    max-weights mean min-field min-output no-base no-browser off order output pareto plot points quantity
    quick resume sample save search seed set sort source stats std strict symbol taps theme time
    tolerance top training vary verify version weights where""".split()  # noqa: SIM905
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
BEYOND = "a number beyond 64 bits"
_KINDS = "values are integers, decimals (0.75), true, false, text, and lists of these"


def read_variable(mistakes: Mistakes, name: str, value: Any) -> Variable:
    """Read a variable from its entry in [vars]: a value, or a table with default, help and choices."""
    keys: Keys = ("vars", name)
    _check_name(mistakes, name, keys)
    if not isinstance(value, dict):
        for mistake in wrong(value, keys):
            mistakes.add(mistake)
        return Variable(name, value, "", (), keys)
    mistakes.check_keys(keys, value, VARIABLE_KEYS)
    if "default" not in value:
        mistakes.fault(f"`{shown(name)}` has no default", keys, f"{shown(name)} = {{ default = 1 }}")
    help = value.get("help", "")
    if not isinstance(help, str):
        mistakes.fault("`help` must be text", (*keys, "help"))
    default = value.get("default", 0)
    faults = list(wrong(default, (*keys, "default")))
    for mistake in faults:
        mistakes.add(mistake)
    choices = () if faults else _choices(mistakes, name, default, value.get("choices", []))
    return Variable(name, default, str(help), choices, keys)


def _choices(mistakes: Mistakes, name: str, default: Value, choices: Any) -> tuple[Value, ...]:
    keys: Keys = ("vars", name, "choices")
    if not isinstance(choices, list):
        mistakes.fault("`choices` must be a list", keys, f"choices = [{shown(default)}, …]")
        return ()
    if len(choices) > MOST_CHOICES:
        mistakes.fault(f"{len(choices):,} choices", keys, f"{MOST_CHOICES} are the most")
        return ()
    for i, choice in enumerate(choices):
        for mistake in wrong(choice, (*keys, i)):
            mistakes.add(mistake)
            return ()
        if not fits(default, choice):
            message = f"the default is {kind_of(default)}, the choice `{quoted(choice)}` is not"
            mistakes.fault(message, (*keys, i))
            return ()
    if choices and default not in choices:
        message = f"the default of `{shown(name)}` is not among its choices"
        mistakes.fault(message, (*keys[:2], "default"), f"choices: {listed(choices)}")
    return tuple(choices)


def _check_name(mistakes: Mistakes, name: str, keys: Keys) -> None:
    taken = name in (*FUNCTIONS, *CONSTANTS, *ARRIVING) or keyword.iskeyword(name)
    if taken:
        mistakes.fault(f"`{name}` is a word of the language", keys, f"try `{name}_`", -1)
    elif not _NAME.fullmatch(name):
        help = "lower case letters, digits and _"
        mistakes.fault(f"`{shown(name)}` is no variable name", keys, help, -1)
    elif name.replace("_", "-") in RESERVED:
        help = TOP_LEVEL if name == "input" else f"try `{name}_`"
        mistakes.fault(f"`{name}` is an option of archcalc's own", keys, help, -1)


def wrong(value: Any, keys: Keys) -> Iterator[Diagnostic]:
    """Yield a mistake if a part of the value at `keys` is none that a variable can have."""
    lists: list[tuple[list[Any], Keys]] = [([value], keys[:-1])]
    for depth in range(DEEPEST + 1):
        inner: list[tuple[list[Any], Keys]] = []
        for items, place in lists:
            for i, item in enumerate(items):
                if isinstance(item, list):
                    inner.append((item, (*place, i) if depth else keys))
                elif message := _wrong_alone(item):
                    span = Span((*place, i) if depth else keys)
                    yield Diagnostic(message, span, help=_help(message))
                    return
        lists = inner
    if lists:
        yield Diagnostic(
            "lists nested too deeply", Span(keys), help="a list of lists of lists is the most"
        )


def _wrong_alone(value: Any) -> str:
    if isinstance(value, str):
        return ""
    if isinstance(value, Unreadable):
        return BEYOND if len(value.text) > 4000 else f"`{shown(value.text)}` is no plain decimal"
    if not hasattr(value, "numerator"):
        return f"`{shown(value)}` is no value of a variable"
    beyond = abs(value.numerator) > LARGEST or value.denominator > LARGEST
    return BEYOND if beyond else ""


def _help(message: str) -> str:
    if message == BEYOND:
        return f"the largest is {LARGEST}"
    return PLAIN if message.endswith("decimal") else _KINDS


def check_type(variable: Variable, value: Any) -> Value:
    """Return `value` if it has the type of the variable's default and is among its choices.

    Raises:
        ArchError: the value has another type, or is none of the choices.
    """
    name = shown(variable.name)
    for mistake in wrong(value, ()):
        beyond = mistake.message == BEYOND
        message = f"`{name}` goes beyond 64 bits" if beyond else f"`{name}`: {mistake.message}"
        raise ArchError(Diagnostic(message, help=mistake.help))
    if not fits(variable.default, value):
        message = f"`{name}` must be {kind_of(variable.default)}, not `{quoted(value)}`"
        raise ArchError(Diagnostic(message))
    if variable.choices and value not in variable.choices:
        help = suggestion(str(value), variable.choices) or f"choices: {listed(variable.choices)}"
        raise ArchError(Diagnostic(f"`{name}` cannot be `{shown(value)}`", help=help))
    checked: Value = value
    return checked


def fits(default: Value, value: Any) -> bool:
    """Return whether a value has the type of the default; an integer is also a decimal."""
    if isinstance(default, list):
        if not isinstance(value, list):
            return False
        return not default or all(fits(default[0], item) or _alike(default, item) for item in value)
    if isinstance(default, bool | int | str):
        return type(value) is type(default)
    return hasattr(value, "numerator") and not isinstance(value, bool)


def _alike(items: list[Any], value: Any) -> bool:
    """Return whether a value has the type of an item other than the first."""
    return any(fits(item, value) for item in items[1:])


def kind_of(value: Value) -> str:
    """Return the type of a variable in words."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return f"a list like {shown(value)}" if value else "a list"
    return "a number"
