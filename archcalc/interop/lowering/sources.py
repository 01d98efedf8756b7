"""Look up tensors of the trace: their shapes, and the weights that constants are computed from."""

from __future__ import annotations

from collections.abc import Hashable
from math import prod
from typing import Any

from archcalc.interop.prune import Pruned
from archcalc.interop.trace import Shape, Tensor, Trace


class WeightSources:
    """A trace while it is lowered, and which of its parameters layers already have."""

    def __init__(self, trace: Trace, pruned: Pruned) -> None:
        self.trace, self.pruned = trace, pruned
        self._weights = {weight.tensor: weight for weight in trace.weights}
        self._claimed: set[str] = set()
        read = {name for op in pruned.live for name in op.inputs}
        self._read = {w.storage for w in trace.weights if w.tensor in read}
        self._between: dict[str, Tensor] = {}
        self._folded = {name: op for op in pruned.folded for name in op.outputs}
        self._origins: dict[str, Hashable] = {}
        self._tables: dict[str, int] = {}  # embeddings by the storage of their weight

    def shape(self, name: str | None) -> Shape:
        found = self._between.get(name or "")
        return (found or self.trace.tensors[name or ""]).shape

    def temporary(self, shape: tuple[int, ...]) -> str:
        """Return the name of a new tensor between two layers of one operation."""
        name = f"\0{len(self._between)}"
        self._between[name] = Tensor(name, shape, "float32")
        return name

    def parameter_behind(self, tensor: str) -> bool:
        """Return whether a constant is one parameter, perhaps in another shape."""
        found = self.pruned.behind.get(tensor, ())
        if len(found) != 1 or self._weights[found[0]].kind != "parameter":
            return False
        return prod(self.shape(found[0])) == prod(self.shape(tensor))

    def claimed(self, tensor: str) -> int:
        """Claim the parameters behind a constant; return how many of their numbers no layer has yet."""
        found = [self._weights[name] for name in self.pruned.behind.get(tensor, ())]
        taken = self._claimed if tensor in self._weights else self._claimed | self._read
        new = {w.storage: w.tensor for w in found if w.kind == "parameter" and w.storage not in taken}
        self._claimed.update(new)
        return sum(prod(self.shape(name)) for name in new.values())

    def claim(self, tensor: str) -> None:
        """Record that a layer has the parameters behind a tensor."""
        self._claimed.update(self._weights[name].storage for name in self.pruned.behind.get(tensor, ()))

    def is_parameter(self, tensor: str) -> bool:
        return tensor in self._weights and self._weights[tensor].kind == "parameter"

    def fresh(self, tensor: str) -> bool:
        """Return whether a constant has exactly the numbers of parameters that no layer has yet."""
        found = [self._weights[name] for name in self.pruned.behind.get(tensor, ())]
        if any(w.kind != "parameter" or w.storage in self._claimed for w in found):
            return False
        size = sum(prod(self.shape(name)) for name in {w.storage: w.tensor for w in found}.values())
        return size == prod(self.shape(tensor))

    def learned_behind(self, tensor: str) -> int:
        """Return how many trainable numbers a constant is computed from."""
        found = (self._weights[name] for name in self.pruned.behind.get(tensor, ()))
        tensors = {w.storage: w.tensor for w in found if w.kind == "parameter"}
        return sum(prod(self.shape(name)) for name in tensors.values())

    def role_of(self, tensor: str) -> tuple[str, dict[str, Any]]:
        """Return the role of a constant that a layer stores, and the operator's arguments for it."""
        if self.fresh(tensor):
            self.claimed(tensor)
            return "weight", {}
        made = self.claimed(tensor)
        return "fixed", {"of": made} if made else {"fixed": True}

    def origin(self, tensor: str) -> Hashable:
        """Return a key that is equal for equal tensors: of one storage, or computed alike from such."""
        if tensor in self._weights:
            return self._weights[tensor].storage
        found = self._origins.get(tensor)
        if found is None:
            op = self._folded.get(tensor)
            made = (op.word, op.outputs.index(tensor), repr(sorted(op.attributes.items()))) if op else ()
            read = tuple(self.origin(name) if name else None for name in (op.inputs if op else ()))
            found = self._origins[tensor] = (made, read, self.shape(tensor)) if op else tensor
        return found

    def _storages(self, tensor: str) -> str:
        found = self.pruned.behind.get(tensor, ())
        return "+".join(self._weights[name].storage for name in found) or tensor

    def table(self, tensor: str, node: int) -> None:
        """Record the embedding node that holds a tensor as its table."""
        self._tables.setdefault(self._storages(tensor), node)

    def table_of(self, tensor: str) -> int | None:
        """Return the embedding node whose table a weight is (a tied head), or None."""
        return self._tables.get(self._storages(tensor))
