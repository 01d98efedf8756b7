"""Order a list of units and the edges between them as one strand, with forks where it splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.drawing.tree import Unit, every
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple

Edge = tuple[int, int]
Edges = Mapping[Edge, Sequence[Edge]]  # edges between units → the edges of the graph that they show


class Fork(NamedTuple):
    """Strands side by side; with `past`, the main line runs straight past them."""

    branches: tuple[Strand, ...]
    past: bool


class Link(NamedTuple):
    """A link from one item of a strand to a later one; −1 is the entry, the number of items the exit."""

    start: int
    stop: int
    edges: tuple[Edge, ...]


class Strand(NamedTuple):
    """A sequence of items (numbers of units, and forks), and the links between them."""

    items: tuple[int | Fork, ...]
    links: tuple[Link, ...]


def unit_edges(graph: Graph, units: Sequence[Unit]) -> Edges:
    """Return the edges between units; −1 stands for all before them, their number for all after them."""
    at = {i: k for k, unit in enumerate(units) for i in every(unit)}
    edges: dict[Edge, list[Edge]] = {}
    for i, k in at.items():
        for j in graph.nodes[i].inputs:
            if at.get(j, -1) != k:
                edges.setdefault((at.get(j, -1), k), []).append((j, i))
    first = min(at, default=0)
    for i in range(first, len(graph.nodes)):
        if i not in at:
            for j in graph.nodes[i].inputs:
                if j in at:
                    edges.setdefault((at[j], len(units)), []).append((j, i))
    return edges


def strand(graph: Graph, units: Sequence[Unit]) -> Strand:
    """Lay out the flow through a list of units."""
    edges = unit_edges(graph, units)
    return _strand(list(range(len(units))), edges, -1, len(units))


def _strand(members: list[int], edges: Edges, before: int, after: int) -> Strand:
    """Lay out the units `members`, which are between the units `before` and `after`."""
    inside = {*members, before, after}
    own = [edge for edge in edges if inside.issuperset(edge) and edge != (before, after)]
    items: list[int | Fork] = []
    start = before
    for cut in [*_cuts(members, own), after]:
        middle = [m for m in members if start < m < cut]
        items += _between(middle, edges, start, cut, middle == members)
        if cut != after:
            items.append(cut)
        start = cut
    place = {item: p for p, item in enumerate(items) if isinstance(item, int)}
    place |= {before: -1, after: len(items)}
    links = [Link(place[a], place[b], tuple(edges[a, b])) for a, b in own if a in place and b in place]
    return Strand(tuple(items), tuple(links))


def _cuts(members: list[int], edges: Sequence[Edge]) -> list[int]:
    """Return the units that no edge bypasses."""
    furthest, cuts, ordered = -2, [], sorted(edges)
    at = 0
    for unit in members:
        while at < len(ordered) and ordered[at][0] < unit:
            furthest = max(furthest, ordered[at][1])
            at += 1
        if furthest <= unit:
            cuts.append(unit)
    return cuts


def _between(middle: list[int], edges: Edges, start: int, cut: int, whole: bool) -> list[int | Fork]:
    """Return the items between two cuts: a chain, a fork, or a tangle in its own order."""
    if not middle:
        return []
    parts = _components(middle, edges)
    if len(parts) == 1 and (start, cut) in edges and not _leads_on(parts[0], edges, cut):
        return [Fork((_strand(middle, edges, start, cut),), past=True)]
    if len(parts) == 1:
        return list(middle) if whole else list(_strand(middle, edges, start, cut).items)
    past = (start, cut) in edges and not any(_leads_on(part, edges, cut) for part in parts)
    return [Fork(tuple(_strand(part, edges, start, cut) for part in parts), past)]


def _leads_on(part: list[int], edges: Edges, cut: int) -> bool:
    return any((unit, cut) in edges for unit in part)


def _components(members: list[int], edges: Edges) -> list[list[int]]:
    """Group the connected members, in the order of their first ones."""
    root = {m: m for m in members}

    def find(m: int) -> int:
        while root[m] != m:
            root[m] = root[root[m]]
            m = root[m]
        return m

    for a, b in edges:
        if a in root and b in root:
            low, high = sorted((find(a), find(b)))
            root[high] = low
    found: dict[int, list[int]] = {}
    for m in members:
        found.setdefault(find(m), []).append(m)
    return list(found.values())
