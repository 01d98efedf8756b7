"""Identify a file by its content: names and endings prove nothing."""

from __future__ import annotations

import codecs
import os
from typing import IO, Literal

from archcalc.errors import ArchError, Diagnostic
from archcalc.regular import open_regular

Kind = Literal["zip", "safetensors", "onnx", "keras"]

_LONGEST_HEADER = 100_000_000  # bytes of a safetensors header
_JSON_START = 1 << 16  # bytes in which a model of Keras names itself
_ENDINGS = (".pt2", ".onnx", ".keras", ".safetensors", ".pt", ".pth")
_EXPORT = (
    "ep = torch.export.export(model.eval(), (torch.randn(1, 3, 224, 224),))",
    "torch.export.save(ep, 'model.pt2')",
)
_OTHERS = (  # first bytes of files that hold networks, and are not read
    (b"\x89HDF\r\n\x1a\n", 0, "an HDF5 file, as Keras and others write it"),
    (b"TFL3", 4, "a TensorFlow Lite model"),
    (b"GGUF", 0, "a GGUF file"),
    (b"\x1f\x8b", 0, "packed by gzip"),
    (b"%PDF", 0, "a PDF"),
)


def identify(file: IO[bytes], label: str) -> Kind:
    """Return the reader for a file, which is left at its start.

    Raises:
        ArchError: the file is a pickle, which is never opened, or holds no readable model.
    """
    start = file.read(16)
    file.seek(0)
    if not start:
        raise ArchError(f"{label} is empty")
    if start.startswith(b"PK"):
        return "zip"
    if _pickled(start):
        raise pickled(label, "a pickle, as torch.save writes it")
    for begin, at, what in _OTHERS:
        if start[at : at + len(begin)] == begin:
            raise ArchError(f"{label} is {what}, which archcalc does not read")
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= _LONGEST_HEADER:
        return "safetensors"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        begin = file.read(_JSON_START)
        file.seek(0)
        keras = b'"class_name"' in begin or b'"modelTopology"' in begin
        return "keras" if keras else "safetensors"  # an index of shards, or no model at all
    return "onnx"


def model_file(word: str) -> str:
    """Return the path in a word of a command line that names a model file, or ''.

    Sizes may follow the path: `model.onnx:batch=4`. A spec is text, and never begins with a brace.
    """
    path = word if os.path.isfile(word) else word.partition(":")[0]
    if not ("." in path or os.sep in path) or not os.path.isfile(path):
        return ""
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError:
        return ""
    spec = _is_text(start) and start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] != b"{"
    return "" if spec and not path.endswith(_ENDINGS) else path


def _is_text(start: bytes) -> bool:
    """Return whether a file that begins like this may be text; its last character may be incomplete."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return start[:2] != b"PK" and not any(byte < 9 or 13 < byte < 32 for byte in start)


def holds_tensors(path: str) -> bool:
    """Return whether a file is a `.safetensors` file or the index of its shards."""
    with open_regular(path) as file:
        return identify(file, path) == "safetensors"


def _pickled(start: bytes) -> bool:
    """Return whether the bytes begin a pickle of protocol 2 or later: mark, then number."""
    return start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def pickled(label: str, what: str, holds: str = "it holds no graph") -> ArchError:
    """Return the refusal of a pickle, and the way out."""
    return ArchError(
        Diagnostic(
            f"{label} is {what}: {holds}, and opening it could run anything",
            notes=_EXPORT,
            help="where torch is, these two lines make a file that archcalc reads",
        )
    )


def refuse_pickles(names: list[str], label: str) -> None:
    """Refuse a zip that torch.save or TorchScript wrote, as its members show.

    Raises:
        ArchError: it is such a file.
    """
    parts = {part for name in names for part in name.split("/")[1:]}
    if "data.pkl" in parts:
        script = "constants.pkl" in parts or "code" in parts
        if script:
            raise pickled(label, "TorchScript", "its graph is code")
        raise pickled(label, "a pickle, as torch.save writes it")
