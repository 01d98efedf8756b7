"""Define the scope of a step: the instance of its block, with values, labels and names of nodes."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.graph.bind import Bound
from archcalc.spec.expressions import Value
from archcalc.spec.model import Block
from archcalc.tuples import NamedTuple


class InstanceCall(NamedTuple):
    """A call of a block: what one instance is built from."""

    block: Block
    values: Mapping[str, Value]
    read: Mapping[str, frozenset[str]]  # the variables of the spec behind each argument
    rest: tuple[Bound, ...]  # the arguments that `...` passes on
    tensors: dict[str, int]  # their nodes by name; `in` is the one that arrives
    prefix: str  # the beginning of its layers' paths
    depth: int


class Scope(NamedTuple):
    """An instance of a block: its values, its labels, its place in the network."""

    block: Block
    values: Mapping[str, Value]
    read: Mapping[str, frozenset[str]]  # the variables of the spec behind each argument of the block
    rest: tuple[Bound, ...]
    labels: dict[str, int]
    set_here: set[str]  # labels of this branch; other branches may have the same ones
    base: str  # the beginning of the paths of the instance's layers
    prefix: str  # the same, in a branch or a labelled line
    own_labels: frozenset[str]  # names that no unlabelled step may take
    depth: int


class Names:
    """Names the layers of steps without a label."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.given: list[tuple[str, int, int]] = []  # in order: path, its counter before and after
        self._labels: dict[str, frozenset[str]] = {}

    def free(self, scope: Scope, name: str) -> str:
        """Return the first free path of a scope: 'conv', then 'conv2', …"""
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
        """Set the counter of a path, which is the last number given to its layers."""
        self.counters[path] = count
        self.given.append((path, before, count))

    def labels_of(self, block: Block) -> frozenset[str]:
        """Return every label that a line of the block sets."""
        found = self._labels.get(block.name)
        if found is None:
            lines = [*(line for b in block.branches for line in b.lines), *block.then]
            found = self._labels[block.name] = frozenset(line.label for line in lines if line.label)
        return found
