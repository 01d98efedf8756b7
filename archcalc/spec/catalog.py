"""Find networks by name: bundled families and their variants, files, and texts."""

from __future__ import annotations

import os
from collections.abc import Iterator

from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.spec.bundle import families, folder, squeeze
from archcalc.spec.inline import NAME, is_inline
from archcalc.spec.model import Source, Spec
from archcalc.spec.read import read
from archcalc.spec.source import STDIN, looks_like_path, read_file, read_stdin
from archcalc.tuples import NamedTuple
from archcalc.units import printable

_MODELS = (".pt2", ".onnx", ".keras", ".safetensors", ".pt", ".pth")
_FOREIGN = {
    ".ckpt": "checkpoints",
    ".h5": "files of Keras",
    ".hdf5": "files of Keras",
    ".pb": "graphs of TensorFlow",
    ".tflite": "models of TensorFlow Lite",
    ".mlmodel": "models of Core ML",
    ".caffemodel": "files of Caffe",
    ".prototxt": "files of Caffe",
    ".cfg": "files of Darknet",
    ".weights": "files of Darknet",
    ".py": "Python",
}


class Entry(NamedTuple):
    """A network by name: its spec and the variant (None: the file's own defaults)."""

    name: str
    spec: Spec
    variant: str | None


def find(name: str) -> Entry:
    """Return the network that a name means: a bundled family or variant, a path, a text, '-' for stdin.

    Raises:
        ArchError: no network has the name, or its spec cannot be read.
    """
    if is_inline(name):
        return Entry(" ".join(name.split()), read(Source(NAME, name, inline=True)), None)
    _refuse_foreign(name)
    if name == STDIN:
        return Entry(name, read(read_stdin()), None)
    if looks_like_path(name) and (os.path.exists(name) or not _plain(name)):
        return Entry(_stem(name), read(read_file(name)), None)
    return _bundled(name) or _bundled(_plain(name)) or _unknown(name)


def bundled() -> Iterator[Entry]:
    """Yield every bundled network, by family, in the order of the files."""
    for path in families():
        yield from entries(_packaged(path))


def entries(source: Source) -> Iterator[Entry]:
    """Yield the variants of a spec, or the spec itself if it has none."""
    spec = read(source)
    for variant in spec.variants or [None]:
        yield Entry(variant or _stem(source.name), spec, variant)


def names() -> list[str]:
    """Return the names of all bundled networks."""
    return [entry.name for entry in bundled()]


def _packaged(path: str) -> Source:
    return read_file(path)._replace(name=os.path.basename(path))


def _stem(path: str) -> str:
    return os.path.basename(path).removesuffix(".toml")


def _bundled(name: str) -> Entry | None:
    """Return the bundled network of a name: a family, or a variant of one; None if there is none."""
    path = os.path.join(folder(), f"{name}.toml")
    if name and os.path.isfile(path):
        spec = read(_packaged(path))
        return Entry(name, spec, name if name in spec.variants else None)
    likely = sorted(families(), key=lambda path: not name.startswith(_stem(path)))  # vgg16: vgg.toml
    for path in likely:
        source = _packaged(path)
        if name in source.text and name in (spec := read(source)).variants:
            return Entry(name, spec, name)
    return None


def _plain(name: str) -> str:
    """Return the bundled name that differs only in case, '-' and '_' ('ResNet-50'), or ''."""
    squeezed = squeeze(name)
    return next((known for known in _all_names() if squeeze(known) == squeezed), "")


def _all_names() -> list[str]:
    return [*map(_stem, families()), *names()]


def _unknown(name: str) -> Entry:
    if os.path.exists(name):
        return Entry(_stem(name), read(read_file(name)), None)
    if "|" in name:
        help = "a network in one text begins with its input: `28x28x192 | conv 16 | relu`"
    else:
        help = suggestion(name, _all_names()) or "`archcalc list` shows them; a file ends in .toml"
    raise UsageError(Diagnostic(f"no network is called `{printable(name)}`", help=help))


def foreign(name: str) -> str:
    """Return what a file is by its suffix ('files of Keras') if archcalc cannot read it; else ''."""
    return next((tool for ending, tool in _FOREIGN.items() if name.lower().endswith(ending)), "")


def _refuse_foreign(name: str) -> None:
    """Refuse files of other tools, whether they exist or not, and model files.

    Raises:
        UsageError: the name is that of such a file.
    """
    if tool := foreign(name):
        help = "write the layers as a .toml file, as `archcalc cat vgg16` shows"
        message = f"`{printable(name)}`: archcalc reads specs, not {tool}"
        raise UsageError(Diagnostic(message, help=help))
    if name.lower().endswith(_MODELS):
        if not os.path.exists(name):
            raise UsageError(f"no file `{printable(name)}`")
        help = "`archcalc help models` tells which commands take one"
        raise UsageError(Diagnostic(f"`{printable(name)}` is a model file, no spec", help=help))
