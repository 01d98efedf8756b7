"""Read the words of a command line that name model files, with the sizes given for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archcalc.commands.words import NEW_HEAD
from archcalc.errors import Diagnostic, UsageError, shown, suggestion
from archcalc.imported import Model, Tensors
from archcalc.interop.export import WORD, read_word
from archcalc.interop.identify import holds_tensors
from archcalc.network import Network
from archcalc.units import printable

OPTIONS = ("dim", "allow_unknown")  # of model files only
MOST = 1 << 31  # of one size

Settings = list[tuple[str, str | None]]


def read(
    word: str, path: str, settings: Settings, inputs: Sequence[str], tensors: bool = False
) -> Model | Tensors:
    """Return the model of a word: `model.onnx`, `model.onnx:batch=4`, with `--dim`, `--input` …

    Or `torch:package.module:name`, which runs that code where torch is. A file of `tensors`
    alone is read where these are wanted.

    Raises:
        ArchError: the model cannot be read.
        UsageError: the sizes are invalid.
    """
    texts = [text or "" for name, text in settings if name == "dim"]
    texts += word[len(path) + 1 :].split(":") if len(word) > len(path) else []
    allow = ("allow_unknown", None) in settings
    if in_torch(word):
        return _exported(word, texts, inputs, allow)
    if tensors and holds_tensors(path):
        return Tensors(path)
    return Model.read(path, _inputs(inputs), _dims(texts), allow)


def lowered(word: str, path: str, settings: Settings, inputs: Sequence[str]) -> Network:
    """Return the model of a word as a network; a size without a name is that of the network's input.

    Raises:
        ArchError: the model cannot be read, or has no layers that do the same.
        UsageError: the sizes are invalid.
    """
    from archcalc.lowered import network_of

    named = list(inputs) if in_torch(word) else [text for text in inputs if "=" in text]
    sizes = [text for text in inputs if text not in named]
    if len(set(sizes)) > 1:
        raise UsageError(f"`--input` is given twice: {shown(sizes[0])} and {shown(sizes[1])}")
    model = read(word, path, settings, named)
    assert isinstance(model, Model)
    return network_of(model, sizes[0] if sizes else None)


def refuse_settings(word: str, settings: Settings, sets: Sequence[str], own: Iterable[str]) -> None:
    """Refuse settings if all words are model files, which have no variables.

    Raises:
        UsageError: a setting is given.
    """
    names = [name for name, _ in settings] + [text.partition("=")[0] for text in sets]
    for name in (name for name in names if name not in OPTIONS):
        own = tuple(own)
        options = [f"--{option}" for option in (*own, "dim", "allow-unknown")]
        counted = "a model file is counted as it is; `--dim NAME=N` and `--input NAME=SIZES` give sizes"
        near = suggestion(f"--{name.replace('_', '-')}", options) or counted
        help = NEW_HEAD if name == "classes" and "new-head" in own else near
        raise UsageError(Diagnostic(f"{printable(word)} has no variable `{printable(name)}`", help=help))


def in_torch(word: str) -> bool:
    """Return whether a word names a torch module rather than a file."""
    return word.startswith(WORD)


def _exported(word: str, dims: Sequence[str], inputs: Sequence[str], allow: bool) -> Model:
    if dims:
        help = "--input 3x224x224, without the batch; others by name with it: --input mask=1x128"
        message = f"{printable(word)} has no free sizes: `--dim` sets none"
        raise UsageError(Diagnostic(message, help=help))
    texts = [text if "=" in text else f"={text}" for text in inputs]
    names = [text.rpartition("=")[0] for text in texts]
    if len(set(names)) < len(names):
        help = (
            "without a name it is the first argument; the others are given by name: --input mask=1x128"
        )
        raise UsageError(Diagnostic("`--input` gives one argument two sizes", help=help))
    shapes = _inputs(texts)
    return Model.of(word, read_word(word, shapes), allow)


def _dims(texts: Sequence[str]) -> Mapping[str, int]:
    dims = {}
    for text in texts:
        name, equals, size = text.partition("=")
        if not equals or not _is_size(size):
            help = "a free size of the file by its name: --dim batch=4"
            raise UsageError(Diagnostic(f"`{shown(text)}` sets no size", help=help))
        dims[name] = int(size)
    return dims


def _inputs(texts: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    found = {}
    for text in texts:
        name, equals, sizes = text.rpartition("=")
        parts = sizes.replace("×", "x").split("x")
        if not equals or not all(map(_is_size, parts)):
            help = "the input's name and all its axes as the file has them: --input x=1x3x224x224"
            raise UsageError(Diagnostic(f"`{shown(text)}` is no shape of an input", help=help))
        found[name] = tuple(map(int, parts))
    return found


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) <= MOST
