"""Read the initializers of an ONNX file, and of the data files beside it, with numpy."""

from __future__ import annotations

import os
from math import prod

import numpy as np

from archcalc.errors import ArchError, Diagnostic
from archcalc.execution.model import Array
from archcalc.interop.onnx.functions import read_model
from archcalc.interop.onnx.tensors import DTYPES, Stored
from archcalc.interop.onnx.wire import mapped
from archcalc.interop.trace import Trace
from archcalc.regular import open_regular


def initialized(path: str, trace: Trace) -> dict[str, Array]:
    """Return the stored tensors of a trace, by their names in the trace.

    Raises:
        ArchError: the file holds no values, or a data file beside it is missing or too short.
    """
    with open_regular(path) as file:
        graph = read_model(mapped(file)).graph
        held = {tensor.name: tensor for tensor in graph.initializers()}
        for node in graph.nodes():
            value = node.attributes["value"].value if "value" in node.attributes else None
            if node.op == "Constant" and node.outputs and isinstance(value, Stored):
                held[node.outputs[0]] = value
            # an exporter writes equal tensors once, and an Identity for each further one
            if node.op == "Identity" and node.outputs and node.inputs[:1] and node.inputs[0] in held:
                held[node.outputs[0]] = held[node.inputs[0]]
        found = {}
        for weight in trace.weights:
            tensor = held.get(weight.tensor.partition("#")[0])
            if tensor is not None:
                found[weight.tensor] = _array(path, tensor)
        return found


def _array(path: str, tensor: Stored) -> Array:
    dtype = DTYPES[tensor.dtype]
    if not dtype.letter:
        raise ArchError(f"{path}: tensor '{tensor.name}' is {dtype.name}, which is not executed")
    data = _beside(path, tensor) if tensor.external else tensor.raw()
    if data is None:
        help = "export the model with its weights, or draw some: `--init he`"
        raise ArchError(Diagnostic(f"{path} holds no numbers of '{tensor.name}'", help=help))
    values = np.frombuffer(data, np.dtype(dtype.letter).newbyteorder("<"))
    if values.size != prod(tensor.shape):
        raise ArchError(f"{path}: tensor '{tensor.name}' has {values.size:,} numbers in the file")
    return values.reshape(tensor.shape)


def _beside(path: str, tensor: Stored) -> bytes:
    """Return a tensor's bytes from a data file in the model's folder."""
    folder = os.path.realpath(os.path.dirname(path) or ".")
    whole = os.path.realpath(os.path.join(folder, tensor.external))
    if os.path.commonpath((folder, whole)) != folder:
        raise ArchError(f"{path}: '{tensor.external}' leads out of the model's own folder")
    start, length = tensor.place
    needed = -(-prod(tensor.shape) * DTYPES[tensor.dtype].bits // 8)
    if length is not None and length != needed:
        raise ArchError(f"{path}: '{tensor.name}' needs {needed:,} bytes, {length:,} are named")
    try:
        with open_regular(whole) as file:
            if file.seek(0, 2) < start + needed:
                raise ArchError(f"{path}: '{tensor.external}' is too short for '{tensor.name}'")
            file.seek(start)
            return file.read(needed)
    except OSError as error:
        raise ArchError(f"{path}: '{tensor.external}' cannot be read: {error.strerror}") from error
