"""Recognize attention that a file writes out: two matrix products around a softmax."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.interop.lowering.written_norms import written_norm
from archcalc.interop.trace import Operation, Tensor, Trace
from archcalc.tuples import NamedTuple

_SAME = ("dropout", "cast", "copy")


class _Core(NamedTuple):
    """A softmax between two matrix products; `scale` multiplies the scores."""

    inside: tuple[int, ...]  # the operations, by their numbers
    query: str
    key: str  # transposed: […, channels, keys]
    value: str
    added: tuple[str, ...]
    scale: float


class Gathering:
    """The live operations of a trace, where some sequences of operations become one."""

    def __init__(self, trace: Trace, live: tuple[Operation, ...]) -> None:
        self.trace, self.live = trace, live
        self.tensors: dict[str, Tensor] = dict(trace.tensors)
        self.made = {name: i for i, op in enumerate(live) for name in op.outputs}
        self.readers: dict[str, int] = {}
        for op in live:
            for name in set(op.inputs):
                self.readers[name or ""] = self.readers.get(name or "", 0) + 1
        for name in trace.outputs:
            self.readers[name] = self.readers.get(name, 0) + 2

    def gathered(self) -> tuple[Operation, ...]:
        """Return the operations, with each attention, norm and merging of neighbors as one."""
        gone: set[int] = set()
        instead: dict[int, tuple[Operation, ...]] = {}
        for at, op in enumerate(self.live):
            if op.word == "cat" and len(op.inputs) == 4:
                instead |= self._neighbors(at)
            if normed := written_norm(self, op):
                instead[at] = (normed,)
            core = self._core(at) if op.word == "matmul" else None
            if core is None or gone & set(core.inside):
                continue
            gone.update(core.inside)
            instead[at] = self._one(at, core)
        made: list[Operation] = []
        for at, op in enumerate(self.live):
            made.extend(instead.get(at, () if at in gone else (op,)))
        return self._read(made)

    def _read(self, operations: list[Operation]) -> tuple[Operation, ...]:
        """Return the operations that an output still needs."""
        wanted: set[str | None] = set(self.trace.outputs)
        kept: list[Operation] = []
        for op in reversed(operations):
            if not wanted.isdisjoint(op.outputs):
                kept.append(op)
                wanted.update(op.inputs)
        return tuple(kept[::-1])

    def _one(self, at: int, core: _Core) -> tuple[Operation, ...]:
        op, key = self.live[at], self.tensors[core.key]
        turned = f"{core.key}'turned"
        shape = (*key.shape[:-2], key.shape[-1], key.shape[-2])
        self.tensors[turned] = key._replace(name=turned, shape=shape)
        rank = len(shape)
        dims = (*range(rank - 2), rank - 1, rank - 2)
        permute = Operation("permute", (core.key,), (turned,), {"dims": dims}, op.module, op.place)
        inputs = (core.query, turned, core.value, *core.added)
        given = {"scale": core.scale}
        return permute, Operation("attention", inputs, op.outputs, given, op.module, op.place)

    def _core(self, at: int) -> _Core | None:
        """Return the attention that ends with this matrix product, or None."""
        op = self.live[at]
        inside, added = [at], list[str]()
        i = self._before(op.inputs[0], inside, _SAME)
        if i < 0 or self.live[i].word != "softmax" or not self._last(i):
            return None
        inside.append(i)
        scale, name = 1.0, self.live[i].inputs[0] or ""
        while True:
            j = self.made.get(name, -1)
            if j < 0 or self.readers.get(name) != 1:
                return None
            step = self.live[j]
            inside.append(j)
            if step.word == "matmul":
                break
            if factor := self._factor(step):
                scale, name = scale * factor, self._live(step.inputs)[0]
            elif step.word == "add" and scale == 1 and self._adds_constant(step):
                name = self._live(step.inputs)[0]
                added += [n for n in step.inputs if n and n != name]
            elif step.word in (*_SAME, "view") and self._keeps_last_two(step):
                name = step.inputs[0] or ""
            else:
                return None
        (query, a), (key, b) = (self._unscaled(n or "", inside) for n in step.inputs[:2])
        if any(len(self.tensors[n].shape) < 3 for n in (query, key, op.inputs[1] or "")):
            return None
        value, scale = op.inputs[1] or "", scale * a * b
        return _Core(tuple(inside), query, key, value, tuple(added), scale)

    def step(self, name: str | None) -> Operation | None:
        """Return the live operation that makes a tensor."""
        return self.live[self.made[name]] if name in self.made else None

    def _neighbors(self, at: int) -> dict[int, tuple[Operation, ...]]:
        """Recognize Swin's patch merging: four slices of every second row and column, concatenated."""
        op = self.live[at]
        found = [self._strided(name or "") for name in op.inputs]
        source, dims = found[0][0], tuple(sorted(found[-1][1]))
        rank = len(self.tensors[op.outputs[0]].shape)
        starts = [tuple(chosen.get(dim, -1) for dim in dims) for _, chosen in found]
        alike = all(name == source and len(chosen) == 2 for name, chosen in found)
        last = op.attributes.get("dim") in (-1, rank - 1)
        if not alike or not last or starts != [(0, 0), (1, 0), (0, 1), (1, 1)]:
            return {}
        one = Operation("todepth", (source,), op.outputs, {"dims": dims}, op.module, op.place)
        return {at: (one,)}

    def _strided(self, name: str) -> tuple[str, dict[int, int]]:
        """Return the tensor that is sliced with step 2 along some axes, and each axis's start."""
        chosen: dict[int, int] = {}
        while name in self.made and self.live[self.made[name]].word == "slice":
            step = self.live[self.made[name]]
            source, given = step.inputs[0] or "", step.attributes
            before, after = self.tensors[source].shape, self.tensors[name].shape
            dim = int(given.get("dim", 0)) % len(before)
            if given.get("step") == 2 and before[dim] == 2 * after[dim]:
                chosen[dim] = int(given.get("start") or 0)
            elif before != after:
                break
            name = source
        return name, chosen

    def _live(self, names: Iterable[str | None]) -> list[str]:
        return [n for n in names if n in self.made or n in self.trace.inputs]

    def _adds_constant(self, step: Operation) -> bool:
        return len(step.inputs) == 2 and len(self._live(step.inputs)) == 1

    def _factor(self, step: Operation) -> float | None:
        """Return the known number that an operation multiplies its only live input by, or None."""
        live, given = self._live(step.inputs), step.attributes
        number = given.get("scalar", given.get("other"))
        if step.word not in ("mul", "div") or len(live) != 1 or not isinstance(number, int | float):
            return None
        if self.tensors[live[0]].shape != self.tensors[step.outputs[0]].shape:
            return None
        if step.word == "mul":
            return float(number)
        return 1 / number if number and step.inputs[0] == live[0] else None

    def _last(self, i: int) -> bool:
        dim = self.live[i].attributes.get("dim", -1)
        return dim in (-1, len(self.tensors[self.live[i].outputs[0]].shape) - 1)

    def _keeps_last_two(self, step: Operation) -> bool:
        a, b = (self.tensors[n or ""].shape for n in (step.inputs[0], step.outputs[0]))
        return len(a) > 1 and a[-2:] == b[-2:]

    def _before(self, name: str | None, inside: list[int], words: tuple[str, ...]) -> int:
        """Return the number of the operation that made a tensor, or −1.

        Operations in `words` are skipped. Each tensor on the way must have one reader.
        """
        while name in self.made and self.readers.get(name or "") == 1:
            i = self.made[name or ""]
            if self.live[i].word not in words:
                return i
            inside.append(i)
            name = self.live[i].inputs[0]
        return -1

    def _unscaled(self, name: str, inside: list[int]) -> tuple[str, float]:
        """Return the queries or keys before a known factor, and the factor."""
        i = self.made.get(name, -1)
        factor = None if i < 0 or self.readers.get(name) != 1 else self._factor(self.live[i])
        if not factor:
            return name, 1.0
        inside.append(i)
        return self._live(self.live[i].inputs)[0], factor
