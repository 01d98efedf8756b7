"""Run a model file with its own framework (torch or onnxruntime), and keep the tensors it computes.

`torch.export.load` may run code that a file contains, so only `run --against` calls this module.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from archcalc.errors import ArchError, Diagnostic
from archcalc.execution.model import Array
from archcalc.interop.onnx.functions import read_model
from archcalc.interop.onnx.wire import mapped
from archcalc.interop.trace import Trace
from archcalc.regular import open_regular
from archcalc.units import printable

TOOLS = {"torch": "a `.pt2` of torch.export", "onnxruntime": "an `.onnx` file"}
_LONGEST = 300  # the most characters that are shown of a framework's error


def computed(
    tool: str, path: str, trace: Trace, inputs: Mapping[str, Array], wanted: Collection[str]
) -> dict[str, Array]:
    """Return the `wanted` tensors that a framework computes, by their names in the trace.

    Args:
        inputs: the inputs, in the shapes of the trace (one image); a batch of the file gets copies.

    Raises:
        ArchError: the framework is not installed, or cannot run the file.
    """
    module = _imported(tool)
    try:
        found = _RUN[tool](module, path, trace, inputs, wanted)
    except ArchError:
        raise
    except Exception as fault:  # a framework may raise any exception
        told = printable(f"{type(fault).__name__}: {' '.join(str(fault).split())}"[:_LONGEST])
        raise ArchError(f"{tool} {module.__version__} cannot run {printable(path)}: {told}") from fault
    single = {name: _first(value, trace.tensors[name].shape) for name, value in found.items()}
    return {name: value for name, value in single.items() if value is not None}


def _imported(tool: str) -> Any:
    try:
        return importlib.import_module(tool)
    except ImportError as error:
        help = f"`{sys.executable} -m pip install {tool}`; without `--against` nothing else is needed"
        missing = isinstance(error, ModuleNotFoundError) and error.name == tool
        why = "is not installed where archcalc runs" if missing else f"cannot be imported: {error}"
        raise ArchError(Diagnostic(f"{tool} {printable(why)}", help=help)) from error


def _torch(
    torch: Any, path: str, trace: Trace, inputs: Mapping[str, Array], wanted: Collection[str]
) -> dict[str, Array]:
    seen: dict[str, Array] = {}

    def keep(node: Any, value: Any) -> None:
        if node.name in wanted and isinstance(value, torch.Tensor):
            plain = value.detach().cpu()
            seen[node.name] = (plain.float() if plain.is_floating_point() else plain).numpy().copy()

    class _Recorder(torch.fx.Interpreter):  # type: ignore[misc]
        def run_node(self, node: Any) -> Any:
            value = super().run_node(node)
            keep(node, value)
            return value

    logging.disable(logging.WARNING)  # torch also logs the traceback of the error it raises
    try:
        module = torch.export.load(path).module()
    finally:
        logging.disable(logging.NOTSET)
    given = [_given(torch, node, inputs) for node in module.graph.nodes if node.op == "placeholder"]
    with torch.no_grad():
        _Recorder(module).run(*given, enable_io_processing=False)
    return seen


def _given(torch: Any, node: Any, inputs: Mapping[str, Array]) -> Any:
    """Return the value of an input: zeros if no layer reads it, the exported value of a number."""
    example = node.meta.get("val")
    if not isinstance(example, torch.Tensor):
        return example
    sizes = [size if isinstance(size, int) else None for size in example.shape]
    value = inputs.get(node.name)
    if value is None:
        return torch.zeros([size or 2 for size in sizes], dtype=example.dtype)
    return torch.from_numpy(_filled(value, sizes)).to(example.dtype)


def _onnxruntime(
    ort: Any, path: str, trace: Trace, inputs: Mapping[str, Array], wanted: Collection[str]
) -> dict[str, Array]:
    with open_regular(path) as file:
        graph = read_model(mapped(file)).graph
        made = {name for node in graph.nodes() for name in node.outputs}
        present = {output.name for output in graph.outputs()}
        file.seek(0)
        whole = file.read()
    names = sorted(made & set(wanted))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    folder = os.path.realpath(os.path.dirname(path) or ".")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
    asked = b"".join(_field(12, _field(1, name.encode())) for name in names if name not in present)
    # protobuf merges concatenated messages, so this adds outputs to the graph
    session = ort.InferenceSession(whole + _field(7, asked), options, providers=["CPUExecutionProvider"])
    feeds = {}
    for given in session.get_inputs():
        sizes = [size if isinstance(size, int) else None for size in given.shape]
        dtype = trace.tensors[given.name].dtype if given.name in trace.tensors else "float32"
        value = inputs.get(given.name, np.zeros([size or 1 for size in sizes]))
        feeds[given.name] = _filled(value, sizes).astype(dtype)
    return dict(zip(names, session.run(names, feeds), strict=True))


def _field(number: int, data: bytes) -> bytes:
    """Return a protobuf message as a field of another message."""
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + data


_RUN: dict[str, Callable[..., dict[str, Array]]] = {"torch": _torch, "onnxruntime": _onnxruntime}


def _filled(value: Array, sizes: list[int | None]) -> Array:
    """Return copies of one image, as many as the file's batch has."""
    for axis, size in enumerate(sizes):
        have = value.shape[axis]
        if size is not None and size > have and size % have == 0:
            value = np.concatenate([value] * (size // have), axis)
    return np.ascontiguousarray(value)


def _first(value: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the part of one image; None if the tensor does not consist of equal copies of it."""
    if value.ndim != len(shape):
        return None
    part = value[tuple(map(slice, shape))]
    if part.shape != shape or any(n % have for n, have in zip(value.shape, shape, strict=True) if have):
        return None
    if part.size < value.size:
        copies = [n // have for n, have in zip(value.shape, shape, strict=True)]
        if not np.allclose(np.tile(part, copies), value, 1e-3, 1e-6, equal_nan=True):
            return None
    return part
