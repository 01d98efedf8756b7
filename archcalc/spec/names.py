"""Find the names that decide a network's structure, and those that are undefined or unused."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from itertools import chain
from typing import Any

from archcalc.errors import Diagnostic, Keys, Span, listed, shown, suggestion
from archcalc.spec.expressions import ARRIVING, CONSTANTS, Expression
from archcalc.spec.model import Block, Spec
from archcalc.tuples import NamedTuple


class Usage(NamedTuple):
    """An expression, its place, whether it decides structure, and the block's names that it may read.

    `own` grows from one argument of a block to the next: a default may read the arguments before it.
    """

    expression: Expression
    keys: Keys
    structural: bool
    own: Collection[str]


def structural_names(blocks: Iterable[Block]) -> frozenset[str]:
    """Return the names that an `if`, a repeat or a step's name reads."""
    uses = (use for block in blocks for use in _in_block(block) if use.structural)
    return frozenset(name for use in uses for name in use.expression.names)


def deciding_names(spec: Spec) -> frozenset[str]:
    """Return a superset of the names that decide whether another name is read.

    They are in conditions, also within expressions, in repeats and steps' names, and in arguments
    passed to such parameters.
    """
    blocks = (spec.body, *spec.blocks.values())
    uses = [*chain(*map(_in_block, blocks), _elsewhere(spec))]
    found = {n for use in uses if use.structural or use.expression.decides for n in use.expression.names}
    parameters = {parameter.name for block in blocks for parameter in block.sizes}
    if found & parameters:
        found.update(name for use in uses for name in use.expression.names)
    return frozenset(found)


def unknown_names(spec: Spec, unclear: Container[str]) -> Iterator[Diagnostic]:
    """Yield a mistake for each place where an expression reads a name that nothing defines.

    `unclear` are blocks whose arguments could not be read: their names are unknown.
    """
    for block in (spec.body, *spec.blocks.values()):
        if block.name not in unclear:
            for use in _in_block(block):
                yield from _unknown(spec, use)
    for use in _elsewhere(spec):
        yield from _unknown(spec, use)


def unused_variables(spec: Spec) -> Iterator[Diagnostic]:
    """Yield a mistake for each variable that no expression reads."""
    blocks = (spec.body, *spec.blocks.values())
    uses = chain(*map(_in_block, blocks), _elsewhere(spec))
    used = {name for use in uses for name in use.expression.names}
    for name, variable in spec.variables.items():
        if name not in used:
            help = "write it between braces where its value belongs, or take it away"
            message = f"no text mentions the variable `{shown(name)}`"
            yield Diagnostic(message, Span(variable.keys, -1), help=help)


def numbers_beside(spec: Spec, name: str) -> list[int]:
    """Return the integers in expressions that read a variable: near them a condition may change."""
    return sorted({n for use in _uses_of(spec, name) for n in use.expression.numbers()})


def texts_beside(spec: Spec, name: str) -> list[str]:
    """Return the strings in expressions that read a variable."""
    return sorted({text for use in _uses_of(spec, name) for text in use.expression.texts()})


def _uses_of(spec: Spec, name: str) -> Iterator[Usage]:
    for block in (spec.body, *spec.blocks.values()):
        yield from (use for use in _in_block(block) if name in use.expression.names)


def _unknown(spec: Spec, use: Usage) -> Iterator[Diagnostic]:
    for name in sorted(use.expression.names):
        if name in CONSTANTS or name in spec.variables or name in use.own:
            continue
        if name in ARRIVING:
            verb = "are those that arrive" if name == "channels" else "is that of what arrives"
            message = f"`{name}` {verb}; at the input nothing does"
            help = "write a number or a variable"
        else:
            known = [*use.own, *spec.variables]
            message = f"unknown variable `{shown(name)}`"
            help = suggestion(name, known) or f"known here: {listed(known) or 'no names'}"
        yield Diagnostic(message, use.expression.place(name)._replace(keys=use.keys), help=help)


def _in_block(block: Block) -> Iterator[Usage]:
    before = dict.fromkeys(ARRIVING)
    for parameter in block.sizes:
        if isinstance(parameter.default, Expression):
            yield Usage(parameter.default, (*block.keys, "args"), False, before)
        before[parameter.name] = None
    for line in (*(line for branch in block.branches for line in branch.lines), *block.then):
        for value in (line.condition, line.repeat):
            if isinstance(value, Expression):
                yield Usage(value, line.keys, True, before)
        for step in line.steps:
            if step.condition is not None:
                yield Usage(step.condition, line.keys, True, before)
            if isinstance(step.name, Expression):
                yield Usage(step.name, line.keys, True, before)
            for given in step.arguments:
                if isinstance(given.value, Expression):
                    yield Usage(given.value, line.keys, False, before)


def _elsewhere(spec: Spec) -> Iterator[Usage]:
    inputs: list[tuple[Any, Keys]] = [(s, spec.keys_of(name)) for name, s in spec.inputs.items()]
    for name, variant in spec.variants.items():
        inputs.append((variant.about.get("input", ()), ("variants", name, "input")))
    for sizes, keys in inputs:
        for size in sizes:
            if isinstance(size, Expression):
                yield Usage(size, keys, False, ())
    for name, arguments in spec.defaults.items():
        for given in arguments:
            if isinstance(given.value, Expression):
                yield Usage(given.value, ("defaults", name), False, ARRIVING)
