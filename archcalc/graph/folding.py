"""Repeats whose count is a symbol: three rounds stand for any number of them, where rounds are alike.

The first round may differ from the others, since another tensor arrives. If the second leaves the shape
that it found, the third does what the second did, and so do all later ones: the build of a round
depends on nothing else. The second then counts for every round but the first and the last.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.graph.model import Fold, Graph, Node
from archcalc.symbols import Int, Symbol
from archcalc.tuples import NamedTuple

ROUNDS = 3
MOST_COST = 500_000  # steps and work of the network with all rounds: far below what a build refuses


class UnfoldableError(Exception):
    """Raised when rounds are not alike, or others look into them."""


class RoundBegin(NamedTuple):
    """Where a round begins: its first node, the tensor that arrives, what was spent so far."""

    node: int
    arrives: int
    spent: Int


class Rounds(NamedTuple):
    """How many rounds of a repeat are built, and how many there are."""

    built: int
    whole: Int

    @property
    def folded(self) -> bool:
        return self.built == ROUNDS and isinstance(self.whole, Symbol)


def rounds_of(count: Int) -> Rounds:
    """Return the rounds of a repeat; fewer than three of a symbol are a structure of their own."""
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
    """Return the fold of three rounds that begin at `marks`, the last of which ends with node `exit`.

    Their paths differ in the name at this depth.

    Raises:
        UnfoldableError: the rounds are not alike.
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
    """Return the graph, unless layers outside a fold look into it, or a build might refuse the size.

    Raises:
        UnfoldableError: they do.
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
    """Refuse to use nodes again of which some stand for others.

    Raises:
        UnfoldableError: there are such nodes from `begin` to `end`.
    """
    if any(begin < fold.end and fold.first < end for fold in folds):
        raise UnfoldableError


def hides(folds: Sequence[Fold], path: str) -> bool:
    """Whether a path may name some rounds of a fold, and not others."""
    words = set(map(_base, path.split("/")))
    return any(not fold.names.isdisjoint(words) for fold in folds)


def _base(name: str) -> str:
    return name.rstrip("0123456789")


def _same(a: Sequence[Int], b: Sequence[Int]) -> bool:
    """Whether the numbers are the same at every point; symbols are, if they are one."""
    pairs = list(zip(a, b, strict=False))
    return len(a) == len(b) and all(
        x is y or (isinstance(x, int) and isinstance(y, int) and x == y) for x, y in pairs
    )
