"""Walk through the calls of a model's layers, in an order in which every input is made before."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcalc.errors import shown
from archcalc.interop.keras.emit import Flow, LayerWriter, Recorder
from archcalc.interop.keras.joins import FUNCTIONS, JOINS, function_of
from archcalc.interop.keras.layers import LAYERS
from archcalc.interop.keras.sequences import SEQUENCES
from archcalc.interop.keras.settings import LayerError, Settings, UnknownLayerError
from archcalc.interop.keras.topology import LayerEntry, Ref, Topology, is_model, refs, topology
from archcalc.interop.keras.windows import WINDOWS, LayerRule
from archcalc.interop.trace import Shape
from archcalc.tuples import NamedTuple

RULES: dict[str, LayerRule] = {**WINDOWS, **LAYERS, **JOINS, **SEQUENCES}
MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError)
_DEEPEST = 30  # models in models
_MOST_CALLS = 200_000  # of layers, and inputs of calls
_CODE = ("Lambda", "Lambda>Lambda")

Made = dict[tuple[str, int], list[Flow]]


class EnclosingModel(NamedTuple):
    """The model around a layer: its path, whether it trains, and how many models are around it."""

    path: str
    trains: bool
    depth: int


class LocatedLayerError(LayerError):
    """A fact with the layer that it is about."""


class ModelWalk:
    """The walk through a model and the models in it.

    `strangers` are the places of layers that have neither a rule nor a recorded shape, by why.
    """

    def __init__(self, to: Recorder) -> None:
        self.to, self._calls = to, 0
        self.strangers: dict[str, list[str]] = {}

    def model(self, model: Topology, inputs: Sequence[Flow], around: EnclosingModel) -> list[Flow]:
        """Return what a model makes of its inputs.

        Raises:
            LayerError: inputs are missing, calls wait for each other, or a layer cannot be read.
        """
        if around.depth > _DEEPEST:
            raise LayerError(f"models are nested more than {_DEEPEST} deep")
        if len(inputs) != len(model.inputs):
            raise LayerError(f"it has {len(model.inputs)} inputs, and gets {len(inputs)}")
        made: Made = {(ref.layer, 0): [flow] for ref, flow in zip(model.inputs, inputs, strict=True)}
        recorded = _recorded(model)
        for layer, number in _ordered(model, made):
            path = f"{around.path}.{layer.name}" if around.path else layer.name
            where = around._replace(path=path, depth=around.depth + 1)
            try:
                found = self._layer(layer, number, made, where, recorded.get((layer.name, number)))
            except LocatedLayerError:
                raise
            except LayerError as fact:
                told = f"layer '{path}' ({shown(layer.cls)}): {fact}"
                raise LocatedLayerError(told, fact.help) from fact
            except MALFORMED as error:
                what = "its settings are not written as Keras writes them"
                raise LocatedLayerError(f"layer '{path}' ({shown(layer.cls)}): {what}") from error
            made[layer.name, number] = found
        return [_found(made, ref) for ref in model.outputs]

    def _layer(
        self, layer: LayerEntry, number: int, made: Made, at: EnclosingModel, recorded: Shape | None
    ) -> list[Flow]:
        call = layer.calls[number - layer.first]
        inputs = [_found(made, ref) for ref in refs((call.args, dict(call.kwargs)))]
        self._calls += 1 + len(inputs)
        if self._calls > _MOST_CALLS:
            raise LayerError(f"the model calls layers more than {_MOST_CALLS:,} times")
        trains = at.trains and layer.config.get("trainable") is not False
        self.to.modules[at.path] = layer.cls
        entry = {"class_name": layer.cls, "config": layer.config}
        if is_model(entry):
            return self.model(topology(entry), inputs, at._replace(trains=trains))
        w = LayerWriter(self.to, at.path, layer.cls, Settings(layer.config), inputs, trains)
        if layer.cls == "TimeDistributed":
            return [self._each_step(w, at._replace(trains=trains))]
        try:
            function = function_of(layer.cls, layer.origin, layer.config)
            if function:
                args = [_evaluated(made, arg) for arg in call.args]
                args += [_evaluated(made, arg) for key, arg in call.kwargs.items() if key != "name"]
                flow = _rule(FUNCTIONS, function)(w, args)
            else:
                flow = _rule(RULES, layer.cls.rpartition(">")[2])(w)
        except UnknownLayerError as fact:
            return [self._stranger(w, fact, recorded)]
        return [_agreeing(flow, recorded)]

    def _each_step(self, w: LayerWriter, at: EnclosingModel) -> Flow:
        """Apply a layer to each step of a sequence: steps become images of the batch."""
        inner = {"name": "layer", **(w.settings.get("layer") or {})}
        batch, steps, *rest = w.x.shape
        shape = (batch * steps, *rest)
        row = Flow(w.op("view", [w.natural(w.x)], shape, w.x.dtype), shape, dtype=w.x.dtype)
        one = {"layers": [{"class_name": "InputLayer", "name": "step", "config": {}}, inner]}
        (made,) = self.model(topology({"config": one}), [row], at)
        out = (batch, steps, *made.shape[1:])
        return Flow(w.op("view", [w.natural(made)], out), out)

    def _stranger(self, w: LayerWriter, fact: UnknownLayerError, recorded: Shape | None) -> Flow:
        """Read a layer without a rule: its output has the shape that the file records, if it does."""
        if recorded is not None and all(isinstance(n, int) and n > 0 for n in recorded[1:]):
            return w.opaque((w.x.shape[0], *recorded[1:]))
        told = str(fact) or "no rule counts it"
        if w.cls in _CODE:
            told = "Python code, which is never run"
        self.strangers.setdefault(f"{shown(w.cls)}, {told}", []).append(w.place)
        return w.x


def _rule(rules: Mapping[str, Any], name: str) -> Any:
    if name not in rules:
        raise UnknownLayerError("")
    return rules[name]


def _found(made: Made, ref: Ref) -> Flow:
    flows = made.get((ref.layer, ref.call))
    if flows is None or not 0 <= ref.output < len(flows):
        raise LayerError(f"nothing makes output {ref.output} of call {ref.call} of '{shown(ref.layer)}'")
    return flows[ref.output]


def _evaluated(made: Made, value: Any) -> Any:
    if isinstance(value, Ref):
        return _found(made, value)
    return [_evaluated(made, item) for item in value] if isinstance(value, list) else value


def _recorded(model: Topology) -> dict[tuple[str, int], Shape]:
    """Return the shapes of first outputs that Keras 3 records where they are read."""
    return {
        (ref.layer, ref.call): ref.shape
        for layer in model.layers
        for call in layer.calls
        for ref in refs((call.args, dict(call.kwargs)))
        if ref.shape is not None and ref.output == 0
    }


def _agreeing(flow: Flow, recorded: Shape | None) -> Flow:
    """Return the flow, if its shape is the recorded one wherever the file fixes it."""
    if recorded is not None:
        same = len(recorded) == len(flow.shape)
        if not same or any(n not in (None, m) for n, m in zip(recorded, flow.shape, strict=True)):
            told = "×".join("?" if n is None else shown(n) for n in recorded[1:])
            mine = "×".join(map(str, flow.shape[1:]))
            raise LayerError(f"it makes {mine}, where the file records {told}")
    return flow


def _ordered(model: Topology, made: Made) -> Iterator[tuple[LayerEntry, int]]:
    """Yield the calls in the file's order, each after those that make its inputs.

    Raises:
        LayerError: calls wait for each other, or for what is not there.
    """
    waiting: dict[tuple[str, int], list[tuple[int, int]]] = {}
    missing: dict[tuple[int, int], int] = {}
    ready: list[tuple[int, int]] = []
    for at, layer in enumerate(model.layers):
        for number, call in enumerate(layer.calls, layer.first):
            if (layer.name, number) in made:
                continue
            needed = {(ref.layer, ref.call) for ref in refs((call.args, dict(call.kwargs)))} - set(made)
            missing[at, number] = len(needed)
            for key in needed:
                waiting.setdefault(key, []).append((at, number))
            if not needed:
                heapq.heappush(ready, (at, number))
    done = 0
    while ready:
        at, number = heapq.heappop(ready)
        done += 1
        yield model.layers[at], number
        for later in waiting.pop((model.layers[at].name, number), ()):
            missing[later] -= 1
            if not missing[later]:
                heapq.heappush(ready, later)
    if done < len(missing):
        at, number = min(key for key, count in missing.items() if count)
        raise LayerError(f"layer '{shown(model.layers[at].name)}' waits for tensors that nothing makes")
