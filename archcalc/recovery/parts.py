"""Sort the layers of a flat graph into a tree of modules, by their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from archcalc.graph.model import Graph, Node

CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")  # classes that may hold anything
DEEPEST = 40


class ModulePart:
    """A run of layers: one call of a module, or (without `items`) one layer.

    Attributes:
        name: its name in the part around it: 'layer1', 'conv1'.
        cls: the class of the module, '' if it has none.
        first, end: its nodes are `first` ≤ node < `end`.
        items: its parts, in execution order.
    """

    def __init__(
        self, name: str, cls: str, first: int, end: int, items: Sequence[ModulePart] = ()
    ) -> None:
        self.name, self.cls, self.first, self.end = name, cls, first, end
        self.items = list(items)

    @property
    def is_layer(self) -> bool:
        return not self.items

    @property
    def output(self) -> int:
        """The node whose tensor leaves it."""
        return self.end - 1


def tree(graph: Graph, modules: Mapping[str, str]) -> ModulePart:
    """Return the whole network as a part; a module that runs twice is two parts."""
    root = ModulePart("", modules.get("", ""), graph.inputs, len(graph.nodes))
    for index, node in enumerate(graph.nodes[graph.inputs :], graph.inputs):
        *around, own = node.path.split(".", DEEPEST)
        here = root
        for depth, name in enumerate(around, 1):
            last = here.items[-1] if here.items else None
            if last is None or last.name != name or last.is_layer:
                last = ModulePart(name, modules.get(".".join(around[:depth]), ""), index, index)
                here.items.append(last)
            last.end = index + 1
            here = last
        here.items.append(ModulePart(own, "", index, index + 1))
    return root


def levels(root: ModulePart) -> list[list[ModulePart]]:
    """Return the inner modules, grouped by class; inner groups come before the modules around them."""
    found: list[ModulePart] = []
    _collect(root, found)
    level: dict[str, int] = {}
    for _ in range(DEEPEST):
        before = dict(level)
        for part in found:
            inside = [level.get(_kind(item), 0) for item in part.items if not item.is_layer]
            level[_kind(part)] = max(level.get(_kind(part), 0), 1 + max(inside, default=0))
        if level == before:
            break
    return [[p for p in found if level[_kind(p)] == at] for at in sorted(set(level.values()))]


def within_classes(part: ModulePart, inside: bool = False) -> Iterator[ModulePart]:
    """Yield the modules inside a module that has a class of its own."""
    for item in part.items:
        if not item.is_layer:
            if inside:
                yield item
            yield from within_classes(item, inside or item.cls not in ("", *CONTAINERS))


def _collect(part: ModulePart, found: list[ModulePart]) -> None:
    for item in part.items:
        if not item.is_layer:
            found.append(item)
            _collect(item, found)


def _kind(part: ModulePart) -> str:
    return part.cls if part.cls not in ("", *CONTAINERS) else str(id(part))


class Wiring:
    """The readers and sources of a graph's nodes; of a joined pair the later tensor comes first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.inputs = [ordered(node) for node in graph.nodes]
        self.last_read = [-1] * len(graph.nodes)
        for index, read in enumerate(self.inputs):
            for i in read:
                self.last_read[i] = index
        for index in graph.outputs:
            self.last_read[index] = len(graph.nodes)
        self._bound = {i for n in graph.nodes if n.shares >= 0 for i in (n.shares,)}

    def sources(self, part: ModulePart) -> list[int]:
        """Return the outside tensors that a part reads: first the one that arrives, then others."""
        found = dict.fromkeys(
            i for index in range(part.first, part.end) for i in self.inputs[index] if i < part.first
        )
        return list(found)

    def is_closed(self, part: ModulePart) -> bool:
        """Return whether only one tensor enters, only the last one leaves, and no weights are shared."""
        inside = range(part.first, part.end)
        return (
            len(self.sources(part)) == 1
            and all(self.last_read[i] < part.end for i in inside[:-1])
            and self.inputs[part.first][0] < part.first
            and not any(self.graph.nodes[i].shares >= 0 or i in self._bound for i in inside)
            and not any(i in self.graph.outputs for i in inside[:-1])
        )


COMMUTATIVE = ("add", "mul", "maximum")


def ordered(node: Node) -> tuple[int, ...]:
    """Return a node's inputs; those of a sum, product or maximum with the latest tensor first."""
    if node.operator.name in COMMUTATIVE and len(node.inputs) > 1 and is_plain(node):
        return tuple(sorted(node.inputs, reverse=True))
    return node.inputs


def chain_concats(graph: Graph) -> Graph:
    """Rewrite each concat of a growing list as a concat of the previous concat and the new tensor.

    DenseNet in torch keeps a list of maps and joins the whole list in each layer: a, b; a, b, c; …
    The last one has the same values as the previous concat joined with c.
    """
    made: dict[tuple[int, ...], int] = {}
    nodes = []
    for index, node in enumerate(graph.nodes):
        if node.operator.name == "concat" and is_plain(node):
            before = made.get(node.inputs[:-1])
            made[node.inputs] = index
            if before is not None and len(node.inputs) > 2:
                node = node._replace(inputs=(before, node.inputs[-1]))
        nodes.append(node)
    return graph._replace(nodes=tuple(nodes))


def is_plain(node: Node) -> bool:
    """Return whether all arguments of an operator have their defaults."""
    return str(node.operator) == node.operator.name
