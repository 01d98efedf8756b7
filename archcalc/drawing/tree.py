"""The tree that a drawing shows: boxes of layers, and blocks of boxes, each with its copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.tuples import NamedTuple


class Chip(NamedTuple):
    """Layers in one box: a chain around the one that does the work."""

    path: str
    nodes: tuple[int, ...]
    copies: tuple[tuple[int, ...], ...] = ()


class Group(NamedTuple):
    """A block. `nodes` are those of the first of its ×N copies, `copies` those of the others."""

    path: str
    name: str
    children: tuple[Unit, ...]
    nodes: tuple[int, ...]
    copies: tuple[tuple[int, ...], ...] = ()


Unit = Chip | Group


def every(unit: Unit) -> Iterator[int]:
    """Return the layers of all copies."""
    yield from unit.nodes
    for copy in unit.copies:
        yield from copy


def stands_for(units: Sequence[Unit]) -> dict[int, tuple[int, ...]]:
    """Map each layer that is drawn to all that it stands for: itself and its copies."""
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
