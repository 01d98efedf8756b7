"""Refuse operators, blocks and arguments that do not exist, before a graph is built."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from archcalc.errors import (
    MOST_MISTAKES,
    ArchError,
    Diagnostic,
    Span,
    SpecError,
    shown,
    suggestion,
)
from archcalc.graph.bind import Bound, bind, require_values, unknown_argument
from archcalc.operators import TABLE, operator_class
from archcalc.spec.expressions import Expression
from archcalc.spec.model import JOINS, Block, Given, Line, Spec, Step


def check(spec: Spec) -> None:
    """Check every step of every block, used or not.

    Raises:
        SpecError: there are mistakes; it has all of them.
    """
    mistakes = list(islice(_mistakes(spec), MOST_MISTAKES))
    if mistakes:
        raise SpecError(*mistakes, source=spec.source)


def lines_of(block: Block) -> Iterator[Line]:
    """Yield the lines of all branches, then those of `then`."""
    for branch in block.branches:
        yield from branch.lines
    yield from block.then


def _mistakes(spec: Spec) -> Iterator[Diagnostic]:
    yield from _check_defaults(spec)
    yield from _check_blocks(spec)
    sound: set[Any] = set()  # equal calls are checked once
    for block in (spec.body, *spec.blocks.values()):
        for line in lines_of(block):
            for step in line.steps:
                yield from _check_step(spec, block, line, step, sound)
            if line.output and block.name:
                place = line.span(*line.label_at)
                help = "outputs stand at top level"
                yield Diagnostic("an `output` inside a block", place, help=help)


def _check_step(
    spec: Spec, block: Block, line: Line, step: Step, sound: set[Any]
) -> Iterator[Diagnostic]:
    for given in step.arguments:
        if given.name == "..." and not block.name:
            help = "it stands for the arguments that a call of the block has in addition"
            place = line.span(given.start, given.end)
            yield Diagnostic("`...` stands only inside a block", place, help=help)
    if step.target or isinstance(step.name, Expression):
        return
    if step.name == "reuse":
        yield from _check_reuse(line, step)
        return
    if step.name not in TABLE and step.name not in spec.blocks:
        yield _unknown_step(spec, step.name, line.span(step.start, step.end))
        return
    call = (step.name, *((g.name, g.value is True) for g in step.arguments))
    if call not in sound:
        try:
            _check_call(spec, line, step, step.name)
            sound.add(call)
        except ArchError as error:
            yield from error.diagnostics


def _check_reuse(line: Line, step: Step) -> Iterator[Diagnostic]:
    other = next((g for g in step.arguments if g.name != "@"), None)
    if other is not None or not step.arguments:
        place = line.span(*((other.start, other.end) if other else (step.start, step.end)))
        help = "label a line and run it again: `a = conv 64`, then `reuse @a`"
        yield Diagnostic("`reuse` takes the @label of a line, and no more", place, help=help)


def _unknown_step(spec: Spec, name: str, place: Span) -> Diagnostic:
    from archcalc.graph.missing import meant  # of mistakes only

    help = meant(name, [*TABLE, *spec.blocks]) or f"operators: {', '.join(TABLE)}"
    return Diagnostic(f"unknown operator or block `{shown(name)}`", place, help=help)


def _check_call(spec: Spec, line: Line, step: Step, name: str) -> None:
    """Refuse a call with other arguments than the operator or block declares, whatever their values.

    Raises:
        ArchError: arguments are missing, too many or unknown.
    """
    place = line.span(step.start, step.end)
    given = [Bound(g.name, g.value, line.span(g.start, g.end)) for g in step.arguments]
    plain = [g for g in given if g.name not in ("@", "...")]
    block = spec.blocks.get(name)
    check_labels(name, block, [g for g in given if g.name == "@"], place)
    if len(plain) + sum(g.name == "@" for g in given) < len(given):
        return  # what `...` stands for is known only when the block is called
    if block is not None:
        _, rest = bind(name, block.sizes, plain, place)
        if rest and not block.takes_rest:
            raise unknown_argument(name, block.sizes, rest[0])
        return
    declared = operator_class(name).arguments
    bound, rest = bind(name, declared, plain, place)
    if rest:
        raise unknown_argument(name, declared, rest[0])
    require_values(declared, bound)


def check_labels(name: str, block: Block | None, labels: list[Bound], place: Span) -> None:
    """Refuse more or fewer labels than an operator reads, or a block declares.

    Raises:
        ArchError: there are too many, or too few.
    """
    least, most = (len(block.tensors),) * 2 if block else operator_class(name).labels
    if most is not None and len(labels) > most:
        count = f"{most or 'no'} @label{'s' * (most > 1)}" + (f", not {len(labels)}" if most else "")
        help = "one tensor arrives, the others are named" if most else f"{', '.join(JOINS)} do"
        raise ArchError(Diagnostic(f"`{shown(name)}` takes {count}", labels[most].span, help=help))
    if len(labels) < least:
        if most is None:
            help = f"write `{name} @label`: the tensor that arrives is the first"
            raise ArchError(Diagnostic(f"`{name}` needs a @label to join with", place, help=help))
        names = ", ".join(f"`@{shown(t)}`" for t in block.tensors) if block else "its other input"
        count = "a @label" if least == 1 else f"{least} @labels"
        message = f"`{shown(name)}` needs {count}"
        raise ArchError(Diagnostic(message, place, help=f"write `{shown(name)} … @label`: {names}"))


def _check_defaults(spec: Spec) -> Iterator[Diagnostic]:
    for name, arguments in spec.defaults.items():
        if name not in TABLE:
            near = "" if name in spec.blocks else suggestion(name, TABLE)
            help = near or "defaults are for operators, not for blocks"
            place = Span(("defaults", name), -1)
            yield Diagnostic(f"unknown operator `{shown(name)}`", place, help=help)
            continue
        declared = operator_class(name).arguments
        optional = {a.name for a in declared if not (a.required or a.positional)}
        for given in arguments:
            try:
                _check_default(name, given, optional)
            except ArchError as error:
                yield from error.diagnostics


def _check_default(name: str, given: Given, optional: set[str]) -> None:
    declared = operator_class(name).arguments
    argument = Bound(given.name, given.value, Span(("defaults", name), given.start, given.end))
    if given.name not in optional:
        raise unknown_argument(name, declared, argument)
    require_values(declared, {given.name: argument})


def _check_blocks(spec: Spec) -> Iterator[Diagnostic]:
    for name, block in spec.blocks.items():
        if name in TABLE:
            message = f"`{name}` is an operator; a block needs another name"
            yield Diagnostic(message, Span(block.keys, -1))
    cycle = _cycle(_calls(spec))
    if cycle:
        name = cycle[0]
        way = " → ".join(map(shown, cycle if len(cycle) < 9 else [*cycle[:4], "…", *cycle[-4:]]))
        help = "a block may repeat others, not itself: use `3 x block`"
        message = f"the block `{shown(name)}` contains itself: {way}"
        yield Diagnostic(message, Span(spec.blocks[name].keys, -1), help=help)


def _calls(spec: Spec) -> dict[str, list[str]]:
    """Map callers to callees; a computed name calls its variables, `$name`, these all their choices."""
    calls = {}
    for name, block in spec.blocks.items():
        own = {p.name for p in block.sizes}
        called: dict[str, None] = {}
        for line in lines_of(block):
            for step in line.steps:
                texts = [step.name] if isinstance(step.name, str) else step.name.texts()
                called.update(dict.fromkeys(text for text in texts if text in spec.blocks))
                if not isinstance(step.name, str):
                    called.update(dict.fromkeys(f"${n}" for n in sorted(step.name.names - own)))
        calls[name] = list(called)
    for name, variable in spec.variables.items():
        texts = [v for v in (*variable.choices, variable.default) if isinstance(v, str)]
        calls[f"${name}"] = [text for text in texts if text in spec.blocks]
    return calls


def _cycle(calls: dict[str, list[str]]) -> list[str]:
    """Return a cycle of blocks that call each other, with the first again at the end; [] if none."""
    done: set[str] = set()
    for start in calls:
        way: list[str] = []
        places: dict[str, int] = {}
        waiting: list[Iterator[str]] = [iter([start])]  # the calls still to follow, along the path
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                if way:
                    last = way.pop()
                    del places[last]
                    done.add(last)
            elif name in places:
                circle = [n for n in way[places[name] :] if not n.startswith("$")]
                return [*circle, circle[0]]
            elif name not in done:
                places[name] = len(way)
                way.append(name)
                waiting.append(iter(calls.get(name, ())))
    return []
