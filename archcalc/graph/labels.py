"""Look up labels: the tensor and layers of a line, and tensors inside blocks by their paths."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.errors import Span
from archcalc.graph import refusals
from archcalc.graph.model import Node
from archcalc.graph.scope import Scope
from archcalc.tuples import NamedTuple


class Labeled(NamedTuple):
    """What a labelled line has built.

    Attributes:
        node: its tensor.
        path: the beginning of its layers' paths.
        source: the tensor that it begins with.
        first, end: its nodes are those from `first` up to `end` − 1.
    """

    node: int
    path: str
    source: int
    first: int
    end: int

    def is_layer(self, nodes: Sequence[Node], inputs: int) -> bool:
        """Return whether the line is a single layer of so many inputs."""
        return self.end - self.first == 1 and len(nodes[self.first].inputs) == inputs


class Labels:
    """All labels of a network by path; those of a block's instance are also in its scope."""

    def __init__(self) -> None:
        self._by_path: dict[str, Labeled] = {}
        self.given: list[tuple[str, Labeled]] = []  # in order
        self.searches = 0  # of labels by their path

    def set(self, label: str, scope: Scope, labeled: Labeled) -> None:
        """Give a label to what a line has built."""
        scope.labels[label] = labeled.node
        self.put(scope.prefix + label, labeled)

    def put(self, path: str, labeled: Labeled) -> None:
        """Record what a path names."""
        self._by_path[path] = labeled
        self.given.append((path, labeled))

    def node(self, label: str, scope: Scope, place: Span) -> int:
        """Return the tensor of a label in this instance, or of a path into a block that it calls.

        Raises:
            ArchError: no earlier line has this label.
        """
        node = scope.labels.get(label)
        if node is None and "/" in label:
            found = self._nearest(label, scope)
            node = None if found is None else found.node
        if node is None:
            raise refusals.no_label(label, scope.labels, place)
        return node

    def line(self, label: str, scope: Scope, place: Span) -> Labeled:
        """Return what the line of a label has built.

        Raises:
            ArchError: no earlier line has this label, or it is a tensor that was passed to the block.
        """
        found = self._nearest(label, scope)
        if found is None:
            self.node(label, scope, place)
            raise refusals.no_line(label, place)
        return found

    def _nearest(self, label: str, scope: Scope) -> Labeled | None:
        """Return what has the label in this branch, or in the instance of the block around it."""
        prefix = scope.prefix
        self.searches += 1
        while True:
            found = self._by_path.get(prefix + label)
            if found is not None or len(prefix) <= len(scope.base):
                return found
            prefix = prefix[: prefix.rfind("/", 0, -1) + 1]
