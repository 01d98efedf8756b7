"""Turn a command line's words into networks: SPEC names, and an option for each of their variables."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal

from archcalc.api import Network, find, set_once
from archcalc.errors import ArchError, Diagnostic, UsageError, suggestion
from archcalc.spec.catalog import Entry, foreign
from archcalc.spec.settings import settle, unknown_variable
from archcalc.tuples import NamedTuple
from archcalc.units import printable

_TRUTHS = ("true", "false", "yes", "no", "on", "off", "1", "0")
NEW_HEAD = "`--new-head 3` replaces its last dense layer or conv"  # where nothing is called `classes`

# a model file is counted from its operations, or becomes layers; or it has nothing that could vary
Reads = Literal["counted", "lowered", "refused"]


class ModelReading(NamedTuple):
    """The command that reads, what it makes of model files, and whether it counts files of weights."""

    command: str = ""
    models: Reads = "counted"
    tensors: bool = False


COUNTED = ModelReading()


class Words(NamedTuple):
    """Specs, and variables as (name, text); the text is None for an option without a value."""

    specs: list[str]
    settings: list[tuple[str, str | None]]


def split(words: Sequence[str], switches: Iterable[str] = ()) -> Words:
    """Separate specs from `--name value`, `--name=value` and `--switch`; `--` ends the options.

    `switches` are the variables that are true or false: they take a value only if one follows.
    """
    specs: list[str] = []
    settings: list[tuple[str, str | None]] = []
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        if word == "--":
            specs += reversed(waiting)
            break
        if not word.startswith("-") or word == "-" or word[1] == ":" or word[1].isdigit():
            specs.append(word)
            continue
        if not word.startswith("--"):
            help = "options are written out: `archcalc COMMAND SPEC --help` lists them"
            raise UsageError(Diagnostic(f"unknown option `{printable(word)}`", help=help))
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        following = waiting[-1] if waiting else "--"
        alone = following.startswith("--") or (name in switches and following.lower() not in _TRUTHS)
        if equals:
            settings.append((name, value))
        else:
            settings.append((name, None if alone else waiting.pop()))
    return Words(specs, settings)


def networks(
    words: Sequence[str],
    sets: Sequence[str],
    inputs: Sequence[str],
    own: Iterable[str],
    most: int | None = None,
    how: ModelReading = COUNTED,
) -> tuple[list[Any], list[str]]:
    """Return the networks that the words name, with variables set, and the words that are no specs.

    `sets` are `name=value` texts of --set, `own` the command's own options (for did-you-mean). Only
    the first `most` words are specs (None: all). Some may be model files, read as `how` says.

    Raises:
        ArchError: no spec, an unknown one, an unknown variable, a value that does not fit.
    """
    if any(map(model_of, _specs(words)[:most])):
        return _with_models(words, sets, inputs, own, most, how)
    sizes: dict[str, str] = {}
    for text in inputs:
        sizes |= set_once(sizes, {"input": text})
    found = [find(spec) for spec in _specs(words)[:most]]
    switches = {name for entry, _ in found for name in _switches(entry)}
    specs, settings = split(words, switches)
    if len(specs[:most]) != len(found):
        found = [find(spec) for spec in specs[:most]]
    changes = _changes(settings, sets, found, own)
    made = []
    for entry, given in found:
        if len(found) == 1:  # of several, a setting of its own is one network's exception
            set_once(given, {**changes, **sizes})
        values = {**changes, **sizes, **given}
        size = values.pop("input", None)
        made.append(Network(entry, values, size))
    return made, specs[len(found) :]


def _with_models(
    words: Sequence[str],
    sets: Sequence[str],
    inputs: Sequence[str],
    own: Iterable[str],
    most: int | None,
    how: ModelReading,
) -> tuple[list[Any], list[str]]:
    """Return the networks if some words name model files: sizes are for these, settings for specs."""
    from archcalc.commands import models

    specs, settings = split(words, ("allow_unknown",))
    paths = {spec: path for spec in specs[:most] if (path := model_of(spec))}
    if how.models == "refused":
        raise _refused(how.command, next(iter(paths.values())))
    others = [spec for spec in specs[:most] if spec not in paths]
    theirs = [pair for pair in settings if not others or pair[0] in models.OPTIONS]
    if not others:
        models.refuse_settings(next(iter(paths)), theirs, sets, own)
    unnamed = not others or any(models.in_torch(path) for path in paths.values())
    named = [text for text in inputs if unnamed or "=" in text]
    ours = [pair for pair in settings if pair not in theirs]
    rest = [f"--{name}" if text is None else f"--{name}={text}" for name, text in ours]
    sizes = [text for text in inputs if text not in named]
    made = iter(networks([*others, *rest], sets, sizes, own)[0] if others else [])
    read = models.lowered if how.models == "lowered" else partial(models.read, tensors=how.tensors)
    found = [
        read(spec, paths[spec], theirs, named) if spec in paths else next(made) for spec in specs[:most]
    ]
    return found, specs[len(found) :]


def _refused(command: str, path: str) -> UsageError:
    help = "a spec has variables: `archcalc import FILE -o model.toml` makes one of it"
    message = f"`{command}` varies a spec, and a model file is as it is: {printable(path)}"
    return UsageError(Diagnostic(message, help=help))


def model_of(word: str) -> str:
    """Return the path of a model file in a word, or the word of a torch module; '' if neither."""
    if word.startswith("torch:"):
        return word
    path = word.partition(":")[0]
    if path.endswith(".toml") or not ("." in word or os.sep in word) or foreign(word):
        return ""
    from archcalc.interop.identify import model_file  # a bundled name does without

    return model_file(word)


def _specs(words: Sequence[str]) -> list[str]:
    specs = split(words).specs
    if not specs:  # `--aux googlenet`: perhaps the option is a switch and takes no value
        options = {name for name, _ in split(words).settings}
        specs = split(words, options).specs
    if not specs:
        help = "`archcalc list` shows the bundled ones; a path to a .toml file or - does as well"
        raise UsageError(Diagnostic("which network? name a SPEC", help=help))
    return specs


def _switches(entry: Entry) -> list[str]:
    """Return the variables that are true or false, with their `no_` forms."""
    names = [v.name for v in entry.spec.variables.values() if isinstance(v.default, bool)]
    return names + [f"no_{name}" for name in names if f"no_{name}" not in entry.spec.variables]


def _changes(
    settings: list[tuple[str, str | None]],
    sets: Sequence[str],
    found: list[tuple[Entry, dict[str, str]]],
    own: Iterable[str],
) -> dict[str, str]:
    changes: dict[str, str] = {}
    for text in sets:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                Diagnostic(f"`--set {printable(text)}` sets nothing", help="as in --set classes=10")
            )
        settings = [*settings, (name.strip().replace("-", "_"), value.strip())]
    for name, given in settings:
        for entry, _ in found:
            changes |= set_once(changes, dict([_change(entry, name, given, own, found)]))
    return changes


def _change(
    entry: Entry, name: str, value: str | None, own: Iterable[str], found: Sequence[tuple[Entry, Any]]
) -> tuple[str, str]:
    """Return one variable's new value as text, checked against one spec."""
    spec = entry.spec
    if (
        name not in spec.variables
        and name.startswith("no_")
        and name[3:] in _switches(entry)
        and value is None
    ):
        return name[3:], "false"
    if name not in spec.variables:
        raise _unknown(entry, name, own, [other for other, _ in found])
    if value is None:
        if not isinstance(spec.variables[name].default, bool):
            raise UsageError(f"`--{name}` needs a value")
        value = "true"
    settle(spec, entry.variant, {name: value})
    return name, value


def _unknown(entry: Entry, name: str, own: Iterable[str], entries: Sequence[Entry]) -> ArchError:
    spec = entry.spec
    option = name.replace("_", "-")
    if option in own:  # an own option that click could not use: it came without its value
        return UsageError(f"`--{option}` needs a value")
    shown = printable(entry.name)
    having = next((other for other in entries if name in other.spec.variables), None)
    if having:
        help = f"set it where there is one: `{printable(having.name)}:{printable(name)}=…`"
        return UsageError(Diagnostic(f"{shown} has no variable `{printable(name)}`", help=help))
    if name == "classes" and "new-head" in own:
        return UsageError(Diagnostic(f"{shown} has no variable `classes`", help=NEW_HEAD))
    near = suggestion(f"--{option}", [*(f"--{v}" for v in spec.variables), *(f"--{o}" for o in own)])
    if near:
        return UsageError(Diagnostic(f"{shown} has no variable `{printable(name)}`", help=near))
    return unknown_variable(spec, name)
