"""Build the lowered graph: nodes named after modules, tensors laid out as layers need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from archcalc.errors import ArchError, ShapeError, Span
from archcalc.graph.model import Node
from archcalc.interop.lowering.arranging import blocks, dealt, first_swap
from archcalc.interop.lowering.axes import Atoms, Axis, Layout
from archcalc.interop.lowering.model import HeldTensor, LoweringError, PlacedWeight
from archcalc.interop.lowering.names import PathNames
from archcalc.interop.lowering.sources import WeightSources
from archcalc.interop.prune import Pruned
from archcalc.interop.trace import Operation, Trace
from archcalc.operators import operator_class
from archcalc.operators.input import Input
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape as OwnShape

MOST_AXES = 4
_LAYERS = Span(("layers",))


class LoweringState(WeightSources):
    """The nodes so far, and for each live tensor of the trace the node that holds it, and its layout."""

    def __init__(self, trace: Trace, pruned: Pruned) -> None:
        super().__init__(trace, pruned)
        self.wanted = {name for operation in pruned.live for name in operation.inputs}
        self.wanted.update(trace.outputs)
        self._reading = Counter(n for operation in pruned.live for n in set(operation.inputs) if n)
        self._reading.update(trace.outputs)
        self.atoms = Atoms()
        self.nodes: list[Node] = []
        self.layouts: dict[str, Layout] = {}
        self.placed: list[PlacedWeight] = []
        self.names = PathNames(trace.modules)
        self.operation: Operation | None = None
        self.numbers: dict[int, tuple[float | None, str]] = {}
        self.otherwise: dict[int, str] = {}  # nodes with the file's counts but other values: the reason
        self.stood: dict[str, Layout] = {}  # constants that are layers of their own
        self.zero = -1  # the node that outputs a zero, to which those constants are added
        self.tokens: dict[Hashable, int] = {}  # the class tokens of sequences, by their origin
        self.pending: dict[int, str] = {}  # attention nodes whose output projection is still to come
        self.rolled: dict[int, int] = {}  # attention nodes whose map must be rolled back: by how much
        self._names_of: dict[int, list[str]] = {}  # the tensors that each node holds
        self._operators: dict[Any, Operator] = {}
        self._holders: dict[Any, int] = {}
        self._arranged: dict[tuple[int, tuple[Axis, ...]], int] = {}

    # tensors of the trace

    def live(self, name: str | None) -> bool:
        return name in self.layouts

    def layout(self, name: str | None) -> Layout:
        """Return the layout of a tensor, in atoms that are not split.

        Raises:
            LoweringError: the tensor is a constant, so no node holds it.
        """
        if name is None or name not in self.layouts:
            raise LoweringError("one of its inputs is a constant")
        return self.atoms.resolved(self.layouts[name])

    def set(self, name: str, layout: Layout) -> None:
        """Record the layout of a tensor.

        Raises:
            LoweringError: the layout does not have the shape that the file gives.
        """
        shapes = self.atoms.shape(layout.file), self.atoms.shape(layout.own)
        want, node = self.shape(name), self.nodes[layout.node].shape
        if shapes != (want, tuple(node)):
            told = " or ".join("×".join(map(str, shape)) for shape in (want, node))
            raise LoweringError(f"its output is {told}, not {'×'.join(map(str, shapes[0]))}")
        self.layouts[name] = layout
        self._names_of.setdefault(layout.node, []).append(name)

    def held_tensors(self) -> list[HeldTensor]:
        """Return the layout of the last tensor that each node holds."""
        last = (names[-1] for names in self._names_of.values())
        return [self.held_tensor(name) for name in last if name not in self._between]

    def held_tensor(self, name: str) -> HeldTensor:
        """Return the node that holds a tensor, and how to bring its output into the file's order."""
        layout = self.layout(name)
        own = tuple(atom for axis in layout.own for atom in axis)
        order = tuple(own.index(atom) for axis in layout.file for atom in axis)
        return HeldTensor(layout.node, name, tuple(self.atoms.size((atom,)) for atom in own), order)

    def readers(self, node: int) -> int:
        """Count the operations that read a node's output, without those that only rename it."""
        names = self._names_of.get(node, [])
        return sum(self._reading[name] for name in names) - max(len(names) - 1, 0)

    def rows_of(self, layer: int, part: str, start: int, count: int, scale: float) -> list[Any]:
        """Return rows of a linear layer's weights as the weights of one part of an attention layer.

        Args:
            part: 'query', 'key' or 'value'.
            start: the first unit of the linear layer that belongs to the part; `count` is their number.
            scale: the factor of the scores; the queries' weights are multiplied by it.
        """
        found = []
        for weight in (w for w in self.placed if w.node == layer):
            name = f"{part}.{weight.weight}"
            whole = weight.split[0] == count
            split = (count, *weight.split[1:])
            rows = None if whole else (start, start + count)
            factor = scale if part == "query" else 1.0
            found.append((name, weight.tensor, split, weight.order, rows, factor))
        return found

    def once(self, word: str, node: int, **given: Any) -> int:
        """Add an operator after a node, or return the node of an earlier call with the same operator."""
        key = (node, ((-1,), tuple(map(ord, word))))
        if key not in self._arranged:
            self._arranged[key] = self.add(word, [node], **given)
        return self._arranged[key]

    def number(self, node: int, value: float | None, word: str, alpha: float) -> None:
        """Record the number that a node stores, and the operation ('add', 'sub', …) that applies it."""
        self.numbers[node] = (None if value is None else value * alpha, word)

    def place(self, node: int, weights: Sequence[Any]) -> None:
        """Record the tensors that hold a node's weights: (name, tensor, split, order) of each."""
        self.placed += [PlacedWeight(node, *w) for w in weights]
        for weight in weights:
            self.claim(weight[1])

    # nodes

    def begin(self, path: str, shape: tuple[int, ...]) -> int:
        self.nodes.append(Node(path, Input(OwnShape(*shape)), (), OwnShape(*shape), Span(("input",))))
        return len(self.nodes) - 1

    def add(self, word: str, inputs: Sequence[int], weights: Sequence[Any] = (), /, **given: Any) -> int:
        """Add a node; `weights` are the (name, tensor, split, order) of each of its weights.

        Raises:
            LoweringError: the operator does not accept these inputs or arguments.
        """
        shapes = tuple(self.nodes[i].shape for i in inputs)
        try:
            operator = self.operator(word, given, shapes[0].rank)
            shape = operator.output_shape(*shapes)
        except (ShapeError, ArchError) as error:
            raise LoweringError(str(error)) from error
        index, shares = len(self.nodes), -1
        if weights:
            held = tuple((w[0], self.origin(w[1]), *w[2:]) for w in weights)
            shares = self._holders.setdefault((operator, held, shapes[0].channels), index)
            shares = -1 if shares == index else shares
        if shares < 0:
            self.place(index, weights)
        path = self.names.path(self.operation, word)
        self.nodes.append(Node(path, operator, tuple(inputs), shape, _LAYERS, shares))
        return index

    def tied(self, node: int, holder: int, words: int) -> int:
        """Add an output head that shares the table of an embedding."""
        shape = self.nodes[node].shape
        operator = self.operator("unembed", {"words": words}, shape.rank)
        path = self.names.path(self.operation, "unembed")
        self.nodes.append(Node(path, operator, (node,), operator.output_shape(shape), _LAYERS, holder))
        return len(self.nodes) - 1

    def operator(self, word: str, given: dict[str, Any], rank: int) -> Operator:
        """Return an operator; equal operators are one object."""
        key = (word, rank, repr(given))
        found = self._operators.get(key)
        if found is None:
            found = self._operators[key] = operator_class(word)(**given, rank=rank)
        return found

    # layouts

    def spread(self, layout: Layout, own: Sequence[Axis]) -> Layout:
        """Return the tensor in a node whose axes are exactly `own`; add the moves that this takes.

        Raises:
            LoweringError: `own` has more axes than a tensor of archcalc can have.
        """
        target = tuple(self.atoms.leaves(axis) for axis in own)
        if target == layout.own:
            return layout
        if len(target) > MOST_AXES:
            raise LoweringError(f"it takes {len(target)} axes: archcalc has {MOST_AXES}")
        key = (layout.node, target)
        if key not in self._arranged:
            self._arranged[key] = self._moved(layout, target)
        return Layout(self._arranged[key], layout.file, target)

    def _moved(self, layout: Layout, target: tuple[Axis, ...]) -> int:
        """Add permutations of at most four blocks each, until the axes are in the order of `target`."""
        node, own = layout.node, layout.own
        groups = dealt(own, target)
        if groups:
            return self.add("shuffle", [node], groups=self.atoms.size(groups))
        flat = [atom for axis in own for atom in axis]
        want = [atom for axis in target for atom in axis]
        if sorted(flat) != sorted(want):
            raise LoweringError("its axes are not those of its input")
        while flat != want:
            runs = blocks(flat, want)
            order = sorted(range(len(runs)), key=lambda i: want.index(runs[i][0]))
            if len(runs) > MOST_AXES:
                runs, order = first_swap(flat, want)
            node = self._shaped(node, own, tuple(runs))
            word, given = ("transpose", {}) if len(runs) == 2 else ("permute", {"order": tuple(order)})
            node = self.add(word, [node], **given)
            own = tuple(runs[i] for i in order)
            flat = [atom for axis in own for atom in axis]
        return self._shaped(node, own, target)

    def _shaped(self, node: int, own: tuple[Axis, ...], target: tuple[Axis, ...]) -> int:
        """Add the operator that gives the same values another shape."""
        if own == target:
            return node
        sizes = self.atoms.shape(target)
        if self.nodes[node].shape == OwnShape(*sizes):
            return node
        if len(sizes) == 3 and sizes[:2] == (1, 1):
            return self.add("flatten", [node])
        before = self.nodes[node].shape
        if len(sizes) == 2 and before.rank == 2 and sizes[-1] == before.channels:
            return self.add("tokens", [node])
        return self.add("reshape", [node], shape=sizes)

    def gather(self, layout: Layout, channels: Axis, exact: bool = False) -> Layout:
        """Return the tensor with these atoms as its channels, in any order unless `exact`."""
        wanted = self.atoms.leaves(channels)
        last = layout.own[-1]
        if last == wanted or (not exact and sorted(last) == sorted(wanted)):
            return layout
        inside = set(wanted)
        rest = [tuple(atom for atom in axis if atom not in inside) for axis in layout.own]
        if not exact:
            wanted = tuple(atom for axis in layout.own for atom in axis if atom in inside)
        kept = [axis for axis in rest if axis]
        while len(kept) > MOST_AXES - 1:
            kept[:2] = [kept[0] + kept[1]]
        if not kept:
            kept = [(), ()]
        return self.spread(layout, (*kept, wanted))
