"""Where a step is met: the instance of a block, its values and labels, and names for its nodes."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.graph.bind import Bound
from archcalc.spec.expressions import Value
from archcalc.spec.model import Block
from archcalc.tuples import NamedTuple


class InstanceCall(NamedTuple):
    """What one instance of a block is made of."""

    block: Block
    values: Mapping[str, Value]
    read: Mapping[str, frozenset[str]]  # the variables of the spec behind each argument
    rest: tuple[Bound, ...]  # arguments that it hands on
    tensors: dict[str, int]  # their nodes by name; `in` is the one that the chain hands on
    prefix: str  # what the paths of its layers begin with
    depth: int


class Scope(NamedTuple):
    """One instance of a block: its values, its labels, its place in the network."""

    block: Block
    values: Mapping[str, Value]
    read: Mapping[str, frozenset[str]]  # the variables of the spec behind each argument of the block
    rest: tuple[Bound, ...]
    labels: dict[str, int]
    set_here: set[str]  # labels of this branch; another branch may have the same, the nearest counts
    base: str  # what the paths of the instance's layers begin with
    prefix: str  # the same, in a branch or a labelled line
    own_labels: frozenset[str]  # names that no unlabelled step may take
    depth: int


class Names:
    """Paths for unlabelled steps."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.given: list[tuple[str, int, int]] = []  # in order: path, its count before and after
        self._labels: dict[str, frozenset[str]] = {}

    def free(self, scope: Scope, name: str) -> str:
        """Return 'conv', then 'conv2', …: the first that is free at this place."""
        path = scope.prefix + name
        before = count = self.counters.get(path, 0)
        while True:
            count += 1
            own = name if count == 1 else f"{name}{count}"
            if own not in scope.own_labels:
                break
        self.count(path, before, count)
        return scope.prefix + own

    def count(self, path: str, before: int, count: int) -> None:
        """Note that so many layers have this path, with numbers behind it."""
        self.counters[path] = count
        self.given.append((path, before, count))

    def labels_of(self, block: Block) -> frozenset[str]:
        """Return every label that a line of the block sets."""
        found = self._labels.get(block.name)
        if found is None:
            lines = [*(line for b in block.branches for line in b.lines), *block.then]
            found = self._labels[block.name] = frozenset(line.label for line in lines if line.label)
        return found
