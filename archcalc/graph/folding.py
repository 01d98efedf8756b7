"""Fold repeats whose count is a symbol: three rounds are built, and stand for any number of them.

The first round may differ from the others, because another tensor arrives. If the second round keeps the
shape that arrives, the third does what the second does, and so do all later ones: a round depends on
nothing else. So the second round counts for every round but the first and the last.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.graph.model import Fold, Graph, Node
from archcalc.symbols import Int, Symbol
from archcalc.tuples import NamedTuple

ROUNDS = 3  # that are built
MOST_COST = 500_000  # steps and work with all rounds: far below the limits of a build


class UnfoldableError(Exception):
    """Rounds differ, or other layers read tensors inside of them."""


class RoundBegin(NamedTuple):
    """The beginning of a round: its first node, the tensor that arrives, the steps and work so far."""

    node: int
    arrives: int
    spent: Int


class Rounds(NamedTuple):
    """The number of rounds of a repeat that are built, and of all rounds."""

    built: int
    whole: Int

    @property
    def folded(self) -> bool:
        """Whether three rounds are built for a number that is a symbol."""
        return self.built == ROUNDS and isinstance(self.whole, Symbol)


def rounds_of(count: Int) -> Rounds:
    """Return the rounds of a repeat; for a symbol, three are built, or as many as its value if fewer."""
    if not isinstance(count, Symbol):
        return Rounds(count, count)
    for few in range(ROUNDS):
        if bool(count == few):
            count.program.counts.append(count.index)
            return Rounds(few, count)
    count.program.folded.append(count.index)
    return Rounds(ROUNDS, count)


def fold(
    nodes: Sequence[Node], marks: Sequence[RoundBegin], exit: int, rounds: Rounds, depth: int
) -> Fold:
    """Return the fold of three rounds that begin at `marks`; the last one ends with node `exit`.

    The paths of rounds differ in the name at `depth`.

    Raises:
        UnfoldableError: the second and third round differ.
    """
    first, middle, last = (mark.node for mark in marks)
    length, exits = last - middle, (marks[1].arrives, marks[2].arrives, exit)
    if len(nodes) - last != length or not _same(nodes[exits[0]].shape, nodes[exits[1]].shape):
        raise UnfoldableError
    outer = False
    for a, b in zip(nodes[middle:last], nodes[last:], strict=True):
        if type(a.operator) is not type(b.operator) or not _same(a.shape, b.shape):
            raise UnfoldableError
        pairs = [*zip(a.inputs, b.inputs, strict=True), (a.shares, b.shares)]
        for i, j in pairs:
            inside = j - i == length and (i >= middle or i == exits[0])
            before = j == i < first
            if not inside and not before and (i, j) != exits[:2]:
                raise UnfoldableError
            outer = outer or (before and i >= 0)
    names = frozenset(_base(node.path.split("/")[depth]) for node in nodes[first:])
    return Fold(first, middle, last, len(nodes), exits, rounds.whole, outer, names)


def sound(graph: Graph, cost: Int) -> Graph:
    """Return the graph if its folds stand for the whole repeats.

    Raises:
        UnfoldableError: layers outside of a fold read tensors inside of it, or `cost` is too high.
    """
    for fold in graph.folds:
        hidden = set(range(fold.first, fold.end)) - {fold.exits[-1]}
        read = {i for node in graph.nodes[fold.end :] for i in (*node.inputs, node.shares)}
        if not hidden.isdisjoint(read) or not hidden.isdisjoint(graph.outputs):
            raise UnfoldableError
    if graph.folds and not cost <= MOST_COST:
        raise UnfoldableError
    return graph


def require_whole(folds: Sequence[Fold], begin: int, end: int) -> None:
    """Refuse to build nodes of a fold again.

    Raises:
        UnfoldableError: there are nodes of a fold from `begin` to `end`.
    """
    if any(begin < fold.end and fold.first < end for fold in folds):
        raise UnfoldableError


def hides(folds: Sequence[Fold], path: str) -> bool:
    """Return whether a path may name some rounds of a fold, but not others."""
    words = set(map(_base, path.split("/")))
    return any(not fold.names.isdisjoint(words) for fold in folds)


def _base(name: str) -> str:
    return name.rstrip("0123456789")


def _same(a: Sequence[Int], b: Sequence[Int]) -> bool:
    """Return whether numbers are equal at every point: symbols, if they are the same object."""
    pairs = list(zip(a, b, strict=False))
    return len(a) == len(b) and all(
        x is y or (isinstance(x, int) and isinstance(y, int) and x == y) for x, y in pairs
    )
