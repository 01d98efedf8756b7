"""What labels name: a line's tensor, what made it, and tensors inside blocks by their path."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.errors import Span
from archcalc.graph import refusals
from archcalc.graph.model import Node
from archcalc.graph.scope import Scope
from archcalc.tuples import NamedTuple


class Labeled(NamedTuple):
    """A labelled line: the tensor that it gave, and the nodes from `first` on, before `end`, it made.

    `path` is what their paths begin with, `source` the tensor that the line began with.
    """

    node: int
    path: str
    source: int
    first: int
    end: int

    def is_layer(self, nodes: Sequence[Node], inputs: int) -> bool:
        """Whether the line made one layer, of so many inputs."""
        return self.end - self.first == 1 and len(nodes[self.first].inputs) == inputs


class Labels:
    """All labels of a network by path; a block instance's own are in its scope."""

    def __init__(self) -> None:
        self._by_path: dict[str, Labeled] = {}
        self.given: list[tuple[str, Labeled]] = []  # in order
        self.searches = 0  # of labels by their path

    def set(self, label: str, scope: Scope, labeled: Labeled) -> None:
        """Name what a line has made."""
        scope.labels[label] = labeled.node
        self.put(scope.prefix + label, labeled)

    def put(self, path: str, labeled: Labeled) -> None:
        """Note what a path names."""
        self._by_path[path] = labeled
        self.given.append((path, labeled))

    def node(self, label: str, scope: Scope, place: Span) -> int:
        """Return the tensor of a label of this block instance, or of one inside a block that it calls.

        Raises:
            ArchError: no line before has set it.
        """
        node = scope.labels.get(label)
        if node is None and "/" in label:
            found = self._nearest(label, scope)
            node = None if found is None else found.node
        if node is None:
            raise refusals.no_label(label, scope.labels, place)
        return node

    def line(self, label: str, scope: Scope, place: Span) -> Labeled:
        """Return what the line of a label has made.

        Raises:
            ArchError: no line before has set it, or it names a tensor that no line made.
        """
        found = self._nearest(label, scope)
        if found is None:
            self.node(label, scope, place)
            raise refusals.no_line(label, place)
        return found

    def _nearest(self, label: str, scope: Scope) -> Labeled | None:
        """Return what has the label in this branch, or else in the block instance around it."""
        prefix = scope.prefix
        self.searches += 1
        while True:
            found = self._by_path.get(prefix + label)
            if found is not None or len(prefix) <= len(scope.base):
                return found
            prefix = prefix[: prefix.rfind("/", 0, -1) + 1]
