"""Turn steps into operations of the trace: tensors by name, weights with their roles, modules."""

from __future__ import annotations

from typing import Any

from archcalc.interop.onnx.attributes import layer_attributes
from archcalc.interop.onnx.modules import Home, home
from archcalc.interop.onnx.tensors import DTYPES
from archcalc.interop.onnx.values import Value
from archcalc.interop.onnx.walk import EnteredNode
from archcalc.interop.onnx.weights import computed, kind, learns, role_of
from archcalc.interop.trace import Kind, Operation, StoredWeight, Tensor

_MOST_MODULES = 50_000


class Emitter:
    """The parts of the trace collected so far."""

    def __init__(self, merges: bool) -> None:
        self._merges = merges  # whether the exporter writes equal weights once
        self.tensors: dict[str, Tensor] = {}
        self.weights: dict[str, StoredWeight] = {}
        self.modules: dict[str, str] = {}
        self.operations: list[Operation] = []
        self.norms: set[str] = set()  # places of layers that a batch norm was folded into
        self.merged: list[str] = []  # vectors that the exporter wrote once for several layers
        self.tables: dict[str, None] = {}  # constants that it computed beforehand
        self.turned: list[str] = []  # weights that the exporter wrote again, transposed
        self._embeddings: dict[tuple[int, ...], Value] = {}  # by shape
        self._homes: dict[str, Home] = {}
        self._made_of: dict[str, tuple[Value, ...]] = {}

    def tensor(self, value: Value) -> str:
        """Return the value's name, with its shape and type known to the trace."""
        name = value.name
        if name not in self.tensors:
            dtype = DTYPES.get(value.dtype)
            self.tensors[name] = Tensor(name, value.shape, dtype.name if dtype else "unknown")
        return name

    def weight(self, word: str, position: int, value: Value, folded: bool, at: Home) -> str:
        """Return a stored tensor that an operation reads; its first learned use decides its role."""
        name = self.tensor(value)
        is_a = kind(word, position, value, folded)
        known = self.weights.get(name)
        if known is None:
            self._homes[name] = at
            self.keep(name, is_a)
            if computed(value, is_a):
                self.tables[name] = None
            self._tie(word, value)
        elif known.kind == "constant" and is_a != "constant":
            self.keep(name, is_a)
        elif self._merged(word, position, value, at, self._homes[name]):
            name = f"{name}#{len(self.merged) + 2}"
            self.tensors[name] = self.tensors[value.name]._replace(name=name)
            self.keep(name, is_a)
            self.merged.append(name)
        return name

    def _tie(self, word: str, value: Value) -> None:
        """Tie a head to an embedding, whose transposed table the older exporter writes as a copy."""
        if word == "embedding" and value.stored is not None:
            self._embeddings[value.shape] = value
        table = self._embeddings.get(value.shape[::-1]) if word == "linear" else None
        if table is not None and table.stored and value.stored and table.stored.is_turned(value.stored):
            self.weights[value.name] = self.weights[value.name]._replace(storage=table.name)
            self.turned.append(value.name)

    def keep(self, name: str, is_a: Kind) -> None:
        """Record a tensor of the file, and what it is."""
        self.tables.pop(name, None)
        self.weights[name] = StoredWeight(name, name, is_a, is_a == "parameter", name)

    def _merged(self, word: str, position: int, value: Value, at: Home, first: Home) -> bool:
        """Return whether two layers share a vector only because the exporter wrote equal ones once.

        Nobody ties biases and scales of different layers: untrained ones are equal, all zeros or
        ones. Where the values lie in another file, only the modules can decide.
        """
        if (
            not self._merges
            or len(value.shape) != 1
            or value.size < 2
            or value.stored is None
            or at.path == first.path
        ):
            return False
        if not role_of(word, position) and word not in ("add", "mul"):
            return False
        return value.stored.uniform or (value.stored.elsewhere and at.exact and first.exact)

    def made_of(self, outputs: list[Value], inputs: list[Value | None]) -> None:
        """Remember the weights that a folded operation computes from."""
        sources = tuple(v for v in inputs if v is not None and v.learned)
        self._made_of.update((value.name, sources) for value in outputs)

    def learned(self, value: Value) -> None:
        """Mark all tensors that this one is made of as learned, each once."""
        left = [value]
        while left:
            last = left.pop()
            left += self._made_of.pop(last.name, ())
            known = self.weights.get(last.name)
            if known is not None and known.kind == "constant" and last.size > 1:
                self.keep(last.name, "parameter")


class Emission:
    """One step on its way into the trace; translations of operators write with it."""

    __slots__ = ("call", "home", "outputs", "place", "to")

    def __init__(self, to: Emitter, step: EnteredNode) -> None:
        self.to, self.call, self.outputs, self.place = to, step.call, step.outputs, step.place
        self.home = home(step.call.node)
        if len(to.modules) < _MOST_MODULES:
            for path, cls in self.home.classes:
                to.modules[path] = to.modules.get(path) or cls
        if self.home.folded:
            to.norms.add(self.place)

    def op(
        self,
        word: str,
        inputs: list[Value | None],
        outputs: list[Value] | None = None,
        **attributes: Any,
    ) -> Value:
        """Write one operation; its first output, those of the step by default."""
        made = [v for v in (self.outputs if outputs is None else outputs) if v.name]
        if not made:
            return self.outputs[0]
        folded = made[0].fixed
        read = tuple(
            None if value is None else self._read(word, position, value, folded)
            for position, value in enumerate(inputs)
        )
        names = tuple(self.to.tensor(v) for v in made)
        if not folded:
            attributes |= layer_attributes(word, self.call)
        self.to.operations.append(Operation(word, read, names, attributes, self.home.path, self.place))
        if folded:
            self.to.made_of(made, inputs)
        return made[0]

    def _read(self, word: str, position: int, value: Value, folded: bool) -> str:
        if value.root:
            return self.to.weight(word, position, value, folded, self.home)
        if value.learned and learns(word, position):
            self.to.learned(value)
        return self.to.tensor(value)

    def learns(self, word: str, position: int, value: Value) -> None:
        """Set the role of a value before it is transposed for the operation that uses it."""
        if value.root:
            self.to.weight(word, position, value, False, self.home)
        elif value.learned:
            self.to.learned(value)

    def temporary(self, shape: tuple[int, ...], dtype: int, fixed: bool = False) -> Value:
        """Return a value between two operations of one node."""
        value = Value(shape, dtype)
        value.fixed = value.learned = fixed
        value.name = f"{self.outputs[0].name}#{len(self.to.tensors)}"
        self.to.tensor(value)
        return value

    @property
    def inputs(self) -> list[Value | None]:
        return self.call.inputs
