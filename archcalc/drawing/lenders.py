"""Find boxes that use the weights of other boxes; the outermost such box says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.tree import Group, Unit, every
from archcalc.graph.model import Graph


def lenders(graph: Graph, units: Sequence[Unit]) -> dict[str, str]:
    """Return the name of the box that owns the weights, by the path of the box that uses them."""
    if all(node.shares < 0 for node in graph.nodes):
        return {}
    return dict(_lenders(graph, units))


def _lenders(graph: Graph, units: Sequence[Unit]) -> Iterator[tuple[str, str]]:
    for unit in units:
        lender = _lender(graph, unit)
        if lender:
            yield unit.path, lender
        elif isinstance(unit, Group):
            yield from _lenders(graph, unit.children)


def _lender(graph: Graph, unit: Unit) -> str:
    """Return the path of the one box that all weights of this one belong to; '' if there is none.

    A layer may have a norm of its own in its box.
    """
    nodes, inside = graph.nodes, set(every(unit))
    outside = [i for i in unit.nodes if nodes[i].shares >= 0 and nodes[i].shares not in inside]
    if not outside or (isinstance(unit, Group) and any(graph.weights(nodes[i]) for i in unit.nodes)):
        return ""
    found = {_stem(unit.path, nodes[i].path, nodes[nodes[i].shares].path) for i in outside}
    return found.pop() if len(found) == 1 else ""


def _stem(path: str, borrower: str, lender: str) -> str:
    """Return 'a' for the box 'b' whose layer 'b/conv' uses the weights of 'a/conv'."""
    inner, parts = borrower.removeprefix(path).split("/"), lender.split("/")
    while len(parts) > 1 and inner[-1] == parts[-1]:
        inner.pop()
        parts.pop()
    return "/".join(parts)
