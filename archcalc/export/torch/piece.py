"""A layer as torch code: what its module is, how it is called, in which order of axes it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from archcalc.graph.model import Graph, Node
from archcalc.tuples import NamedTuple

Form = Literal["first", "last", "flat"]  # [n, c, …], [n, …, c], and [n, c] where there is one position
Change = Callable[[Any], Any]


class LayerCode(NamedTuple):
    """One layer in code.

    Args:
        form: of what it reads and makes; `made` where it makes another one.
        call: the expression: `{0}` is its first input, `{m}` the attribute of its module.
        modules: attributes by their suffix: '' is the layer's own. Numbers that may become arguments
            are written as `‹name:3›`.
        weights: of ours by name: the suffix of torch's key, and how the values are turned.
        needs: names of functions and classes of the prelude.
    """

    form: Form
    call: str
    modules: Mapping[str, str] = {}
    weights: Mapping[str, tuple[str, Change]] = {}
    made: Form | None = None
    needs: tuple[str, ...] = ()


PieceRule = Callable[[Graph, Node], LayerCode]


def as_it_is(values: Any) -> Any:
    """Return weights as they are."""
    return values


def arg(name: str, value: Any) -> str:
    """Return a number that may become an argument of a block's class."""
    return f"‹{name}:{int(value)}›"


def sizes(name: str, values: Any) -> str:
    """Return a number for all axes if they are alike, else a tuple."""
    listed = [int(v) for v in values]
    if len(set(listed)) == 1:
        return arg(name, listed[0])
    return f"({', '.join(map(str, listed))})"
