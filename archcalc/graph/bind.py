"""Bind the arguments of a call to those that an operator or a block declares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from archcalc.errors import ArchError, Diagnostic, Span, listed, shown, suggestion
from archcalc.operators import TABLE
from archcalc.operators.argument import Argument
from archcalc.spec.tokens import VOLUMES
from archcalc.tuples import NamedTuple

PADDINGS = ("p", "half", "same")
# arguments of other tools, and what to write instead
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
    "affine": "a scale and a shift are learned by default; `noscale noshift` takes them away",
    "bias": "a bias is the default; `nobias` takes it away",
    "nearest": "the nearest value is the default: leave `nearest` out",
    "mode": "write `bilinear` or `bicubic`; the nearest value is the default",
    "align_corners": "write `corners`",
    "trilinear": "write `bilinear`: linear along each axis that there is",
    "bidirectional": "write `both`",
    "num_layers": "write `layers=2`",
    "return_sequences": "all steps are the default; `last` keeps the state after the last",
    "is_causal": "write `causal`",
    "num_kv_heads": "write `kv=8`",
    "head_dim": "write `head=64`",
    "rope": "write `rotary`",
    "depthwise": "write `g{channels}`",
}


class Declared(Protocol):
    """An argument of an operator, or a parameter of a block."""

    @property
    def name(self) -> str: ...
    @property
    def required(self) -> bool: ...


class Bound(NamedTuple):
    """An evaluated argument; `name` is '' for a positional one, `read` are the variables it reads."""

    name: str
    value: Any
    span: Span
    read: frozenset[str] = frozenset()


def bind(
    what: str, declared: Sequence[Declared], given: Sequence[Bound], step: Span
) -> tuple[dict[str, Bound], list[Bound]]:
    """Return the given arguments by name, and those whose name is not declared.

    Raises:
        ArchError: required arguments are missing or too many, or an argument is given twice.
    """
    required = [d.name for d in declared if d.required]
    places = [d.name for d in declared if d.required or getattr(d, "positional", False)]
    named = [g for g in given if g.name]
    for argument in named:
        if argument.name in places:
            message = f"`{shown(argument.name)}` of `{shown(what)}` has no name in a call"
            help = f"required arguments are positional: {usage(what, declared)}"
            raise ArchError(Diagnostic(message, argument.span, help=help))
    positional = [g for g in given if not g.name]
    if not len(required) <= len(positional) <= len(places):
        raise _miscounted(what, declared, places, positional, step)
    bound = dict(zip(places, positional, strict=False))
    known = {d.name for d in declared}
    surplus = []
    for argument in named:
        if argument.name in bound:
            message = f"`{shown(argument.name)}` is given twice: in the block and by its `...`"
            help = "`...` stands for what the call gives beyond the block's `args`"
            raise ArchError(Diagnostic(message, argument.span, help=help))
        if argument.name in known:
            bound[argument.name] = argument
        else:
            surplus.append(argument)
    return bound, surplus


def usage(what: str, declared: Sequence[Declared]) -> str:
    """Return how a step is written: '`conv filters k=1 s=1 …`'."""
    words = islice((getattr(d, "usage", d.name) for d in declared), 20)
    return f"`{' '.join(map(shown, [what, *words]))}{' …' if len(declared) > 20 else ''}`"


def _miscounted(
    what: str, declared: Sequence[Declared], required: list[str], given: list[Bound], step: Span
) -> ArchError:
    plural = "" if len(required) == 1 else "s"
    count = f"{len(required)} argument{plural} ({listed(required)})" if required else "no arguments"
    message = f"`{shown(what)}` takes {count}, not {len(given)}"
    help = f"write {usage(what, declared)}"
    if len(given) < len(required):
        return ArchError(Diagnostic(message, step, help=help))
    surplus = given[len(required)]
    one = len(given) == len(required) + 1
    if one and what in ("conv", "deconv") and isinstance(surplus.value, int | tuple):
        size = shown(surplus.value)
        help = f"for a kernel of {size} write `k{size}`"
    return ArchError(Diagnostic(message, surplus.span, help=help))


def unknown_argument(what: str, declared: Sequence[Declared], argument: Bound) -> ArchError:
    """Return the error for a named argument that is not declared."""
    known = [d.name for d in declared]
    help = SYNONYMS.get(argument.name, "") if what in TABLE else ""
    if re.fullmatch(r"[a-z][0-9]+(x[0-9]+){3,}", argument.name):
        help = VOLUMES
    if not help and argument.value is True and argument.name in TABLE:
        help = f"put `|` between steps: `{shown(what)} … | {argument.name}`"
    help = (
        help
        or suggestion(argument.name, [k for k in known if len(k) > 1])
        or f"write {usage(what, declared)}"
    )
    message = f"`{shown(what)}` has no argument `{shown(argument.name)}`"
    return ArchError(Diagnostic(message, argument.span, help=help))


def require_values(declared: Sequence[Argument], bound: Mapping[str, Bound]) -> None:
    """Refuse an argument without its value: `conv 64 k`.

    Raises:
        ArchError: there is such an argument.
    """
    kinds = {a.name: a.kind for a in declared}
    for name, argument in bound.items():
        if argument.name and argument.value is True and kinds[name] != "flag":
            example = f"`{name}3`" if len(name) == 1 else f"`{name}={{…}}`"
            raise ArchError(
                Diagnostic(f"`{name}` needs a value", argument.span, help=f"as in {example}")
            )


def with_defaults(bound: dict[str, Bound], defaults: list[Bound]) -> dict[str, Bound]:
    """Return the file's defaults, replaced by the step's arguments; any padding replaces any other.

    Raises:
        ArchError: there are two ways of padding.
    """
    padded = any(name in bound for name in PADDINGS)
    merged = {d.name: d for d in defaults if not (padded and d.name in PADDINGS)}
    merged.update(bound)
    ways = [merged[name] for name in PADDINGS if name in merged and merged[name].value is not False]
    if len(ways) > 1:
        message = f"`{ways[0].name}` and `{ways[1].name}` are two ways to pad"
        later = max(ways[:2], key=lambda way: way.span.start)
        raise ArchError(Diagnostic(message, later.span, help="keep one of them"))
    return merged
