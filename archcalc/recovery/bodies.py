"""The body of a block: its items in order, and which items each of them reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from archcalc.arithmetic import Margin
from archcalc.graph.model import Node
from archcalc.operators.argument import Argument
from archcalc.operators.model import Operator
from archcalc.recovery.parts import COMMUTATIVE, ModulePart, Wiring
from archcalc.spec.model import JOINS
from archcalc.tuples import NamedTuple

IN = -1  # the reference to the tensor that enters; a network's further inputs are −2, −3, …
SIZED = ("size", "offset", "pair", "offsets", "padding")

Key = tuple[Any, ...]


class Item(NamedTuple):
    """A layer, or a call of a block.

    Args:
        label: its path within the body.
        key: what identifies it apart from its sizes.
        refs: the indices of the items that it reads.
        weight_layers: the number of its convs and dense layers; 0 for a call.
    """

    part: ModulePart
    label: str
    key: Key
    refs: tuple[int, ...]
    weight_layers: int = 0

    @property
    def is_call(self) -> bool:
        return not self.part.is_layer


Body = tuple[Item, ...]


def body_of(part: ModulePart, wiring: Wiring, key: Callable[[ModulePart], Key | None]) -> Body:
    """Return the items of a part; inner parts without a key are replaced by their own items."""
    nodes = wiring.graph.nodes
    listed = list(_opened(part, "", key))
    place = {item.output: index for index, (item, _, _) in enumerate(listed)}
    # an input of the network, or what enters the block
    place |= {i: -1 - i for i in range(wiring.graph.inputs)} | _entering(part, wiring)
    items = []
    for item, label, known in listed:
        read = wiring.inputs[item.first] if item.is_layer else wiring.sources(item)
        node = nodes[item.first]
        weights = node.operator.weight_layer if item.is_layer else 0
        refs = tuple(place[i] for i in read)
        items.append(Item(item, label, known or layer_key(node), refs, weights))
    return tuple(items)


def _entering(part: ModulePart, wiring: Wiring) -> dict[int, int]:
    sources = wiring.sources(part)
    return {sources[0]: IN} if len(sources) == 1 else {}


def _opened(
    part: ModulePart, before: str, key: Callable[[ModulePart], Key | None]
) -> Iterator[tuple[ModulePart, str, Key | None]]:
    for item in part.items:
        label = f"{before}{item.name}"
        known = None if item.is_layer else key(item)
        if item.is_layer or known is not None:
            yield item, label, known
        else:
            yield from _opened(item, f"{label}." if item.name else before, key)


def layer_key(node: Node) -> Key:
    """Return what identifies a layer apart from its sizes: operator, flags, words, and given sizes."""
    operator = node.operator
    literal = tuple(
        None if number(operator, a) is not None else repr(getattr(operator, a.attribute))
        for a in operator.arguments
    )
    return (operator.name, literal, len(node.inputs), operator.rank)


def is_channels(operator: Operator, name: str) -> bool:
    """Return whether an argument of an operator is a number of channels."""
    return name in ("filters", "units", "channels") or operator.name == "slice"


def number(operator: Operator, argument: Argument) -> int | None:
    """Return the value of an argument if it is one size along all axes, else None."""
    if argument.kind not in SIZED:
        return None
    value = getattr(operator, argument.attribute)
    listed = value if isinstance(value, tuple) and not isinstance(value, Margin) else (value,)
    sides = {side for one in listed for side in (one if isinstance(one, Margin) else (one,))}
    whole = [side for side in sides if type(side) is int]
    return whole[0] if len(sides) == len(whole) == 1 else None


def is_join(node: Node) -> bool:
    """Return whether a block can join its branches like this: a sum or concat without arguments."""
    return str(node.operator) == node.operator.name and node.operator.name in JOINS


def arranged(key: Key, refs: Sequence[int]) -> tuple[int, ...]:
    """Return references in a canonical order for comparison: those of a sum with the latest first."""
    return tuple(sorted(refs, reverse=True)) if key[0] in COMMUTATIVE else tuple(refs)


def skeleton(body: Body) -> tuple[tuple[Key, tuple[int, ...]], ...]:
    """Return the keys and references of a body, without its sizes."""
    return tuple((item.key, arranged(item.key, item.refs)) for item in body)
