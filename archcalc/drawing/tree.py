"""The tree that a drawing shows: boxes of layers, and blocks of boxes, each with its copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.tuples import NamedTuple


class Chip(NamedTuple):
    """The layers of one box: a main layer, with norms and activations around it."""

    path: str
    nodes: tuple[int, ...]
    copies: tuple[tuple[int, ...], ...] = ()


class Group(NamedTuple):
    """A block; `nodes` are the layers of its first copy, `copies` those of the others."""

    path: str
    name: str
    children: tuple[Unit, ...]
    nodes: tuple[int, ...]
    copies: tuple[tuple[int, ...], ...] = ()


Unit = Chip | Group


def every(unit: Unit) -> Iterator[int]:
    """Yield the layers of a unit and of all its copies."""
    yield from unit.nodes
    for copy in unit.copies:
        yield from copy


def stands_for(units: Sequence[Unit]) -> dict[int, tuple[int, ...]]:
    """Map each drawn layer to the layers that it stands for: itself and its copies."""
    found: dict[int, tuple[int, ...]] = {}
    for unit in units:
        inner = {i: (i,) for i in unit.nodes} if isinstance(unit, Chip) else stands_for(unit.children)
        if unit.copies:
            place = {node: k for k, node in enumerate(unit.nodes)}
            inner = {
                i: (*here, *(c[place[j]] for c in unit.copies for j in here if place[j] < len(c)))
                for i, here in inner.items()
            }
        found |= inner
    return found
