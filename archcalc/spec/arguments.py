"""Parse arguments as written: of a step, of an operator's defaults, and a block's parameters."""

from __future__ import annotations

import re
from functools import lru_cache

from archcalc.arithmetic import OPEN
from archcalc.errors import shown
from archcalc.spec.model import Given, Parameter, Size
from archcalc.spec.tokens import (
    BRACES,
    DIMENSIONS,
    NAME,
    SIZE,
    VOLUMES,
    Lexeme,
    counted,
    cut_tokens,
    fault,
    read_reference,
    read_size,
    require_label,
)

# these are compiled when they are needed, which is seldom
_SHAPE = r"(?:[0-9]+|_)(?:x(?:[0-9]+|_)){1,3}"
_COMPUTED = rf"([a-z]?)((?:[0-9]+|{BRACES})(?:x(?:[0-9]+|{BRACES}))+)"
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def read_argument(token: Lexeme) -> Given:
    """Parse one argument of a step."""
    text, start, end = token.text, token.start, token.end
    if text == "...":
        return Given("...", True, start, end)
    if text.startswith("@"):
        return Given("@", read_reference(token), start, end)
    if SIZE.fullmatch(text):
        return Given("", read_size(token), start, end)
    if "a" <= text[:1] <= "z" and SIZE.fullmatch(text, 1):
        return Given(text[0], read_size(Lexeme(text[1:], start + 1)), start, end)
    if NAME.fullmatch(text):
        return Given(text, True, start, end)
    if named := _NAMED.fullmatch(text):
        name, value = named[1], Lexeme(named[2], start + named.start(2))
        if len(name) == 1:
            message = f"write `{name}{shown(value.text) or '3'}`, not `{shown(text)}`"
            raise fault(message, start, end, "one-letter arguments are glued to their size")
        if SIZE.fullmatch(value.text):
            return Given(name, read_size(value), start, end)
        if NAME.fullmatch(value.text):
            return Given(name, {"true": True, "false": False}.get(value.text, value.text), start, end)
    if re.fullmatch(_SHAPE, text):
        return Given("", _read_shape(token), start, end)
    raise fault(f"`{shown(text)}` is no argument", start, end, _argument_help(text))


def _read_shape(token: Lexeme) -> tuple[int, ...]:
    """Parse a shape: an integer, or _ for an open size, along each axis."""
    sizes = [OPEN if n == "_" else read_size(Lexeme(n, token.start)) for n in token.text.split("x")]
    return tuple(size for size in sizes if isinstance(size, int))


def _argument_help(text: str) -> str:
    if text.startswith("="):
        return "a label has spaces around its =: `a = conv 64`; an argument has none: `from=3`"
    if text.lower() in DIMENSIONS:
        return VOLUMES
    if ":" in text:
        return "padding of two sides is before:after: `p0:1` along each axis, or `p0:1x1:1`"
    if len(text) < 200 and (computed := re.fullmatch(_COMPUTED, text)):
        sizes = ", ".join(size.strip("{}") for size in re.findall(rf"[0-9]+|{BRACES}", computed[2]))
        return (
            f"sizes of which one is computed stand in one list: `{shown(f'{computed[1]}{{[{sizes}]}}')}`"
        )
    if text.endswith(",") and len(text) > 1:
        return "blanks stand between arguments, no commas"
    if text.lower() != text:
        return f"names are lower case: `{shown(text.lower())}`"
    if re.fullmatch(r"[a-z]?[-+]?[0-9]*\.?[0-9]+", text):
        return "a size is a positive integer, or an expression that gives one: `{n//2}`"
    if number := re.fullmatch(
        r"([a-z_]+=)(-?(?:[0-9]{1,9}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:e-?[0-9])?)", text
    ):
        from decimal import Decimal

        what = "a negative number" if number[2].startswith("-") else "a decimal"
        return f"{what} stands in braces: `{number[1]}{{{Decimal(number[2]):f}}}`"
    return "an argument is a size (64, 1x7, {n}), k3, word=size, a flag, or @label"


def refuse_twice(arguments: tuple[Given, ...]) -> None:
    """Refuse two arguments of the same name.

    Raises:
        ArchError: there are two.
    """
    seen: dict[str, Given] = {}
    for given in arguments:
        if given.name in ("", "@"):
            continue
        if given.name in seen:
            pair = given.name in ("k", "s", "p", "d")
            help = f"height and width go together: `{given.name}1x7`" if pair else "keep one of them"
            raise fault(f"`{shown(given.name)}` is given twice", given.start, given.end, help)
        seen[given.name] = given


@lru_cache(maxsize=256)  # while a text is typed, most of them stay the same
def parse_arguments(text: str) -> tuple[Given, ...]:
    """Parse the default arguments of an operator: 'half nobias={not bias}'.

    Raises:
        ArchError: the text is no such list; the error has the place.
    """
    tokens = cut_tokens(text, 0)
    arguments = tuple(read_argument(counted(token, i)) for i, token in enumerate(tokens))
    refuse_twice(arguments)
    for given in arguments:
        if given.name in ("", "@", "..."):
            help = "as in `half nobias`; required arguments stand in each call"
            raise fault("a default is an optional argument or a flag", given.start, given.end, help)
    return arguments


@lru_cache(maxsize=1024)
def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """Parse the parameters of a block: 'c n @skip s=2 r={channels}'.

    Raises:
        ArchError: the text is no such list; the error has the place.
    """
    parameters: list[Parameter] = []
    seen: set[str] = set()
    for token in cut_tokens(text, 0):
        counted(token, len(seen))
        name, equals, value = token.text.partition("=")
        if name.startswith("@") and not equals:
            require_label(name[1:], token.start + 1, token.end)
        elif not NAME.fullmatch(name):
            help = "lower case letters, digits and _; blanks between arguments, no commas"
            raise fault(f"`{shown(name)}` is no argument name", token.start, token.end, help)
        if name in seen:
            raise fault(f"`{shown(name)}` is there twice", token.start, token.end)
        seen.add(name)
        late = parameters and not parameters[-1].required and not name.startswith("@")
        if not equals and late:
            message = f"`{shown(name)}` has no default but follows one that has"
            raise fault(message, token.start, token.end, "required arguments come first")
        default = _default(Lexeme(value, token.start + len(name) + 1)) if equals else None
        parameters.append(Parameter(name, default, token.start, token.end))
    return tuple(parameters)


def _default(token: Lexeme) -> Size:
    if SIZE.fullmatch(token.text):
        return read_size(token)
    if NAME.fullmatch(token.text):
        return {"true": True, "false": False}.get(token.text, token.text)
    help = "a default is a size, a word, or an expression in braces: `s=2`, `r={channels}`"
    raise fault(
        f"`{shown(token.text)}` is no default", token.start, max(token.end, token.start + 1), help
    )
