"""Write the errors of a build: each states the fact, the layer, the place and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import ArchError, Diagnostic, Keys, ShapeError, Span, listed, shown, suggestion
from archcalc.graph.bind import Bound
from archcalc.graph.model import Node
from archcalc.operators import TABLE
from archcalc.operators.shape import Shape
from archcalc.spec.expressions import Expression
from archcalc.spec.model import Line, Size, Spec
from archcalc.symbols import Symbol


def misfit(
    error: ShapeError,
    nodes: Sequence[Node],
    path: str,
    inputs: tuple[int, ...],
    place: Span,
    arguments: Mapping[str, Bound],
) -> ArchError:
    """Return an operator's error with the layer, its inputs, and the layers that they come from."""
    blamed = arguments.get(error.field)
    shapes = [str(nodes[i].shape) for i in inputs]
    different = dict(zip(reversed(shapes), reversed(inputs), strict=True))  # the first of each shape
    asked = [i for i in list(different.values())[:-5:-1] if i or len(inputs) > 1]
    notes = tuple(_origin(nodes, i) for i in asked)
    label = f"in layer {path[-200:]}, input{'s' if len(inputs) > 1 else ''} {listed(shapes)}"
    return ArchError(
        Diagnostic(error.message, blamed.span if blamed else place, label, notes, error.help)
    )


def _origin(nodes: Sequence[Node], index: int) -> tuple[str, Span]:
    """Return the layer that a tensor's shape comes from, before those that keep the shape."""
    node = nodes[index]
    while (
        len(node.inputs) == 1 and node.inputs[0] and str(nodes[node.inputs[0]].shape) == str(node.shape)
    ):
        node = nodes[node.inputs[0]]
    return f"the {node.shape} comes from {node.path[-200:]}", node.span


def bad_input(size: Any, written: Size, keys: Keys) -> ArchError:
    """Refuse a height, width or number of channels that is no positive integer."""
    place = Span(keys)
    if isinstance(written, Expression):
        place = Span(keys, written.start, written.end)
    help = "height, width and channels are positive integers"
    return ArchError(Diagnostic(f"the input has a size of `{_value(size)}`", place, help=help))


def bad_count(count: Any, line: Line) -> ArchError:
    """Refuse a count of rounds that is no integer from 0."""
    help = "a count is an integer from 0"
    place = line.span(*line.repeat_at)
    return ArchError(Diagnostic(f"a repeat of `{_value(count)}`", place, help=help))


def too_large(line: Line, steps: int, most: int) -> ArchError:
    """Refuse more layers than a network may have."""
    help = f"a network may have {most:,} layers"
    if line.repeat == 1:
        return ArchError(Diagnostic("too many layers", line.span(), help=help))
    place = line.span(*line.repeat_at)
    return ArchError(Diagnostic(f"the repeats make at least {steps:,} layers", place, help=help))


def too_long(line: Line) -> ArchError:
    """Refuse a network whose build takes too much work."""
    help = "fewer repeats, shorter expressions, lists and labels"
    return ArchError(Diagnostic("the network takes too long to build", line.span(), help=help))


def too_deep(most: int, place: Span) -> ArchError:
    """Refuse blocks that are nested too deep."""
    help = "a repeat (`3 x unit`) does not nest"
    return ArchError(Diagnostic(f"blocks nested more than {most} deep", place, help=help))


def set_twice(line: Line) -> ArchError:
    """Refuse a label that another line has already."""
    help = "a label names one tensor; an @label may stand as often as you like"
    message = f"the label `{shown(line.label)}` is set twice"
    return ArchError(Diagnostic(message, line.span(*line.label_at), help=help))


def no_label(label: str, labels: Mapping[str, int], place: Span) -> ArchError:
    """Refuse an @label that no line before has set."""
    name = shown(label)
    known = [f"@{k}" for k in labels]
    help = suggestion(f"@{label}", known) or f"labels so far: {listed(known)}"
    return ArchError(Diagnostic(f"no label `@{name}` before this line", place, help=help))


def no_line(label: str, place: Span) -> ArchError:
    """Refuse to reuse a label of a tensor that was passed to a block: it has no line."""
    help = "label the line that is to run again: `a = conv 64`, then `reuse @a`"
    return ArchError(Diagnostic(f"`@{shown(label)}` names no line", place, help=help))


def other_axes(label: str, before: Shape, now: Shape, place: Span) -> ArchError:
    """Refuse to reuse layers on a tensor of other axes."""
    help = "the same weights need the same axes and channels"
    message = f"`@{shown(label)}` ran on {before}; what arrives is {now}"
    return ArchError(Diagnostic(message, place, help=help))


def no_holder(node: Node, label: Bound) -> ArchError:
    """Refuse to share the weights of a layer that has none of this kind."""
    message = f"{node.path[-200:]} (`{node.operator.name}`) has no such weights to use"
    help = "the label of the layer that has them: `tok = embedding 30522 768`"
    return ArchError(Diagnostic(message, label.span, help=help))


def many_inputs(label: str, place: Span) -> ArchError:
    """Refuse further tensors for a line that is no single layer of so many inputs."""
    help = "further @labels stand for the further inputs of one layer: `reuse @attn @memory`"
    message = f"`@{shown(label)}` is no single layer of so many inputs"
    return ArchError(Diagnostic(message, place, help=help))


def no_step(expression: Expression, name: object, spec: Spec, line: Line) -> ArchError:
    """Refuse a computed name that is no operator and no block."""
    text, value = shown(expression.text.strip()), _value(name)
    message = f"`{text}` is {'' if value == text else f'`{value}`, '}no operator or block"
    help = f"a repeat has an x: `{{{text}}} x …`"
    if isinstance(name, str):
        help = suggestion(name, [*spec.blocks, *TABLE])
    place = line.span(expression.start, expression.end)
    return ArchError(Diagnostic(message, place, help=help))


def _value(value: Any) -> str:
    return shown(value.value if isinstance(value, Symbol) else value)
