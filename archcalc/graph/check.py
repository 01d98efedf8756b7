"""What can be refused without building: operators, blocks and arguments that do not exist."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.errors import Diagnostic, Span, SpecError, suggestion
from archcalc.graph.bind import Bound, unknown_argument
from archcalc.operators import TABLE, operator_class
from archcalc.spec.model import Block, Line, Spec, Step

# what other tools call an operator
ALIASES = {
    "convolution": "conv",
    "conv2d": "conv",
    "dense": "linear",
    "fc": "linear",
    "max_pool": "maxpool",
    "pool": "maxpool",
    "avg_pool": "avgpool",
    "batchnorm": "bn",
    "batch_norm": "bn",
    "globalavgpool": "gap",
    "global_average_pool": "gap",
    "conv_transpose": "deconv",
    "convtranspose": "deconv",
    "layernorm": "ln",
    "silu": "swish",
    "hardswish": "hswish",
    "hardsigmoid": "hsigmoid",
    "leakyrelu": "leaky",
    "multiply": "mul",
    "cat": "concat",
    "concatenate": "concat",
    "depthwise": "conv",
}


def check(spec: Spec) -> None:
    """Look at every step of every block, used or not.

    Raises:
        SpecError: with all mistakes found.
    """
    mistakes = [*_check_defaults(spec), *_check_blocks(spec)]
    for block in (spec.body, *spec.blocks.values()):
        for line in lines_of(block):
            for step in line.steps:
                mistakes.extend(_check_step(spec, block, line, step))
            if line.output and block.name:
                place = line.span(*line.label_at)
                mistakes.append(
                    Diagnostic("an `output` inside a block", place, help="outputs stand at top level")
                )
    if mistakes:
        raise SpecError(*mistakes, source=spec.source)


def lines_of(block: Block) -> Iterator[Line]:
    """The lines of all branches, then those of `then`."""
    for branch in block.branches:
        yield from branch.lines
    yield from block.then


def _check_step(spec: Spec, block: Block, line: Line, step: Step) -> Iterator[Diagnostic]:
    if (
        isinstance(step.name, str)
        and not step.target
        and step.name not in TABLE
        and step.name not in spec.blocks
    ):
        known = [*TABLE, *spec.blocks]
        alias = ALIASES.get(step.name.lower())
        help = f"did you mean `{alias}`?" if alias else suggestion(step.name, known)
        place = line.span(step.start, step.end)
        message = f"unknown operator or block `{step.name}`"
        yield Diagnostic(message, place, help=help or f"operators: {', '.join(TABLE)}")
    for given in step.arguments:
        if given.name == "..." and not block.name:
            yield Diagnostic("`...` stands only inside a block", line.span(given.start, given.end))


def _check_defaults(spec: Spec) -> Iterator[Diagnostic]:
    for name, arguments in spec.defaults.items():
        if name not in TABLE:
            help = suggestion(name, TABLE) or "defaults are for operators, not for blocks"
            yield Diagnostic(f"unknown operator `{name}`", Span(("defaults", name), -1), help=help)
            continue
        declared = operator_class(name).arguments
        for given in arguments:
            if given.name not in {a.name for a in declared if not a.required}:
                place = Span(("defaults", name), given.start, given.end)
                yield unknown_argument(
                    name, declared, Bound(given.name, given.value, place)
                ).diagnostics[0]


def _check_blocks(spec: Spec) -> Iterator[Diagnostic]:
    for name, block in spec.blocks.items():
        if name in TABLE:
            yield Diagnostic(
                f"`{name}` is an operator; a block needs another name", Span(block.keys, -1)
            )
    calls = {name: _called(spec, block) for name, block in spec.blocks.items()}
    for name in calls:
        cycle = _cycle(name, calls)
        if cycle:
            way = " → ".join(cycle)
            help = "a block may repeat others, not itself: use `3 x block`"
            yield Diagnostic(
                f"the block `{name}` contains itself: {way}", Span(spec.blocks[name].keys, -1), help=help
            )
            return


def _called(spec: Spec, block: Block) -> list[str]:
    """The blocks that a block may call, by a computed name too (any choice of its variables)."""
    called = []
    for line in lines_of(block):
        for step in line.steps:
            if isinstance(step.name, str):
                called.append(step.name)
            else:
                variables = [spec.variables[n] for n in step.name.names if n in spec.variables]
                called += [
                    str(c) for v in variables for c in (*v.choices, v.default) if isinstance(c, str)
                ]
    return [name for name in dict.fromkeys(called) if name in spec.blocks]


def _cycle(start: str, calls: dict[str, list[str]]) -> list[str]:
    """A way from `start` back to itself, or []. Each block is visited once."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        block = waiting.pop()
        for called in calls[block]:
            if called == start:
                way = [start, block]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1]
            if called not in came_from:
                came_from[called] = block
                waiting.append(called)
    return []
