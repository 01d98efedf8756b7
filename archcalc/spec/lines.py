"""One line of a spec, cut into label, count and steps, every piece with its place.

["if" EXPR ":"] ["output"] [LABEL " = "] [COUNT " x "] step ("|" step)*
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from archcalc.errors import ArchError, Diagnostic, Keys, Span, shown
from archcalc.spec.expressions import LARGEST, Expression, parse
from archcalc.spec.model import Given, Line, Parameter, Size, Step

_BRACES = r"""\{(?>(?:[^{}'"]++|'[^']*'|"[^"]*")*)\}"""
_TOKEN = re.compile(rf"(?>(?:[^\s|{{}}]++|{_BRACES})+)|\|")
_SPACE = re.compile(r"\s*")
_CONDITION = re.compile(r"""(?>(?:[^:'"]++|'[^']*'|"[^"]*")*)""")
_LABEL = re.compile(r"(output\s+)?([^\s=|{}@]+)\s+=(?=\s)")
_LABEL_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SIZE = re.compile(rf"([0-9]+)(?:x([0-9]+))?|({_BRACES})")
_GLUED = re.compile(rf"([a-z])([0-9]+(?:x[0-9]+)?|{_BRACES})")
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_]*)=(.*)", re.DOTALL)

MOST_WORDS = 10_000  # of a step
_LABEL_HELP = "labels are letters, digits and `_` `.` `-`"
_DIMENSIONS = ("1d", "2d", "3d")
VOLUMES = "sizes are height x width x channels: there are no volumes, and 1-D is a height of 1"
GRAMMAR_WORDS = frozenset({"in", "if", "output", "x"})


class Token(NamedTuple):
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse_line(text: str, keys: Keys) -> Line:
    """The line `text`, whose value stands at `keys` of the TOML.

    Raises:
        ArchError: with the place in the line.
    """
    condition, at = _read_condition(text)
    output, label, label_at, at = _read_label(text, at)
    tokens = _tokens(text, at)
    first = list(islice(tokens, 2))
    repeat: Size = 1
    repeat_at = (0, 0)
    if len(first) > 1 and first[1].text == "x" and _SIZE.fullmatch(first[0].text):
        repeat, repeat_at = read_size(first[0]), (first[0].start, first[0].end)
        first = []
    steps = _read_steps(chain(first, tokens), len(text))
    return Line(keys, steps, condition, output, label, label_at, repeat, repeat_at)


def _read_condition(text: str) -> tuple[Expression | None, int]:
    """The expression of a leading `if`, and where the line goes on."""
    at = _skip(text, 0)
    if not re.match(r"if\b", text[at : at + 3]):
        return None, at
    begin = at + 2
    body = _CONDITION.match(text, begin)
    assert body is not None
    if re.match(r"\s*=\s", text[begin:]):
        return None, at  # a label, which will be refused
    if body.end() < len(text) and text[body.end()] != ":":
        raise _fault("an unclosed quote", body.end(), body.end() + 1, "as in `if act == 'relu': bn`")
    if body.end() == len(text):
        raise _fault("an `if` without `:`", at, begin, "write `if n > 1: conv 64`")
    return parse(body[0], begin), body.end() + 1


def _read_label(text: str, at: int) -> tuple[bool, str, tuple[int, int], int]:
    at = _skip(text, at)
    found = _LABEL.match(text, at)
    if found is None:
        if re.match(r"output(\s|$)", text[at : at + 7]):
            raise _fault("an `output` without a label", at, at + 6, "write `output NAME = …`")
        return False, "", (0, 0), at
    label, place = found[2], found.span(2)
    if not _LABEL_NAME.fullmatch(label):
        raise _fault(f"`{shown(label)}` is no label", *place, _LABEL_HELP)
    if label.isdecimal():
        raise _fault(f"the label `{shown(label)}` is a number", *place, f"try `l{shown(label)}`")
    if label in GRAMMAR_WORDS:
        help = "write `output NAME = …`" if label == "output" else f"try `{label}_`"
        raise _fault(f"`{label}` is a word of the language, no label", *place, help)
    return found[1] is not None, label, place, found.end()


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _tokens(text: str, at: int) -> Iterator[Token]:
    at = _skip(text, at)
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            what = "an unclosed `{`" if text[at] == "{" else f"a stray `{text[at]}`"
            inside = text[at + 1 : max(text.find("}", at), at)]
            if text[at] == "{" and inside and "{" not in inside:
                what = "an unclosed quote in an expression"
            help = "an expression stands between `{` and `}`, without braces inside"
            raise _fault(what, at, at + 1, help)
        yield Token(found[0], at)
        at = _skip(text, found.end())


def _read_steps(tokens: Iterable[Token], end: int) -> tuple[Step, ...]:
    steps: list[Step] = []
    words: list[Token] = []
    for token in chain(tokens, [Token("|", end)]):
        if token.text != "|":
            words.append(_counted(token, len(words)))
            continue
        if not words:
            message = "an empty step" if steps or token.start < end else "an empty line"
            at = max(min(token.start, end - 1), 0)
            raise _fault(message, at, at + 1, "write an operator, a block or `@label`")
        steps.append(_read_step(words))
        words = []
    return tuple(steps)


def _counted(token: Token, before: int) -> Token:
    """The token, if there are not too many before it."""
    if before > MOST_WORDS:
        raise _fault(f"more than {MOST_WORDS:,} arguments", token.start, token.end)
    return token


def _read_step(tokens: list[Token]) -> Step:
    head, rest = tokens[0], tokens[1:]
    if head.text == "if":
        help = "give it a line of its own: `if n > 1: relu` goes on from the line before"
        raise _fault("an `if` inside a chain: it stands first in its line", head.start, head.end, help)
    if head.text.startswith("@"):
        if rest:
            help = "put `|` between steps"
            if rest[0].text == "=":
                help = f"a label is set without the @: `{shown(head.text[1:])} = …`"
            raise _fault("`@label` takes no arguments", rest[0].start, rest[-1].end, help)
        return Step("@", (), head.start, head.end, _reference(head))
    name: str | Expression
    if head.text.startswith("{") and head.text.endswith("}"):
        name = _expression(head)
    elif _NAME.fullmatch(head.text):
        name = head.text
    else:
        raise _fault(f"`{shown(head.text)}` is no step", head.start, head.end, _step_help(head.text))
    arguments = tuple(_read_argument(token) for token in rest)
    _refuse_twice(arguments)
    return Step(name, arguments, head.start, head.end)


def _step_help(text: str) -> str:
    if counted := re.fullmatch(rf"([0-9]+|{_BRACES})[xX×*]?", text):
        return f"a repeat has spaces around its x: `{shown(counted[1])} x conv 64`"
    if text.lower() in _DIMENSIONS:
        return VOLUMES
    if "=" in text:
        label, _, step = text.partition("=")
        return f"put spaces around the =: `{shown(label)} = {shown(step) or '…'}`"
    if text.lower() != text and _NAME.fullmatch(text.lower()):
        return f"names are lower case: `{shown(text.lower())}`"
    if text.endswith("}") and _NAME.match(text):
        return "put a space before the `{`"
    return "a step is an operator or a block with its arguments, or `@label`"


def _read_argument(token: Token) -> Given:
    text, start, end = token.text, token.start, token.end
    if text == "...":
        return Given("...", True, start, end)
    if text.startswith("@"):
        return Given("@", _reference(token), start, end)
    if _SIZE.fullmatch(text):
        return Given("", read_size(token), start, end)
    if glued := _GLUED.fullmatch(text):
        return Given(glued[1], read_size(Token(glued[2], start + 1)), start, end)
    if _NAME.fullmatch(text):
        return Given(text, True, start, end)
    if named := _NAMED.fullmatch(text):
        name, value = named[1], Token(named[2], start + named.start(2))
        if len(name) == 1:
            message = f"write `{name}{shown(value.text) or '3'}`, not `{shown(text)}`"
            raise _fault(message, start, end, "one-letter arguments are glued to their size")
        if _SIZE.fullmatch(value.text):
            return Given(name, read_size(value), start, end)
        if _NAME.fullmatch(value.text):
            return Given(name, {"true": True, "false": False}.get(value.text, value.text), start, end)
    raise _fault(f"`{shown(text)}` is no argument", start, end, _argument_help(text))


def _argument_help(text: str) -> str:
    if text.startswith("="):
        return "a label has spaces around its =: `a = conv 64`; an argument has none: `from=3`"
    if text.lower() in _DIMENSIONS:
        return VOLUMES
    if text.endswith(",") and len(text) > 1:
        return "blanks stand between arguments, no commas"
    if text.lower() != text:
        return f"names are lower case: `{shown(text.lower())}`"
    if re.fullmatch(r"[a-z]?[-+]?[0-9]*\.?[0-9]+", text):
        return "a size is a positive integer, or an expression that gives one: `{n//2}`"
    if decimal := re.fullmatch(r"([a-z_]+=)([0-9]*\.[0-9]+)", text):
        return f"a decimal stands in braces: `{decimal[1]}{{{decimal[2]}}}`"
    return "an argument is a size (64, 1x7, {n}), k3, word=size, a flag, or @label"


def _refuse_twice(arguments: tuple[Given, ...]) -> None:
    seen: dict[str, Given] = {}
    for given in arguments:
        if given.name in ("", "@"):
            continue
        if given.name in seen:
            pair = given.name in ("k", "s", "p", "d")
            help = f"height and width go together: `{given.name}1x7`" if pair else "keep one of them"
            raise _fault(f"`{shown(given.name)}` is given twice", given.start, given.end, help)
        seen[given.name] = given


def read_size(token: Token) -> Size:
    """INT, INTxINT or an expression in braces.

    Raises:
        ArchError: a number beyond 64 bits, or not an expression.
    """
    found = _SIZE.fullmatch(token.text)
    assert found is not None
    if found[3]:
        return _expression(token)
    sizes = [found[1]] if found[2] is None else [found[1], found[2]]
    if any(len(size) > 19 or int(size) > LARGEST for size in sizes):
        raise _fault("a number beyond 64 bits", token.start, token.end)
    return int(sizes[0]) if len(sizes) == 1 else (int(sizes[0]), int(sizes[1]))


def _expression(token: Token) -> Expression:
    return parse(token.text[1:-1], token.start + 1)


def _reference(token: Token) -> str:
    label = token.text[1:]
    if not _LABEL_NAME.fullmatch(label):
        raise _fault(f"`{shown(token.text)}` names no label", token.start, token.end, _LABEL_HELP)
    return label


def parse_arguments(text: str) -> tuple[Given, ...]:
    """The arguments alone, as a default of an operator gives them: 'half nobias={not bias}'."""
    tokens = _tokens(text, 0)
    arguments = tuple(_read_argument(_counted(token, i)) for i, token in enumerate(tokens))
    _refuse_twice(arguments)
    for given in arguments:
        if given.name in ("", "@", "..."):
            help = "as in `half nobias`; required arguments stand in each call"
            raise _fault("a default is an optional argument or a flag", given.start, given.end, help)
    return arguments


def parse_parameters(text: str) -> tuple[Parameter, ...]:
    """A block's arguments: 'c n s=2 r={channels}'.

    Raises:
        ArchError: no such list, with the place.
    """
    parameters: list[Parameter] = []
    seen: set[str] = set()
    for token in _tokens(text, 0):
        _counted(token, len(seen))
        name, equals, value = token.text.partition("=")
        if not _NAME.fullmatch(name):
            help = "lower case letters, digits and _; blanks between arguments, no commas"
            raise _fault(f"`{shown(name)}` is no argument name", token.start, token.end, help)
        if name in seen:
            raise _fault(f"`{shown(name)}` is there twice", token.start, token.end)
        seen.add(name)
        if not equals and parameters and not parameters[-1].required:
            message = f"`{shown(name)}` has no default but follows one that has"
            raise _fault(message, token.start, token.end, "required arguments come first")
        default = _default(Token(value, token.start + len(name) + 1)) if equals else None
        parameters.append(Parameter(name, default, token.start, token.end))
    return tuple(parameters)


def _default(token: Token) -> Size:
    if _SIZE.fullmatch(token.text):
        return read_size(token)
    if _NAME.fullmatch(token.text):
        return {"true": True, "false": False}.get(token.text, token.text)
    help = "a default is a size, a word, or an expression in braces: `s=2`, `r={channels}`"
    raise _fault(
        f"`{shown(token.text)}` is no default", token.start, max(token.end, token.start + 1), help
    )


def _fault(message: str, start: int, end: int, help: str = "") -> ArchError:
    return ArchError(Diagnostic(message, Span((), start, end), help=help))
