"""Options that reserve no name: where a spec has a variable of that name, they set it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from archcalc.commands.words import split
from archcalc.errors import ArchError


class Yielding(click.Option):
    """An option that gives way to a variable of its name."""


def give_way(parameters: Sequence[click.Parameter], args: list[str]) -> list[str]:
    """Return the words with `--set NAME=VALUE` in place of an option that a spec has a variable for."""
    yielding = {f"--{p.name}" for p in parameters if isinstance(p, Yielding)}
    given = [i for i, arg in enumerate(args) if arg.partition("=")[0] in yielding]
    if not given:
        return args
    variables = {f"--{name}" for word in split(args).specs for name in _variables(word)}
    made = list(args)
    for i in reversed(given):
        name, equals, value = args[i].partition("=")
        if name in variables and (equals or i + 1 < len(args)):
            setting = f"{name[2:]}={value if equals else args[i + 1]}"
            made[i : i + (1 if equals else 2)] = ["--set", setting]
    return made


def _variables(word: str) -> list[str]:
    from archcalc.api import find

    try:
        return list(find(word)[0].spec.variables)
    except ArchError:
        return []  # the command will report it
