"""Write operations of the trace: tensors with both orders of axes, weights that layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.keras.settings import LARGEST, MOST_AXES, LayerError, Settings
from archcalc.interop.trace import OPAQUE, Kind, Operation, Shape, StoredWeight, Tensor
from archcalc.tuples import NamedTuple


class Flow(NamedTuple):
    """A tensor of the model: `shape` in Keras' order; `first`: the trace has its last axis as axis 1."""

    name: str
    shape: Shape
    first: bool = False
    dtype: str = "float32"

    @property
    def held(self) -> Shape:
        """The shape as the trace has it."""
        return turned(self.shape) if self.first else self.shape


def turned(shape: Shape) -> Shape:
    """Return a shape channels first."""
    return (shape[0], shape[-1], *shape[1:-1])


class Recorder:
    """The parts of the trace collected so far."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self.weights: dict[str, StoredWeight] = {}
        self.modules: dict[str, str] = {}
        self.operations: list[Operation] = []
        self._turned: dict[str, str] = {}  # the same tensor in the other order
        self._made: dict[str, int] = {}

    def tensor(self, name: str, shape: Shape, dtype: str) -> str:
        """Make a tensor and return its name, numbered where that is taken."""
        if len(shape) > MOST_AXES or any(n > LARGEST for n in shape):
            raise LayerError("what it makes is larger than anything that is read")
        count = self._made[name] = self._made.get(name, 0) + 1
        name = name if count == 1 else f"{name}#{count}"
        self.tensors[name] = Tensor(name, shape, dtype)
        return name

    def other_order(self, at: LayerWriter, flow: Flow) -> str:
        """Return the tensor in the other order of axes; it is permuted once."""
        known = self._turned.get(flow.name)
        if known is None:
            last = len(flow.shape) - 1
            dims = (0, *range(2, last + 1), 1) if flow.first else (0, last, *range(1, last))
            shape = flow.shape if flow.first else turned(flow.shape)
            known = at.op("permute", [flow.name], shape, flow.dtype, dims=dims)
            self._turned[flow.name], self._turned[known] = known, flow.name
        return known


class LayerWriter:
    """One call of a layer on its way into the trace; the rules of layers write with it."""

    def __init__(
        self, to: Recorder, path: str, cls: str, settings: Settings, inputs: Sequence[Flow], trains: bool
    ) -> None:
        self.to, self.path, self.cls, self.settings = to, path, cls, settings
        self.inputs, self.trains = list(inputs), trains

    @property
    def x(self) -> Flow:
        """The first input."""
        if not self.inputs:
            raise LayerError("it has no input")
        return self.inputs[0]

    def natural(self, flow: Flow) -> str:
        """Return the tensor in Keras' order."""
        return self.to.other_order(self, flow) if flow.first else flow.name

    def images(self, flow: Flow | None = None) -> tuple[str, Shape]:
        """Return the tensor channels first, and its shape, as the layer's data format says."""
        flow = flow or self.x
        if len(flow.shape) < 3:
            raise LayerError(f"it reads images, and gets {'×'.join(map(str, flow.shape))}")
        if self.settings.channels_first:
            return self.natural(flow), flow.shape
        return (flow.name if flow.first else self.to.other_order(self, flow)), turned(flow.shape)

    def back(self, name: str, shape: Shape) -> Flow:
        """Return images channels first as what the layer makes."""
        if self.settings.channels_first:
            return Flow(name, shape)
        return Flow(name, (shape[0], *shape[2:], shape[1]), True)

    def op(
        self,
        word: str,
        inputs: Sequence[str | None],
        shape: Shape,
        dtype: str = "float32",
        **attributes: Any,
    ) -> str:
        """Write one operation and return its output."""
        made = self.to.tensor(self.path or "output", shape, dtype)
        written = Operation(word, tuple(inputs), (made,), attributes, self.path, self.place)
        self.to.operations.append(written)
        return made

    def like(self, flow: Flow, word: str, *others: str | None, **attributes: Any) -> Flow:
        """Write a function of every value by itself; the order of axes stays."""
        made = self.op(word, [flow.name, *others], flow.held, flow.dtype, **attributes)
        return flow._replace(name=made)

    def opaque(self, shape: Shape) -> Flow:
        """Write an unknown layer whose output's shape the file records."""
        names = [self.natural(flow) for flow in self.inputs]
        return Flow(self.op(OPAQUE, names, shape, name=self.cls), shape)

    def weight(self, name: str, shape: Shape, kind: Kind = "parameter") -> str:
        """Return a weight of the layer, the same one each time that it is called."""
        full = f"{self.path}.{name}"
        if full not in self.to.weights:
            tensor = self.to.tensor(full, shape, "float32")
            trains = self.trains and kind == "parameter"
            self.to.weights[full] = StoredWeight(full, tensor, kind, trains, full)
        known = self.to.weights[full].tensor
        if self.to.tensors[known].shape != shape:
            raise LayerError("it is called twice with inputs that need other weights")
        return known

    @property
    def place(self) -> str:
        """The layer as messages name it."""
        return f"layer '{self.path}' ({self.cls})"
