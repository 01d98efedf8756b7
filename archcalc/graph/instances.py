"""Copy instances of blocks that were built before, in this build or an earlier one.

A copy equals what a build would make: the block, its arguments and the channels that arrive are the
same. Whatever else an instance reads (sizes of tensors, variables of the spec) is recorded, and has to
have the same values. Only the shapes of its nodes are computed anew. Any other instance is built.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from archcalc.errors import ArchError
from archcalc.graph.assembly import Assembly, has_symbols
from archcalc.graph.effort import LONG, MOST_WORK
from archcalc.graph.expressions import Expressions
from archcalc.graph.labels import Labeled, Labels
from archcalc.graph.model import Node
from archcalc.graph.scope import InstanceCall, Names
from archcalc.operators.model import Operator
from archcalc.spec.model import Spec
from archcalc.tuples import NamedTuple

MOST_NODES = 1_000  # of an instance that is kept for copies
MOST_KNOWN = 30_000  # nodes that are kept in all


class BuiltInstance(NamedTuple):
    """What an instance of a block made and read, with nodes numbered from its first.

    The tensors that it was given are −1, −2, …; paths and names are relative to its own path.
    """

    nodes: tuple[Node, ...]
    end: int
    sizes: tuple[tuple[int, str, Any], ...]  # read: node, `channels` or `shape`, value
    variables: tuple[tuple[str, str], ...]
    names: tuple[tuple[str, int], ...]
    labels: tuple[tuple[str, Labeled], ...]
    read: frozenset[str]
    steps: int
    work: int  # beside that of the nodes


class KnownInstances:
    """A cache of operators, and of instances that hold them."""

    def __init__(self) -> None:
        self.operators: dict[Hashable, Operator] = {}
        self.instances: dict[Hashable, BuiltInstance] = {}
        self._contexts: dict[Hashable, tuple[int, object, object]] = {}
        self.size = 0

    def context(self, spec: Spec) -> int:
        """Return a number for the blocks and defaults of a spec, on which all its calls depend.

        Equal lines and arguments are the same objects while their parser has them in its cache. Those of
        earlier builds are kept here, so that no other object gets their id.
        """
        self.size += 1
        parts: list[Hashable] = [spec.source.modules]
        for block in spec.blocks.values():
            parts += (block.name, block.keys, id(block.parameters), block.join, block.takes_rest)
            for branch in block.branches:
                parts += (branch.name, *map(id, branch.lines))
            parts += (None, *map(id, block.then))
        parts += ((name, id(given)) for name, given in spec.defaults.items())
        kept = (len(self._contexts), spec.blocks, spec.defaults)
        return self._contexts.setdefault(tuple(parts), kept)[0]


_known = KnownInstances()


def known() -> KnownInstances:
    """Return the cache; a new one if it has become too large."""
    global _known
    if _known.size > MOST_KNOWN or len(_known.operators) > MOST_KNOWN:
        _known = KnownInstances()
    return _known


class BuildMark(NamedTuple):
    """The state of a build at the beginning of an instance: how much there was of everything."""

    node: int
    sizes: int
    variables: int
    names: int
    labels: int
    searches: int
    steps: int
    work: int


class Instances:
    """Copies or builds the instances of blocks of one network."""

    def __init__(
        self,
        known: KnownInstances,
        spec: Spec,
        made: Assembly,
        expressions: Expressions,
        names: Names,
        labels: Labels,
        build: Callable[[InstanceCall], int],
    ) -> None:
        self.known = known
        self.context = self.known.context(spec)
        self.made, self.expressions, self.names, self.labels = made, expressions, names, labels
        self.effort, self.build = expressions.effort, build
        self.exact: bool | None = None

    def add(self, call: InstanceCall) -> int:
        """Copy an instance if that is possible, else build it; return its last node."""
        if self.exact is None:
            inputs = [node.shape for node in self.made.nodes if not node.inputs]
            self.exact = not has_symbols([*inputs, *self.expressions.variables.values()])
        if not self.exact:
            return self.build(call)
        block, values, read, rest, tensors, prefix, depth = call
        handed = list(tensors.values())
        shapes = [self.made.nodes[i].shape for i in handed]
        same = tuple([handed.index(i) for i in handed])
        arriving = tuple([(len(shape), shape[-1]) for shape in shapes])
        own = repr((values, rest)) if rest else repr(values)
        key = (self.context, block.name, own, tuple(read.items()), same, arriving, depth)
        found = self.known.instances.get(key)
        if found is not None:
            end = self._copied(found, handed, prefix)
            if end is not None:
                return end
        mark, outer, self.expressions.read = self._mark(), self.expressions.read, set()
        try:
            end = self.build(call)
            made = self._instance(mark, handed, prefix, end)
        finally:
            outer |= self.expressions.read
            self.expressions.read = outer
        if made is not None:
            self.known.instances[key] = made
            self.known.size += 1 + len(made.nodes)
        return end

    def _mark(self) -> BuildMark:
        seen = self.expressions
        logs = (len(seen.sizes), len(seen.seen), len(self.names.given), len(self.labels.given))
        effort = self.effort
        return BuildMark(len(self.made.nodes), *logs, self.labels.searches, effort.steps, effort.work)

    def _instance(
        self, mark: BuildMark, handed: list[int], prefix: str, end: int
    ) -> BuiltInstance | None:
        """Return what was made since a mark; None if it depends on its place in the network."""
        first, long = mark.node, len(prefix)
        nodes, names = self.made.nodes[first:], self._names(mark)
        if names is None or not self._is_plain(nodes, mark):
            return None

        def slot(node: int) -> int:
            return node - first if node >= first else -1 - handed.index(node)

        try:
            return BuiltInstance(
                tuple(
                    node._replace(path=node.path[long:], inputs=tuple(map(slot, node.inputs)))
                    for node in nodes
                ),
                slot(end),
                tuple((slot(x), name, size) for x, name, size in self.expressions.sizes[mark.sizes :]),
                tuple(dict.fromkeys(self.expressions.seen[mark.variables :])),
                tuple((path[long:], count) for path, count in names.items()),
                tuple(
                    (path[long:], _moved(labeled, slot, -first, labeled.path[long:]))
                    for path, labeled in self.labels.given[mark.labels :]
                ),
                frozenset(self.expressions.read),
                self.effort.steps - mark.steps,
                self.effort.work - mark.work - sum(len(n.path) // 8 + len(n.inputs) for n in nodes),
            )
        except ValueError:  # it reads a tensor that it was not given
            return None

    def _is_plain(self, nodes: Sequence[Node], mark: BuildMark) -> bool:
        """Return whether nodes are independent of all others, and were made in few steps."""
        few = len(nodes) <= MOST_NODES and self.known.size <= MOST_KNOWN
        if not few or self.effort.foreseen > LONG or self.labels.searches != mark.searches:
            return False
        return all(node.shares < 0 and node.operator.tied is None for node in nodes)

    def _names(self, mark: BuildMark) -> dict[str, int] | None:
        """Return the names given to layers, and their counts; None if other layers have them too."""
        names: dict[str, int] = {}
        for path, before, count in self.names.given[mark.names :]:
            if before and path not in names:
                return None
            names[path] = count
        return names

    def _copied(self, made: BuiltInstance, handed: list[int], prefix: str) -> int | None:
        """Copy an instance; return its last node, or None, with nothing changed, if it must be built."""
        effort, counters, nodes = self.effort, self.names.counters, self.made.nodes
        first, before = len(nodes), effort.work
        if effort.steps + made.steps > LONG:
            return None
        if any(prefix + name in counters for name, _ in made.names):
            return None
        if any(self.expressions.written(name) != value for name, value in made.variables):
            return None

        def node(slot: int) -> int:
            return first + slot if slot >= 0 else handed[-1 - slot]

        sizes = [(node(slot), name, size) for slot, name, size in made.sizes]
        fits = self._append(made.nodes, handed, prefix) and self.expressions.are(sizes)
        if not fits or effort.work + made.work > MOST_WORK:
            del nodes[first:]
            effort.work = before
            return None
        effort.steps, effort.work = effort.steps + made.steps, effort.work + made.work
        self.expressions.sizes += sizes
        self.expressions.seen += made.variables
        self.expressions.read |= made.read
        for name, count in made.names:
            self.names.count(prefix + name, 0, count)
        for path, labeled in made.labels:
            self.labels.put(prefix + path, _moved(labeled, node, first, prefix + labeled.path))
        return node(made.end)

    def _append(self, nodes: Sequence[Node], handed: list[int], prefix: str) -> bool:
        """Add the nodes of an instance; return False if their shapes do not fit, or have other axes."""
        first, here = len(self.made.nodes), self.made.nodes
        try:
            for own in nodes:
                inputs = tuple([first + i if i >= 0 else handed[-1 - i] for i in own.inputs])
                self.made.append(prefix + own.path, own.operator, inputs, own.span, {})
                if len(here[-1].shape) != len(own.shape):
                    return False
        except ArchError:
            return False  # a build will report the mistake
        return True


def _moved(labeled: Labeled, node: Callable[[int], int], by: int, path: str) -> Labeled:
    """Return a label with other nodes and path; a line that was not built has no path and no nodes."""
    end, source = node(labeled.node), node(labeled.source)
    if not labeled.path:
        return Labeled(end, "", source, 0, 0)
    return Labeled(end, path, source, labeled.first + by, labeled.end + by)
