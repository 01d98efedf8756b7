"""Find the order of operators whose peak of memory is the smallest.

The memory that is alive after a set of nodes depends on the set, not on the order in which it ran. So
the best order is a path through sets that minimizes the maximum on it: Dijkstra's algorithm, with the
maximum so far as the length of a path, finds it exactly. Nodes that every order must pass divide a
network into parts that are searched one by one. A part with too many sets gets the better of the
spec's order and a greedy one; the result is then not proven.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from archcalc import garbage
from archcalc.analysis.memory import measure
from archcalc.graph.model import Graph
from archcalc.tuples import NamedTuple

MOST_SETS = 20_000  # visited in the search of a part


class Schedule(NamedTuple):
    """An order of all nodes, its peak in values, and whether no order has a smaller one."""

    order: tuple[int, ...]
    peak: int
    proven: bool


@garbage.paused()
def best_order(graph: Graph) -> Schedule:
    """Return the order with the smallest peak, as far as the search is feasible."""
    spec_order = tuple(range(len(graph.nodes)))
    spec_peak = int(measure(graph).peak)
    search = _OrderSearch(graph)
    if spec_peak == search.floor:
        return Schedule(spec_order, spec_peak, True)
    order: list[int] = []
    proven = True
    for part in _parts(graph):
        found, exact = search.part(part)
        order += found
        proven = proven and exact
    peak = int(measure(graph, order).peak)
    if peak >= spec_peak:
        order, peak = list(spec_order), spec_peak
    return Schedule(tuple(order), peak, proven or peak == search.floor)


def _parts(graph: Graph) -> list[range]:
    """Divide the nodes into parts, each of which ends with a node that every order must pass.

    These are the nodes v such that every earlier node has a reader up to v, and every later node has an
    input from v on.
    """
    count = len(graph.nodes)
    first_reader = [count] * count
    for index in reversed(range(count)):
        for i in graph.nodes[index].inputs:
            first_reader[i] = index
    last_input = [max(node.inputs, default=0) for node in graph.nodes]
    earliest = [count] * (count + 1)  # the smallest last input of the nodes from here on
    for index in reversed(range(count)):
        earliest[index] = min(earliest[index + 1], last_input[index])
    begin = graph.inputs  # all inputs are alive from the start
    parts, latest = [range(begin)], max(first_reader[:begin])
    for index in range(begin, count):
        if latest <= index and earliest[index + 1] >= index:
            parts.append(range(begin, index + 1))
            begin = index + 1
        latest = max(latest, first_reader[index])
    if begin < count:
        parts.append(range(begin, count))
    return parts


class _OrderSearch:
    """A graph as the search needs it: the sizes of buffers, their readers, and those that outlive it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        nodes = graph.nodes
        self.sizes = [int(node.shape.values) for node in nodes]
        self.root = list(range(len(nodes)))  # the node that owns the buffer, for a view too
        for index, node in enumerate(nodes):
            if node.operator.buffer == "view":
                self.root[index] = self.root[node.inputs[0]]
        self.readers: list[set[int]] = [set() for _ in nodes]  # of a root and of its views
        for index, node in enumerate(nodes):
            for i in node.inputs:
                self.readers[self.root[i]].add(index)
        self.kept = {self.root[i] for i in graph.outputs}

    @property
    def floor(self) -> int:
        """A lower bound of any peak: the inputs and output of an operator, or all outputs at the end."""
        needs = [sum(self.sizes[i] for i in self.kept)]
        for index, node in enumerate(self.graph.nodes):
            roots = {self.root[i] for i in node.inputs}
            new = 0 if self._may_share(index) else self.sizes[index]
            needs.append(new + sum(self.sizes[i] for i in roots))
        return max(needs)

    def _may_share(self, index: int) -> bool:
        """Return whether the node uses the buffer of an input in some order."""
        node = self.graph.nodes[index]
        same = any(self.sizes[i] == self.sizes[index] for i in node.inputs)
        return node.operator.buffer == "view" or (node.operator.buffer == "in place" and same)

    def part(self, nodes: range) -> tuple[Sequence[int], bool]:
        """Return the best order found of the nodes of a part, and whether it is proven."""
        if len(nodes) < 3:
            return nodes, True
        part = _Part(self, nodes)
        bound = part.peak(nodes)
        found = part.best(bound)
        if found is not None:
            return found, True
        greedy = part.greedy()
        return (greedy if part.peak(greedy) < bound else nodes), False


class _Part:
    """Consecutive nodes that run after all nodes before them; a set is a bit mask from `start`."""

    def __init__(self, search: _OrderSearch, nodes: range) -> None:
        self.search, self.nodes, self.start = search, nodes, nodes.start
        self.before = [self._mask(search.graph.nodes[i].inputs) for i in nodes]
        self.after: list[list[int]] = [[] for _ in nodes]
        for index in nodes:
            for i in search.graph.nodes[index].inputs:
                if i >= self.start and index - self.start not in self.after[i - self.start]:
                    self.after[i - self.start].append(index - self.start)
        self.reads = [self._reads(i) for i in nodes]
        self.alive = sum(search.sizes[r] for r in range(self.start) if self._outlives(r))

    def _mask(self, indices: Iterable[int]) -> int:
        mask = 0
        for i in indices:
            if i >= self.start:
                mask |= 1 << (i - self.start)
        return mask

    def _outlives(self, root: int) -> bool:
        """Return whether the buffer of an earlier node is alive when the part begins."""
        if self.search.root[root] != root:
            return False
        return root in self.search.kept or any(i >= self.start for i in self.search.readers[root])

    def _reads(self, index: int) -> list[tuple[int, int]]:
        """Return the buffers that may be freed after the node: their roots, and all their readers."""
        search = self.search
        roots = {search.root[i] for i in search.graph.nodes[index].inputs}
        free = (r for r in roots if r not in search.kept and max(search.readers[r]) < self.nodes.stop)
        return [(r, self._mask(search.readers[r])) for r in free]

    def run(self, node: int, done: int, live: int) -> tuple[int, int]:
        """Return the values alive while the node runs, and after it; `done` are the nodes before it."""
        search, index = self.search, node + self.start
        own = search.graph.nodes[index]
        now = done | 1 << node
        freed = [root for root, readers in self.reads[node] if not readers & ~now]
        size = 0 if search.root[index] != index else search.sizes[index]
        shares = own.operator.buffer == "in place" and any(
            search.root[i] in freed and search.sizes[i] == size for i in own.inputs
        )
        need = live if shares else live + size
        rest = live + size - sum(search.sizes[root] for root in freed)
        if not search.readers[index] and search.root[index] == index and index not in search.kept:
            rest -= size  # nothing reads it
        return need, rest

    def best(self, bound: int) -> Sequence[int] | None:
        """Return the order with the smallest peak up to `bound`; None if there are too many sets."""
        everything = (1 << len(self.nodes)) - 1
        ready = sum(1 << node for node, before in enumerate(self.before) if not before)
        came_from: dict[int, tuple[int, int]] = {}
        waiting = [(self.alive, len(self.nodes), 0, self.alive, ready, 0, -1)]
        while waiting and len(came_from) <= MOST_SETS:
            peak, left, done, live, ready, previous, node = heapq.heappop(waiting)
            if done in came_from:
                continue
            came_from[done] = previous, node
            if done == everything:
                return self._trace(came_from, done)
            for chosen, need, rest in self._choices(done, live, ready, peak):
                if need <= bound:
                    bit = 1 << chosen
                    fresh = self._made_ready(chosen, done | bit)
                    entry = (
                        max(peak, need),
                        left - 1,
                        done | bit,
                        rest,
                        ready & ~bit | fresh,
                        done,
                        chosen,
                    )
                    heapq.heappush(waiting, entry)
        return None

    def _choices(self, done: int, live: int, ready: int, peak: int) -> list[tuple[int, int, int]]:
        """Return (node, need, rest) of each node that may run now; of only one if it costs nothing.

        Such a node is best run at once: what it adds to the memory alive only shrinks as others run, so
        it will never add anything, and after it others may free more.
        """
        choices = []
        while ready:
            bit = ready & -ready
            ready ^= bit
            node = bit.bit_length() - 1
            need, rest = self.run(node, done, live)
            if rest <= live and need <= peak:
                return [(node, need, rest)]
            choices.append((node, need, rest))
        return choices

    def _made_ready(self, node: int, done: int) -> int:
        return sum(1 << i for i in self.after[node] if not self.before[i] & ~done)

    def _trace(self, came_from: dict[int, tuple[int, int]], done: int) -> list[int]:
        order = []
        while done:
            done, node = came_from[done]
            order.append(node + self.start)
        return order[::-1]

    def greedy(self) -> list[int]:
        """Return a greedy order: the node that needs least runs next, first those that add nothing."""
        order: list[int] = []
        done, live = 0, self.alive
        ready = {node for node, before in enumerate(self.before) if not before}
        while ready:
            runs = {node: self.run(node, done, live) for node in ready}
            node = min(ready, key=lambda n: (runs[n][1] > live, runs[n], n))
            live = runs[node][1]
            done |= 1 << node
            ready.remove(node)
            ready |= {i for i in self.after[node] if not self.before[i] & ~done}
            order.append(node + self.start)
        return order

    def peak(self, order: Iterable[int]) -> int:
        """Return the peak of an order of the part, in values."""
        done, live, peak = 0, self.alive, 0
        for index in order:
            need, live = self.run(index - self.start, done, live)
            peak = max(peak, need)
            done |= 1 << (index - self.start)
        return peak
