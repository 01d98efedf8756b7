"""Read a Keras model as a trace: which dialect, its inputs, one walk through its layers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.keras.emit import Flow, Recorder
from archcalc.interop.keras.settings import MOST_AXES, LayerError, size
from archcalc.interop.keras.topology import Topology, is_model, topology
from archcalc.interop.keras.walk import MALFORMED, EnclosingModel, ModelWalk
from archcalc.interop.onnx.inputs import feed
from archcalc.interop.onnx.messages import ValueInfo
from archcalc.interop.onnx.tensors import FLOAT
from archcalc.interop.trace import Trace

_MOST_NAMED = 40  # kinds of unknown layers
_SHAPES = "Keras' file holds layers: shapes were computed from them, and are written channels first"


def read(
    document: Any,
    label: str,
    inputs: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, int],
    version: str = "",
) -> Trace:
    """Return the trace of a decoded config.

    Args:
        label: the file's name, as errors say it.
        inputs: shapes by the names of input layers, batch included.
        dims: `batch`, where it is not 1.
        version: of Keras, where the file says it elsewhere.

    Raises:
        ArchError: it is no model of Keras, or one with layers that cannot be counted.
    """
    try:
        entry, source = _entry(document, version)
        return _trace(entry, label, source, inputs, dims)
    except LayerError as fact:
        raise ArchError(Diagnostic(f"{label}: {fact}", help=fact.help)) from fact
    except MALFORMED as error:
        raise ArchError(f"{label}: its model is not written as Keras writes it") from error


def _entry(document: Any, version: str) -> tuple[Mapping[str, Any], str]:
    """Return the model's own entry, and who wrote it."""
    outer = document
    tfjs = isinstance(document, dict) and "modelTopology" in document
    if tfjs:
        if document.get("format") == "graph-model":
            raise LayerError(
                "a graph model of tfjs, not its layers",
                "convert it to a layers model: tensorflowjs_converter --output_format tfjs_layers_model",
            )
        outer = document["modelTopology"]
    entry = outer.get("model_config", outer)
    if not isinstance(entry, dict) or not is_model(entry):
        cls = entry.get("class_name", "it") if isinstance(entry, dict) else "it"
        raise LayerError(
            f"{cls} is Python code: only Sequential and Functional models have their layers in the file"
        )
    version = str(outer.get("keras_version") or version)
    new = "module" in entry
    name = f"Keras {version}" if version else "Keras 3" if new else "Keras"
    return entry, f"tfjs layers model, {name}" if tfjs else name


def _trace(
    entry: Mapping[str, Any],
    label: str,
    source: str,
    given: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, int],
) -> Trace:
    model = topology(entry)
    to = Recorder()
    to.modules[""] = str(entry.get("class_name", "Model"))
    flows = _inputs(model, entry, label, to, given, dims)
    walk = ModelWalk(to)
    try:
        outputs = walk.model(model, flows, EnclosingModel("", _trains(entry), 0))
    except LayerError:
        if not walk.strangers:
            raise
        outputs = []
    if walk.strangers:
        raise _unknown(label, walk.strangers)
    return Trace(
        label,
        source,
        tuple(flow.name for flow in flows),
        tuple(flow.name for flow in outputs),
        to.tensors,
        tuple(to.weights.values()),
        to.modules,
        tuple(to.operations),
        (_SHAPES,),
    )


def _trains(entry: Mapping[str, Any]) -> bool:
    config = entry["config"]
    return not isinstance(config, dict) or config.get("trainable") is not False


def _unknown(label: str, strangers: Mapping[str, list[str]]) -> ArchError:
    """Return all layers without a rule; the file records no shape to go on with."""
    many = sum(map(len, strangers.values()))
    what = "a layer" if many == 1 else f"{many:,} layers"
    notes = tuple(
        f"{why}: {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for why, places in islice(strangers.items(), _MOST_NAMED)
    )
    return ArchError(
        Diagnostic(
            f"{label} holds {what} that archcalc does not know",
            notes=notes,
            help="Keras 3's `model.to_json()` and `.keras` record what such layers make: with it, "
            "--allow-unknown counts the others",
        )
    )


def _inputs(
    model: Topology,
    entry: Mapping[str, Any],
    label: str,
    to: Recorder,
    given: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, int],
) -> list[Flow]:
    """Return the tensors that go in; what the file leaves free is given by name."""
    layers = {layer.name: layer for layer in model.layers}
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    declared, dtypes = [], {}
    for ref in model.inputs:
        own = layers[ref.layer].config
        shape = own.get("batch_shape") or own.get("batch_input_shape") or config.get("build_input_shape")
        dtype = own.get("dtype")
        dtypes[ref.layer] = dtype if isinstance(dtype, str) else "float32"
        declared.append(ValueInfo(ref.layer, FLOAT, _extents(shape), "tensor"))
    try:
        fed, _ = feed(declared, given, dims)
    except ArchError as error:
        told = [d._replace(message=f"{label}: {d.message}") for d in error.diagnostics]
        raise ArchError(*told) from error
    return [
        Flow(to.tensor(name, value.shape, dtypes[name]), value.shape, dtype=dtypes[name])
        for name, value in fed.items()
    ]


def _extents(shape: Any) -> tuple[int | str | None, ...] | None:
    if shape is None:
        return None
    if not isinstance(shape, list) or not 1 <= len(shape) <= MOST_AXES:
        raise LayerError("the shape of an input is no list of a few sizes")
    first = shape[0] if shape[0] is None else size(shape[0], "the batch")
    sizes = [None if n is None else size(n, "a size of an input") for n in shape[1:]]
    return ("batch" if first is None else first, *sizes)
