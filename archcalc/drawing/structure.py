"""Make the tree of a network once per structure: networks that differ only in sizes share it.

This is so for most key strokes on a live page, and for the members of a family.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.drawing import words
from archcalc.drawing.flow import Strand, strand
from archcalc.drawing.folded import Folding, fold, unpacked
from archcalc.drawing.tree import Unit, stands_for
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple

MOST = 8  # the most structures that are remembered


class Tree(NamedTuple):
    """The units from top to bottom, and the layers that each drawn layer stands for.

    `strands` caches the layouts of its lists of units, by their identity.
    """

    units: tuple[Unit, ...]
    stands: dict[int, tuple[int, ...]]
    strands: dict[int, Strand]

    def strand(self, graph: Graph, units: Sequence[Unit]) -> Strand:
        """Lay out the flow through a list of units of this tree."""
        found = self.strands.get(id(units))
        if found is None:
            found = self.strands[id(units)] = strand(graph, units)
        return found


_known: dict[Any, Tree] = {}


def tree(graph: Graph, folding: Folding) -> Tree:
    """Return the tree of a network."""
    key = _structure(graph), folding._replace(marks=tuple(folding.marks))
    found = _known.pop(key, None)
    if found is None:
        units = fold(graph, folding)
        if folding.depth is None:
            units = unpacked(units, folding)
        found = Tree(units, stands_for(units), {})
        while len(_known) >= MOST:
            del _known[next(iter(_known))]
    _known[key] = found
    return found


def _structure(graph: Graph) -> tuple[Any, ...]:
    """Return all that a tree depends on: which operators and maps are equal, but not their sizes."""
    operators: dict[int, int] = {}
    maps: dict[Any, int] = {}
    kinds: list[tuple[str, bool]] = []
    nodes = []
    for path, operator, inputs, shape, _, shares in graph.nodes:
        number = operators.setdefault(id(operator), len(operators))
        if number == len(kinds):
            kinds.append((operator.name, words.is_small(operator)))
        nodes.append((path, number, inputs, maps.setdefault(shape[:-1], len(maps)), shares))
    return tuple(nodes), tuple(kinds), graph.outputs
