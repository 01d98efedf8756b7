"""Parse a line of a spec: its condition, label, count and steps, each with its place.

["if" EXPR ":"] ["output"] [LABEL " = "] [COUNT " x "] step ("|" ["if" EXPR ":"] step)*
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from archcalc.errors import Keys, shown
from archcalc.spec.arguments import read_argument, refuse_twice
from archcalc.spec.expressions import Expression, parse
from archcalc.spec.model import Line, Size, Step
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
    read_expression,
    read_reference,
    read_size,
    require_label,
    skip_space,
)

_CONDITION = re.compile(r"""(?>(?:[^:'"]++|'[^']*'|"[^"]*")*)""")
_LABEL = re.compile(r"(output\s+)?([^\s=|{}@]+)\s+=(?=\s)")


@lru_cache(maxsize=4096)  # while a text is typed, most lines stay the same
def parse_line(text: str, keys: Keys) -> Line:
    """Parse the line `text`, whose value is at `keys` in the TOML.

    Raises:
        ArchError: the line is malformed; the error has the place in the line.
    """
    condition, at = _read_condition(text, 0)
    output, label, label_at, at = _read_label(text, at)
    first = list(islice(cut_tokens(text, at), 2))
    repeat: Size = 1
    repeat_at = (0, 0)
    if len(first) > 1 and first[1].text == "x" and SIZE.fullmatch(first[0].text):
        repeat, repeat_at, at = read_size(first[0]), (first[0].start, first[0].end), first[1].end
    steps = tuple(_read_steps(text, at))
    return Line(keys, steps, condition, output, label, label_at, repeat, repeat_at)


def _read_condition(text: str, at: int) -> tuple[Expression | None, int]:
    """Return the expression of an `if` at this offset, and the offset where the line continues."""
    at = skip_space(text, at)
    if not re.match(r"if\b", text[at : at + 3]):
        return None, at
    begin = at + 2
    body = _CONDITION.match(text, begin)
    assert body is not None
    if re.match(r"\s*=\s", text[begin:]):
        return None, at  # a label, which will be refused
    if body.end() < len(text) and text[body.end()] != ":":
        raise fault("an unclosed quote", body.end(), body.end() + 1, "as in `if act == 'relu': bn`")
    if body.end() == len(text):
        raise fault("an `if` without `:`", at, begin, "write `if n > 1: conv 64`")
    return parse(body[0], begin), body.end() + 1


def _read_label(text: str, at: int) -> tuple[bool, str, tuple[int, int], int]:
    at = skip_space(text, at)
    found = _LABEL.match(text, at)
    if found is None:
        if re.match(r"output(\s|$)", text[at : at + 7]):
            raise fault("an `output` without a label", at, at + 6, "write `output NAME = …`")
        return False, "", (0, 0), at
    label, place = found[2], found.span(2)
    require_label(label, *place)
    return found[1] is not None, label, place, found.end()


def _read_steps(text: str, at: int) -> Iterator[Step]:
    """Yield the steps of a chain; an `if` before one guards that step only."""
    ended, first = False, True
    while not ended:
        condition, at = _read_condition(text, at)
        words: list[Lexeme] = []
        bar, ended = Lexeme("", len(text)), True
        for token in cut_tokens(text, at):
            if token.text == "|":
                bar, ended = token, False
                break
            words.append(counted(token, len(words)))
        if not words:
            message = "an empty line" if first and ended else "an empty step"
            place = max(min(bar.start, len(text) - 1), 0)
            raise fault(message, place, place + 1, "write an operator, a block or `@label`")
        yield _read_step(words)._replace(condition=condition)
        at, first = bar.end, False


def _read_step(tokens: list[Lexeme]) -> Step:
    head, rest = tokens[0], tokens[1:]
    if head.text.startswith("@"):
        if rest:
            help = "put `|` between steps"
            if rest[0].text == "=":
                help = f"a label is set without the @: `{shown(head.text[1:])} = …`"
            raise fault("`@label` takes no arguments", rest[0].start, rest[-1].end, help)
        return Step("@", (), head.start, head.end, read_reference(head))
    name: str | Expression
    if head.text.startswith("{") and head.text.endswith("}"):
        name = read_expression(head)
    elif NAME.fullmatch(head.text):
        name = head.text
    else:
        raise fault(f"`{shown(head.text)}` is no step", head.start, head.end, _step_help(head.text))
    arguments = tuple(read_argument(token) for token in rest)
    refuse_twice(arguments)
    return Step(name, arguments, head.start, head.end)


def _step_help(text: str) -> str:
    if counted := re.fullmatch(rf"([0-9]+|{BRACES})[xX×*]?", text):
        return f"a repeat has spaces around its x: `{shown(counted[1])} x conv 64`"
    if text.lower() in DIMENSIONS:
        return VOLUMES
    if "=" in text:
        label, _, step = text.partition("=")
        return f"put spaces around the =: `{shown(label)} = {shown(step) or '…'}`"
    if text.lower() != text and NAME.fullmatch(text.lower()):
        return f"names are lower case: `{shown(text.lower())}`"
    if text.endswith("}") and NAME.match(text):
        return "put a space before the `{`"
    return "a step is an operator or a block with its arguments, or `@label`"
