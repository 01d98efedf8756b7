"""The library's front door: a network by name, with the variables one wants.

>>> import archcalc
>>> archcalc.load("vgg16", classes=10).analyze().parameters
134301514
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from operator import index
from os import PathLike, fspath
from typing import Any

from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.network import Network, input_shape
from archcalc.spec import catalog
from archcalc.spec.catalog import Entry
from archcalc.spec.inline import is_inline
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.source import looks_like_path

MODELS = (".pt2", ".onnx", ".keras", ".json")
UNORDERED = (bytes, bytearray, memoryview, Set, Mapping)  # which hold integers, and no sizes

__all__ = ["Network", "find", "input_shape", "load", "named", "plain"]


def load(
    name: str | PathLike[str], /, *, input: str | int | Sequence[int] | None = None, **variables: Any
) -> Network:
    """Load a bundled network (`vgg16`), a file (`my.toml`), either with settings (`vgg16:classes=10`).

    A model file (`model.pt2`, `model.onnx`) is loaded as the layers that do the same.

    The text of a spec is a network too: TOML of several lines, or "28x28x1 | conv 16 k3 | linear 10".

    Args:
        input: another input size, height x width x channels: "320x320x3", (320, 320, 3) or 320.
        variables: values for the spec's variables.

    Raises:
        ArchError: no network has that name, the spec cannot be read, or a value does not fit.
    """
    network = named(name, input, variables)
    network.refuse_unread()
    return network


def named(name: Any, input: Any = None, variables: Mapping[str, Any] | None = None) -> Network:
    """Load without refusing unused settings: at another point of a sweep they may count."""
    text = _name(name)
    if text.endswith(MODELS) and os.path.exists(text):
        return _lowered(text, input, variables or {})
    entry, settings = find(text)
    made: dict[str, Any] = {**settings, **set_once(settings, plain(variables or {}))}
    if input is not None:
        own = input if isinstance(input, str) else _sizes(input)
        made |= set_once(settings, {"input": own})
    size = made.pop("input", None)
    return Network(entry, made, size)


def _lowered(path: str, input: Any, variables: Mapping[str, Any]) -> Network:
    """The layers of a model file, which has no variables."""
    from archcalc.imported import Model
    from archcalc.lowered import network_of

    for variable in variables:
        help = "`archcalc import` makes a spec of it, which may have some"
        raise UsageError(Diagnostic(f"{path} has no variable `{shown(variable)}`", help=help))
    size = input if input is None or isinstance(input, str) else _sizes(input)
    return network_of(Model.read(path), size)


def set_once(known: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """`more` settings, none of which is known with another value.

    Raises:
        UsageError: one is.
    """
    for name, value in more.items():
        if name in known and str(known[name]) != str(value):
            both = f"{shown(str(known[name]))} and {shown(str(value))}"
            raise UsageError(Diagnostic(f"`{shown(name)}` is set twice: {both}", help="leave one away"))
    return more


def plain(value: Any) -> Any:
    """Numbers and arrays of other libraries as Python's own, also in lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if callable(getattr(value, "tolist", None)):  # NumPy's, torch's and their like
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    try:
        return value if isinstance(value, bool) else index(value)
    except TypeError:
        return value


def _name(name: object) -> str:
    if isinstance(name, (str, PathLike)) and isinstance(text := fspath(name), str):
        return text
    help = "a name or a path, as in archcalc.load('vgg16'); archcalc.load_model takes an nn.Module"
    raise UsageError(Diagnostic(f"a {type(name).__name__} names no network", help=help))


def _sizes(input: int | Sequence[int]) -> str:
    sizes = input if isinstance(input, Iterable) else (input,)
    try:
        if isinstance(input, UNORDERED) or any(isinstance(size, bool) for size in sizes):
            raise TypeError
        return "x".join(str(index(size)) for size in sizes)
    except (TypeError, ValueError):
        help = "height x width x channels, as in (224, 224, 3)"
        message = f"a {type(input).__name__} of this kind is no input size"
        raise UsageError(Diagnostic(message, help=help)) from None


def find(name: str) -> tuple[Entry, dict[str, str]]:
    """Return the spec that `name:variant:variable=value:…` means, and the settings as text."""
    if "\n" in name and not is_inline(name):
        return Entry("text", read(Source("text", name)), None), {}
    if is_inline(name):
        return catalog.find(name), {}
    bare, *settings = name.split(":")
    if not settings or looks_like_path(name.rpartition(":")[2].partition("=")[0]):
        return catalog.find(name), {}
    entry = catalog.find(bare)
    given: dict[str, str] = {}
    for setting in settings:
        variable, equals, value = setting.partition("=")
        if equals:
            given |= set_once(given, {variable.replace("-", "_"): value})
        else:
            entry = _variant(entry, setting)
    return entry, given


def _variant(entry: Entry, name: str) -> Entry:
    """Another variant of the same file."""
    if name in entry.spec.variants:
        return Entry(name, entry.spec, name)
    known = listed(entry.spec.variants) or "none"
    help = suggestion(name, entry.spec.variants) or f"variants: {known}; a variable is set by name=value"
    message = f"{shown(entry.name)} has no variant `{shown(name)}`"
    raise UsageError(Diagnostic(message, help=help))
