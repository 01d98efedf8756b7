"""Read an ONNX file as a trace: one walk through the graph, every operator in the vocabulary's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import IO

from archcalc.errors import ArchError, Diagnostic, listed
from archcalc.interop.onnx.emit import Emission, Emitter
from archcalc.interop.onnx.functions import Opened, read_model
from archcalc.interop.onnx.inputs import feed
from archcalc.interop.onnx.tensors import FLOATS, Stored
from archcalc.interop.onnx.translations import TRANSLATIONS
from archcalc.interop.onnx.values import Value
from archcalc.interop.onnx.walk import (
    EnteredNode,
    LocatedError,
    Scope,
    UnknownOperationError,
    Walk,
    operator_of,
)
from archcalc.interop.onnx.wire import mapped
from archcalc.interop.onnx.words import SAME
from archcalc.interop.trace import OPAQUE, Operation, Trace

_NO_INPUTS: Mapping[str, tuple[int, ...]] = {}
_NO_DIMS: Mapping[str, int] = {}


def read(
    file: IO[bytes],
    label: str,
    inputs: Mapping[str, tuple[int, ...]] = _NO_INPUTS,
    dims: Mapping[str, int] = _NO_DIMS,
) -> Trace:
    """Return the trace of an open file; weights are not read.

    Args:
        label: the file's name, as errors say it.
        inputs: shapes by the names of inputs.
        dims: free extents by name; also the value of an input that is one integer.

        ArchError: the file is no ONNX model, or does not determine its shapes; the error has a place.
        ArchError: no ONNX model, or shapes that the file does not decide; with its own place.
    """
    try:
        return _trace(read_model(mapped(file)), label, inputs, dims)
    except ArchError as error:
        told = [d._replace(message=f"{label}: {d.message}") for d in error.diagnostics]
        raise ArchError(*told) from error


def _trace(
    model: Opened, name: str, inputs: Mapping[str, tuple[int, ...]], dims: Mapping[str, int]
) -> Trace:
    torch = model.producer.startswith("pytorch")
    walk, scope, to = Walk(model.functions, lambda: _recorded(model), torch), Scope(), Emitter(torch)
    held = list(model.graph.initializers())
    for tensor in held:
        walk.stored(scope, tensor)
    flows = [i for i in model.graph.inputs() if i.name not in scope]
    fed, notes = feed(flows, inputs, dims)
    for label, value in fed.items():
        walk.enter(scope, label, value)
        to.tensor(value)
    try:
        read_names = _emit(walk.steps(model.graph, scope, model.opsets), to)
    except UnknownOperationError as error:
        raise ArchError(*map(_unknown, walk.strangers(model.graph))) from error
    outputs = [_output(scope, o.name, to) for o in model.graph.outputs()]
    _unread(held, scope, to, read_names)
    version = f"ONNX opset {model.opsets.get('', 1)}"
    return Trace(
        name,
        f"{version}, {model.producer}" if model.producer else version,
        tuple(fed),
        tuple(outputs),
        to.tensors,
        tuple(to.weights.values()),
        to.modules,
        tuple(to.operations),
        (*notes, *_notes(to, held, torch)),
    )


def _recorded(model: Opened) -> dict[str, tuple[tuple[int, ...], int]]:
    """Return the complete shapes that the file records for values."""
    found = {}
    for value in (*model.graph.values(), *model.graph.outputs()):
        if value.shape is not None and all(isinstance(n, int) for n in value.shape):
            found[value.name] = (tuple(n for n in value.shape if isinstance(n, int)), value.dtype)
    return found


def _emit(steps: Iterable[EnteredNode], to: Emitter) -> set[str]:
    """Write every step except arithmetic on shapes; return the names that steps have read."""
    names: set[str] = set()
    for step in steps:
        names.update(step.call.node.inputs)
        folded = all(value.fixed for value in step.outputs)
        if folded and not any(value.learned for value in step.outputs):
            continue
        operator = operator_of(step.call.node)
        if operator in SAME or (folded and all(value.root for value in step.outputs)):
            continue
        try:
            _translate(operator, Emission(to, step))
        except ArchError as fact:
            raise LocatedError(step.place, fact) from fact
    return names


def _unknown(place: str) -> Diagnostic:
    return Diagnostic(
        f"{place} is no operation that is known",
        help="it can be left out where the file records what comes out of it (onnx.shape_inference)",
    )


def _translate(operator: str, emission: Emission) -> None:
    translation = TRANSLATIONS.get(operator)
    if translation is not None:
        translation(emission)
        return
    made = tuple(emission.to.tensor(v) for v in emission.outputs if v.name)
    read = tuple(
        None if v is None or v.items is not None else emission.to.tensor(v) for v in emission.inputs
    )
    emission.to.operations.append(
        Operation(OPAQUE, read, made, {"name": operator}, emission.home.path, emission.place)
    )


def _output(scope: Scope, name: str, to: Emitter) -> str:
    if name not in scope:
        raise ArchError(f"nothing makes the output '{name}'")
    if scope[name].items is not None:
        raise ArchError(f"output '{name}' is a list of tensors, which cannot be counted")
    return to.tensor(scope[name])


def _unread(held: list[Stored], scope: Scope, to: Emitter, names: set[str]) -> None:
    """Count weights that no node reads. A tensor that nodes read to learn sizes is no weight."""
    for tensor in held:
        value: Value = scope[tensor.name]
        unused = value.name not in to.weights and tensor.name not in names
        if unused and value.size > 1 and value.dtype in FLOATS:
            to.keep(to.tensor(value), "parameter")


def _notes(to: Emitter, held: list[Stored], torch: bool) -> list[str]:
    """Return the notes that a reader of the counts needs."""
    notes = []
    parameters = [w for w in to.weights.values() if w.kind == "parameter"]
    folded = len(to.norms)
    if torch:
        folded += (
            sum(w.name.startswith(("onnx::Conv_", "onnx::ConvTranspose_")) for w in parameters) // 2
        )
    if folded:
        notes.append(f"the exporter folded batch norms into {folded} convolution{'s' * (folded > 1)}")
    if to.merged:
        notes.append(
            f"the exporter wrote equal vectors once: {len(to.merged)} are counted at each layer"
        )
    if to.turned:
        notes.append(f"the exporter wrote a tied table twice: {listed(to.turned)} counts once")
    tables = [to.tensors[name].shape for name in to.tables]
    if torch and tables:
        numbers = sum(map(prod, tables))
        notes.append(
            f"the exporter computed tables of positions or masks beforehand ({len(tables)}, "
            f"{numbers:,} numbers): they are no parameters here"
        )
    if any(tensor.empty for tensor in held):
        notes.append("the file holds shapes of weights, not their values")
    return notes
