"""Complete words in the shell: specs, files, variables of a spec and their choices."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from archcalc.errors import ArchError
from archcalc.spec import catalog

if TYPE_CHECKING:
    from archcalc.spec.catalog import Entry
    from archcalc.spec.model import Variable


def complete_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a value of the variable before it, a setting after a colon, or a spec."""
    words = list(_words(ctx))
    if incomplete == ":":  # bash makes three words of `resnet50:se=16`
        words, incomplete = [*words, ":"], ""
    if words and words[-1].startswith("--"):
        variable = _variables(words).get(words[-1][2:].replace("-", "_"))
        if variable is not None:
            return _items(_values(variable), incomplete)
    if words[1:] and words[-1] == ":":
        return _items(_settings(words[-2]), incomplete)
    spec, colon, setting = incomplete.rpartition(":")
    if colon and (offered := _items(_settings(spec), setting)):
        return [CompletionItem(f"{spec}:{item.value}") for item in offered]
    if os.sep in incomplete:
        return [CompletionItem(incomplete, type="file")]
    offered = _items([*catalog.names(), *_files()], incomplete)
    return offered or [CompletionItem(incomplete, type="file")]


def complete_setting(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete `NAME=` of --set or --vary, or `NAME=VALUE`."""
    variables = _variables(_words(ctx))
    name, equals, _ = incomplete.partition("=")
    if not equals:
        names = [*variables, *(["input"] if variables and param.name == "vary" else [])]
        return [CompletionItem(f"{item.value}=") for item in _items(names, name)]
    values = _values(variables[name]) if name in variables else []
    return _items([f"{name}={value}" for value in values], incomplete)


def complete_block(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the path of a block, of the first spec that can be built."""
    from archcalc.api import load

    for word in _specs(_words(ctx)):
        try:
            nodes = load(word).graph.nodes
        except ArchError:
            continue
        parts = [node.path.split("/")[:-1] for node in nodes]
        paths = dict.fromkeys("/".join(p[: i + 1]) for p in parts for i in range(len(p)))
        return _items(list(paths), incomplete)
    return []


def options(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return the variables of the specs among the words, as options."""
    return [
        CompletionItem(f"--{name}", help=variable.help or None)
        for name, variable in _variables(_words(ctx)).items()
        if f"--{name}".startswith(incomplete)
    ]


def _words(ctx: click.Context) -> Sequence[str]:
    """Return all words before the one being typed."""
    words: Sequence[str] = ctx.meta.get("words", ())
    return words


def _items(offered: Sequence[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(text) for text in offered if text.startswith(incomplete)]


def _variables(words: Sequence[str]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for entry in filter(None, map(_entry, _specs(words))):
        found |= entry.spec.variables
    return found


def _specs(words: Sequence[str]) -> Iterator[str]:
    """Return the words that may be specs; a value mistaken for one is found nowhere."""
    return (word for word in words if not word.startswith("-") and word != ":")


def _entry(word: str) -> Entry | None:
    from archcalc.api import find

    try:
        return find(word)[0]
    except ArchError:
        return None  # it is still being typed


def _settings(word: str) -> list[str]:
    """Return the completions after `SPEC:`."""
    entry = _entry(word)
    return [*entry.spec.variants, *(f"{name}=" for name in entry.spec.variables)] if entry else []


def _values(variable: Variable) -> list[str]:
    from archcalc.spec.settings import show_value

    if isinstance(variable.default, bool):
        return ["true", "false"]
    return [show_value(value) for value in variable.choices]


def _files() -> list[str]:
    """Return the specs in this folder; the shell itself completes paths to others."""
    try:
        return sorted(file for file in os.listdir(".") if file.endswith(".toml"))
    except OSError:
        return []
