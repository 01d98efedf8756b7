"""The layers of a Keras model and their calls, the same from every dialect: Keras 2, Keras 3, tfjs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from archcalc.interop.keras.settings import LayerError
from archcalc.tuples import NamedTuple

_MODELS = ("Functional", "Model", "Sequential")


class Ref(NamedTuple):
    """An output of a call of a layer, with the shape that Keras 3 records beside it."""

    layer: str
    call: int
    output: int
    shape: tuple[Any, ...] | None = None


class LayerCall(NamedTuple):
    """One use of a layer: arguments in order and by name; tensors are `Ref`s, also inside of lists."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class LayerEntry(NamedTuple):
    """A layer as the file has it.

    `origin` is the Python module of an operation of Keras 3. `first` is the number of the first call:
    Keras 2 counts from 1 where a model in a model was built before it was called.
    """

    name: str
    cls: str
    origin: str
    config: Mapping[str, Any]
    calls: tuple[LayerCall, ...]
    first: int = 0


class Topology(NamedTuple):
    """A model: its layers, and which tensors go in and come out."""

    layers: tuple[LayerEntry, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]


def is_model(entry: Mapping[str, Any]) -> bool:
    """Return whether a layer is a model with layers of its own."""
    config = entry.get("config")
    known = entry.get("class_name") in _MODELS
    return isinstance(config, list) or (isinstance(config, dict) and "layers" in config) or known


def topology(entry: Mapping[str, Any]) -> Topology:
    """Return the layers of a model's entry.

    Raises:
        LayerError: the entry is not written as Keras writes it.
    """
    config = entry["config"]
    written = config if isinstance(config, list) else config.get("layers")
    if not isinstance(written, list) or not written:
        raise LayerError("it has no layers")
    functional = isinstance(config, dict) and "output_layers" in config
    layers = tuple(_entry(layer, number) for number, layer in enumerate(written))
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise LayerError(f"two layers are called '{twice}'")
    if functional:
        inputs, outputs = _ends(config["input_layers"]), _ends(config["output_layers"])
        return Topology(_numbered(layers, outputs), inputs, outputs)
    return _sequential(layers)


def _numbered(layers: tuple[LayerEntry, ...], outputs: tuple[Ref, ...]) -> tuple[LayerEntry, ...]:
    """Return layers with the number of their first call, by the largest number that is referred to."""
    last: dict[str, int] = {}
    calls = (call for layer in layers for call in layer.calls)
    for ref in (*outputs, *(ref for call in calls for ref in refs((call.args, dict(call.kwargs))))):
        last[ref.layer] = max(last.get(ref.layer, 0), ref.call)
    return tuple(
        layer._replace(first=max(last.get(layer.name, 0) + 1 - len(layer.calls), 0))
        if layer.calls and is_model({"class_name": layer.cls, "config": layer.config})
        else layer
        for layer in layers
    )


def _sequential(layers: tuple[LayerEntry, ...]) -> Topology:
    """Connect each layer to the one before; the first reads an input of its own name."""
    first = layers[0]
    if first.cls != "InputLayer":
        shape = first.config.get("batch_input_shape") or first.config.get("batch_shape")
        config = {"batch_shape": shape, "dtype": first.config.get("dtype")}
        layers = (LayerEntry(f"{first.name}_input", "InputLayer", "", config, ()), *layers)
    joined = [layers[0]._replace(calls=())]
    for before, layer in pairwise(layers):
        joined.append(layer._replace(calls=(LayerCall((Ref(before.name, 0, 0),), {}),)))
    return Topology(tuple(joined), (Ref(layers[0].name, 0, 0),), (Ref(layers[-1].name, 0, 0),))


def _entry(layer: Mapping[str, Any], number: int) -> LayerEntry:
    config = layer["config"]
    inner = config if isinstance(config, dict) else {"layers": config}
    name = layer.get("name") or inner.get("name") or f"layer{number}"
    calls = tuple(_call(node) for node in layer.get("inbound_nodes") or ())
    own = {**inner, "build_config": layer.get("build_config")}
    return LayerEntry(str(name), str(layer["class_name"]), str(layer.get("module") or ""), own, calls)


def _call(node: Any) -> LayerCall:
    if isinstance(node, dict):  # Keras 3
        kwargs = {key: _new(value) for key, value in (node.get("kwargs") or {}).items()}
        return LayerCall(tuple(_new(arg) for arg in node.get("args") or ()), kwargs)
    if node and isinstance(node[0], str):  # one tensor without a list around it
        node = [node]
    args: list[Any] = []
    kwargs = {}
    for part in node:
        args.append(_old(part[:3]))
        if len(part) > 3 and isinstance(part[3], dict):
            kwargs.update({key: _old(value) for key, value in part[3].items()})
    return LayerCall(tuple(args), kwargs)


def _new(value: Any) -> Any:
    """Return an argument of Keras 3 with its tensors as references."""
    if isinstance(value, list):
        return [_new(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        config = value["config"]
        name, call, output = config["keras_history"]
        shape = config.get("shape")
        return Ref(str(name), int(call), int(output), tuple(shape) if shape is not None else None)
    return {key: _new(item) for key, item in value.items()}


def _old(value: Any) -> Any:
    """Return an argument of Keras 2: a tensor is a name and two numbers, a constant is marked."""
    if isinstance(value, list):
        if value[:1] == ["_CONSTANT_VALUE"]:
            return value[2]
        if len(value) == 3 and isinstance(value[0], str) and all(type(n) is int for n in value[1:]):
            return Ref(value[0], value[1], value[2])
        return [_old(item) for item in value]
    return value


def _ends(written: Any) -> tuple[Ref, ...]:
    """Return the tensors of `input_layers` or `output_layers`: one, a list, or a dict of them."""
    found = _old(written)
    if isinstance(written, dict):
        found = [_old(value) for value in written.values()]
    return tuple(refs(found))


def refs(value: Any) -> Iterator[Ref]:
    """Yield the tensors of an argument in order."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from refs(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from refs(item)
