"""Arguments as given → arguments as declared, for operators and blocks alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from archcalc.errors import ArchError, Diagnostic, Span, suggestion
from archcalc.operators.model import Operator

PADDINGS = ("p", "half", "same")
# what people write in other tools, and what it is here
SYNONYMS = {
    "valid": "no padding is the default: leave `valid` out",
    "stride": "write `s2`",
    "strides": "write `s2`",
    "kernel": "write `k3`",
    "size": "write `k3`",
    "pad": "write `p1`, `half` or `same`",
    "padding": "write `p1`, `half` or `same`",
    "dilation": "write `d2`",
    "groups": "write `g32`",
    "bias": "a bias is the default; `nobias` takes it away",
    "depthwise": "write `g{channels}`",
}


class Declared(Protocol):
    """What an operator's argument and a block's parameter have in common."""

    @property
    def name(self) -> str: ...
    @property
    def required(self) -> bool: ...


class Bound(NamedTuple):
    """An evaluated argument. `name` is '' for a positional one."""

    name: str
    value: Any
    span: Span


def bind(
    what: str, declared: Sequence[Declared], given: Sequence[Bound], step: Span
) -> tuple[dict[str, Bound], list[Bound]]:
    """The given arguments by name, and those of an unknown name.

    Raises:
        ArchError: required arguments missing or too many, or one given twice.
    """
    required = [d.name for d in declared if d.required]
    positional = [g for g in given if not g.name]
    if len(positional) != len(required):
        raise _miscounted(what, declared, required, positional, step)
    bound = dict(zip(required, positional, strict=True))
    known = {d.name for d in declared}
    surplus = []
    for argument in (g for g in given if g.name):
        if argument.name in required:
            message = f"`{argument.name}` of `{what}` has no name in a call"
            help = f"required arguments are positional: `{what} {' '.join(required)}`"
            raise ArchError(Diagnostic(message, argument.span, help=help))
        if argument.name in bound:
            raise ArchError(Diagnostic(f"`{argument.name}` is given twice", argument.span))
        if argument.name in known:
            bound[argument.name] = argument
        else:
            surplus.append(argument)
    return bound, surplus


def usage(what: str, declared: Sequence[Any]) -> str:
    """How a step is written: '`conv filters k=1 s=1 …`'."""
    return f"`{' '.join([what, *(getattr(d, 'usage', d.name) for d in declared)])}`"


def _miscounted(
    what: str, declared: Sequence[Declared], required: list[str], given: list[Bound], step: Span
) -> ArchError:
    names = f" ({' '.join(required)})" if required else ""
    count = f"{len(required) or 'no'} argument{'' if len(required) == 1 else 's'}{names}"
    message = f"`{what}` takes {count}, not {len(given)}"
    help = f"write {usage(what, declared)}"
    surplus = given[len(required) :]
    if surplus:
        if what in ("conv", "deconv") and len(surplus) == 1 and isinstance(surplus[0].value, int):
            help = f"for a kernel of {surplus[0].value} write `k{surplus[0].value}`"
        return ArchError(Diagnostic(message, surplus[0].span, help=help))
    return ArchError(Diagnostic(message, step, help=help))


def unknown_argument(what: str, declared: Sequence[Declared], argument: Bound) -> ArchError:
    """The error for a named argument that nobody declares."""
    known = [d.name for d in declared]
    help = SYNONYMS.get(argument.name) if argument.name not in known else None
    help = (
        help
        or suggestion(argument.name, [k for k in known if len(k) > 1])
        or f"write {usage(what, declared)}"
    )
    return ArchError(Diagnostic(f"`{what}` has no argument `{argument.name}`", argument.span, help=help))


def operator_values(
    cls: type[Operator], bound: dict[str, Bound], defaults: list[Bound]
) -> dict[str, Bound]:
    """The step's arguments over the file's defaults: a padding of the step replaces the default's.

    Raises:
        ArchError: two ways of padding at once, or a word where a size stands.
    """
    kinds = {a.name: a.kind for a in cls.arguments}
    for name, argument in bound.items():
        if argument.value is True and kinds[name] != "flag":
            example = f"`{name}3`" if len(name) == 1 else f"`{name}={{…}}`"
            raise ArchError(
                Diagnostic(f"`{name}` needs a value", argument.span, help=f"as in {example}")
            )
    padded = any(name in bound for name in PADDINGS)
    merged = {d.name: d for d in defaults if not (padded and d.name in PADDINGS)}
    merged.update(bound)
    ways = [merged[name] for name in PADDINGS if name in merged and merged[name].value is not False]
    if len(ways) > 1:
        message = f"`{ways[0].name}` and `{ways[1].name}` are two ways to pad"
        raise ArchError(Diagnostic(message, ways[1].span, help="keep one of them"))
    return merged
