"""Load a model file as a trace: open, identify by content, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.documents import MOST_JSON, parsed
from archcalc.interop.identify import identify, refuse_pickles
from archcalc.interop.trace import Trace
from archcalc.regular import open_regular

if TYPE_CHECKING:
    from archcalc.interop.archive import Archive


@garbage.paused()
def read(path: str, inputs: Mapping[str, tuple[int, ...]], dims: Mapping[str, int]) -> Trace:
    """Return the model in a file.

    Args:
        inputs: shapes of inputs by name, including the batch, where the file leaves sizes free.
        dims: values of free sizes by their names.

    Raises:
        ArchError: the file cannot be opened, is no model, or cannot be read.
    """
    label = Path(path).name
    try:
        file = open_regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise ArchError(f"{path} cannot be read: {reason}") from error
    with file:
        kind = identify(file, label)
        if kind == "safetensors":
            if _braced(file):
                raise ArchError(f"{label} is JSON, but no Keras model: it has no graph to count")
            help = "`archcalc params` lists its tensors; a graph lies in `.pt2` and `.onnx` files"
            raise ArchError(Diagnostic(f"{label} holds weights: it has no graph to count", help=help))
        if kind == "zip":
            from archcalc.interop.archive import Archive
            from archcalc.interop.torch.reader import read as read_torch

            archive = Archive(file, label)
            refuse_pickles(list(archive.members), label)
            if "config.json" in archive.members and "metadata.json" in archive.members:
                return _keras(archive.read("config.json", MOST_JSON), label, inputs, dims, archive)
            return read_torch(archive, inputs, dims)
        if kind == "keras":
            return _keras(file.read(MOST_JSON + 1), label, inputs, dims)
        from archcalc.interop.onnx.reader import read as read_onnx

        return read_onnx(file, label, inputs, dims)


def _braced(file: IO[bytes]) -> bool:
    """Return whether a file is JSON: safetensors begins with a length."""
    return file.read(16).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _keras(
    text: bytes,
    label: str,
    inputs: Mapping[str, tuple[int, ...]],
    dims: Mapping[str, int],
    archive: Archive | None = None,
) -> Trace:
    """Return a model of Keras; in a `.keras` zip the version stands beside it."""
    from archcalc.interop.keras.reader import read as read_keras

    version = ""
    if archive is not None:
        about = parsed(archive.read("metadata.json", MOST_JSON), f"{label}: metadata.json")
        version = str(about.get("keras_version") or "") if isinstance(about, dict) else ""
    return read_keras(parsed(text, label), label, inputs, dims, version)
