"""Collect the nodes, values and weights of an ONNX graph, with tensors in the axis order of nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, Literal

from archcalc.export.onnx.protobuf import FLOAT, INT64, field, node, value
from archcalc.graph.model import Graph, Node
from archcalc.symbols import Int
from archcalc.tuples import NamedTuple

Dims = tuple[int, ...]
Form = Literal["first", "last", "flat"]  # [1, c, …], [1, …, c], and [1, c] for a single position
Values = Mapping[str, Mapping[str, Any]]  # a layer's path → its weights' names → arrays


_MASK = (1 << 64) - 1


class Held(NamedTuple):
    """A stored tensor of the file: its shape, and a function that makes its values."""

    name: str
    shape: Dims
    dtype: int
    make: Callable[[Values], Any]


class Draft:
    """An ONNX graph that is being written, with a batch of 1."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[bytes] = []
        self.infos: list[bytes] = []
        self.held: dict[str, Held] = {}
        self.shapes: dict[str, Dims] = {}
        self._made: dict[int, dict[Form, str]] = {}  # by layer: its output in each axis order so far
        self._names: dict[str, int] = {}

    # ---- values of layers

    def put(self, index: int, form: Form, name: str) -> None:
        """Set the name of a layer's output in one axis order."""
        self._made.setdefault(index, {})[form] = name

    def same(self, index: int, source: int) -> None:
        """Set a layer's output to its input, because the layer does nothing at inference."""
        self._made[index] = self._made[source]

    def forms(self, index: int) -> list[Form]:
        """Return the axis orders in which a layer's output exists, the first made first."""
        return list(self._made[index])

    def get(self, index: int, form: Form, at: str) -> str:
        """Return a layer's output in an axis order; add a transpose if it does not exist yet."""
        made = self._made[index]
        if form not in made:
            shape = self.shape_of(index, form)
            before, name = next(iter(made.items()))
            if prod(self.graph.nodes[index].shape[:-1]) == 1:
                made[form] = self.reshape(name, shape, at)
            else:
                last = len(shape) - 1
                order = (0, last, *range(1, last)) if before == "last" else (0, *range(2, last + 1), 1)
                made[form] = self.op("Transpose", [name], shape, at, perm=order)
        return made[form]

    def shape_of(self, index: int, form: Form) -> Dims:
        """Return the shape of a layer's output in an axis order."""
        *positions, channels = map(int, self.graph.nodes[index].shape)
        if form == "flat":
            return (1, channels)
        return (1, *positions, channels) if form == "last" else (1, channels, *positions)

    # ---- nodes and tensors

    def op(self, kind: str, inputs: Sequence[str], shape: Sequence[Int], at: str, **options: Any) -> str:
        """Add a node with one output, and return the output's name."""
        return self.ops(kind, inputs, [shape], at, **options)[0]

    def ops(
        self, kind: str, inputs: Sequence[str], shapes: Sequence[Sequence[Int]], at: str, **options: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        names = [self._fresh(f"{at}/{kind}") for _ in shapes]
        for name, shape in zip(names, shapes, strict=True):
            self.shapes[name] = tuple(map(int, shape))
            self.infos.append(value(name, self.shapes[name]))
        self.nodes.append(field(1, node(kind, inputs, names, names[0], **options)))
        return names

    def reshape(self, name: str, shape: Sequence[int], at: str) -> str:
        """Add a reshape, and return its output."""
        return self.op("Reshape", [name, self.integers(shape)], shape, at)

    def weight(
        self, node: Node, name: str, shape: Sequence[Int], change: Callable[[Any], Any] = lambda w: w
    ) -> str:
        """Return a weight of a layer as a stored tensor; shared weights are stored once."""
        holder = self.graph.holder(node)
        full = f"{holder.path}.{name}"
        if full not in self.held:
            sizes = tuple(map(int, shape))
            self.held[full] = Held(full, sizes, FLOAT, lambda values: change(values[holder.path][name]))
        return full

    def constant(self, name: str, shape: Sequence[int], make: Callable[[Values], Any]) -> str:
        """Return a stored tensor that is not a parameter; its name marks it as computed."""
        full = f"onnx::{name}_{len(self.held)}"
        self.held[full] = Held(full, tuple(map(int, shape)), FLOAT, make)
        return full

    def number(self, value: float) -> str:
        """Return the name of a stored scalar."""
        return self._small(f"number_{value!r}", (), FLOAT, [value])

    def integers(self, values: Sequence[int]) -> str:
        """Return the name of a stored list of integers, as sizes or axes."""
        listed = [int(v) for v in values]
        name = "x".join(map(str, listed)) if len(listed) < 20 else f"{hash(tuple(listed)) & _MASK:x}"
        return self._small(f"sizes_{name}", (len(listed),), INT64, listed)

    def _small(self, name: str, shape: Dims, dtype: int, numbers: list[Any]) -> str:
        def make(values: Values) -> Any:
            import numpy as np

            return np.array(numbers, np.int64 if dtype == INT64 else np.float32).reshape(shape)

        full = f"onnx::{name}"
        self.held.setdefault(full, Held(full, shape, dtype, make))
        return full

    def _fresh(self, name: str) -> str:
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"
