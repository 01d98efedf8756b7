"""The torch code of one layer: its module, its call, and the axis order that it works in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from archcalc.graph.model import Graph, Node
from archcalc.tuples import NamedTuple

Form = Literal["first", "last", "flat"]  # [n, c, …], [n, …, c], and [n, c] for a single position
Change = Callable[[Any], Any]


class LayerCode(NamedTuple):
    """The torch code of one layer.

    Args:
        form: the axis order of its inputs, and of its output unless `made` is another.
        call: the expression: `{0}` is its first input, `{m}` the attribute of its module.
        modules: the layer's modules, by the suffix of their attribute ('' for the only one). Numbers
            that may become arguments are written as `‹name:3›`.
        weights: for each weight of archcalc by name: the suffix of torch's key, and the function that
            brings the values into torch's layout.
        needs: the functions and classes of the prelude that the code uses.
    """

    form: Form
    call: str
    modules: Mapping[str, str] = {}
    weights: Mapping[str, tuple[str, Change]] = {}
    made: Form | None = None
    needs: tuple[str, ...] = ()


PieceRule = Callable[[Graph, Node], LayerCode]


def as_it_is(values: Any) -> Any:
    """Return the values unchanged."""
    return values


def arg(name: str, value: Any) -> str:
    """Return the text of a number, marked as a possible argument of the block's class."""
    return f"‹{name}:{int(value)}›"


def sizes(name: str, values: Any) -> str:
    """Return the text of one number if all axes have it, else of a tuple."""
    listed = [int(v) for v in values]
    if len(set(listed)) == 1:
        return arg(name, listed[0])
    return f"({', '.join(map(str, listed))})"
