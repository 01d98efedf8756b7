"""Lower a model: turn each live operation of its trace into layers, and check them by its tally."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic
from archcalc.graph.model import Graph
from archcalc.interop.lowering import (
    attention,
    constants,
    contracting,
    joining,
    layers,
    moves,
    padding,
    products,
    recurrent,
    unfolding,
    values,
    windows,
)
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.check import check
from archcalc.interop.lowering.inputs import channels_of
from archcalc.interop.lowering.model import HeldTensor, Lowered, LoweringError
from archcalc.interop.lowering.needed import needed
from archcalc.interop.lowering.projections import unfinished
from archcalc.interop.lowering.written_out import Gathering
from archcalc.interop.prune import Pruned, prune
from archcalc.interop.tally import Tally
from archcalc.interop.trace import Operation, Trace

LoweringRule = Callable[[LoweringState, Operation], None]

_TABLE: tuple[tuple[LoweringRule, str], ...] = (
    (layers.conv, "conv"),
    (layers.conv_transpose, "conv_transpose"),
    (layers.linear, "linear"),
    (layers.batch_norm, "batch_norm"),
    (layers.layer_norm, "layer_norm rms_norm"),
    (layers.group_norm, "group_norm instance_norm"),
    (layers.local_response_norm, "local_response_norm"),
    (layers.embedding, "embedding"),
    (attention.attention, "attention"),
    (windows.pool, "max_pool avg_pool"),
    (windows.adaptive_pool, "adaptive_avg_pool adaptive_max_pool"),
    (windows.resample, "upsample_nearest upsample_linear upsample_cubic"),
    (windows.pixel_shuffle, "pixel_shuffle pixel_unshuffle"),
    (windows.channel_shuffle, "channel_shuffle"),
    (windows.reduce, "mean sum amax"),
    (values.plain, " ".join(values.PLAIN)),
    (values.parametric, "leaky_relu relu6 clamp elu"),
    (values.prelu, "prelu"),
    (values.negative, "neg"),
    (values.unit, "unit"),
    (constants.addcmul, "addcmul"),
    (values.power, "pow square"),
    (products.matmul, "matmul"),
    (products.addmm, "addmm"),
    (contracting.einsum, "einsum"),
    (recurrent.recurrent, "lstm gru rnn_tanh rnn_relu"),
    (values.softmax, "softmax log_softmax"),
    (values.glu, "glu"),
    (constants.join, "add sub mul div maximum"),
    (moves.same, "copy cast dropout"),
    (moves.view, "view"),
    (moves.permute, "permute"),
    (moves.expand, "expand"),
    (moves.repeat, "repeat repeat_interleave"),
    (moves.slice_, "slice"),
    (moves.select, "select"),
    (moves.gather, "gather"),
    (moves.unbind, "unbind"),
    (moves.split, "split"),
    (joining.cat, "cat"),
    (joining.stack, "stack"),
    (padding.pad, "pad"),
    (padding.roll, "roll"),
    (padding.todepth, "todepth"),
    (unfolding.unfold, "unfold"),
)
RULES: dict[str, LoweringRule] = {word: rule for rule, words in _TABLE for word in words.split()}


# the errors of arithmetic on shapes and attributes that contradict each other
_CONTRADICTIONS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    StopIteration,
    TypeError,
    UnboundLocalError,
    ValueError,
)


@garbage.paused()
def lower_trace(name: str, trace: Trace, tally: Tally) -> Lowered:
    """Return the layers of a trace of one image.

    Raises:
        ArchError: no layer does the same as an operation, or the counts differ from the tally.
    """
    try:
        return _lowered(name, trace, tally)
    except _CONTRADICTIONS as error:
        raise ArchError(f"{name}: its shapes and attributes contradict each other") from error


def _lowered(name: str, trace: Trace, tally: Tally) -> Lowered:
    pruned = prune(trace)
    gathering = Gathering(trace, pruned.live)
    pruned = pruned._replace(live=gathering.gathered())
    low = _begun(name, trace._replace(tensors=gathering.tensors), pruned)
    for operation in pruned.live:
        try:
            _one(low, operation)
        except (LoweringError, *_CONTRADICTIONS) as fact:
            raise _refused(name, operation, fact) from fact
    try:
        unfinished(low)
    except LoweringError as fact:
        raise ArchError(f"{name}: {fact}") from fact
    whole = Graph(tuple(low.nodes), *_outputs(name, low))
    graph, numbers = needed(whole)
    layouts = [(low.layouts[t].node, prod(low.shape(t))) for t in trace.outputs if t in low.layouts]
    outputs = [(numbers[node], count) for node, count in layouts]
    check(name, graph, tally.counts, tally.parameters, outputs)
    weights = [w._replace(node=numbers[w.node]) for w in low.placed if w.node in numbers]
    values = {numbers[node]: v for node, v in low.numbers.items() if node in numbers}
    held = _renumbered(low.held_tensors(), numbers)
    entered = _renumbered(map(low.held_tensor, _entering(low)), numbers)
    other = {graph.nodes[numbers[n]].path: why for n, why in low.otherwise.items() if n in numbers}
    return Lowered(graph, trace.modules, tuple(weights), values, held, trace.notes, entered, other)


def _entering(low: LoweringState) -> list[str]:
    return [name for name in low.trace.inputs if name in low.layouts]


def _renumbered(found: Iterable[HeldTensor], numbers: Mapping[int, int]) -> tuple[HeldTensor, ...]:
    """Return the layouts in needed nodes, with the new numbers of these nodes."""
    return tuple(each._replace(node=numbers[each.node]) for each in found if each.node in numbers)


def _one(low: LoweringState, operation: Operation) -> None:
    if operation.outputs and operation.outputs[0] in low.layouts:
        return  # the rule of another operation has made it
    rule = RULES.get(operation.word)
    if rule is None:
        raise LoweringError(f"archcalc has no layer for {operation.word}")
    low.operation = operation
    rule(low, operation)


def _refused(name: str, operation: Operation, fact: Exception) -> ArchError:
    told = isinstance(fact, LoweringError)
    reason = str(fact) if told else "its shapes and attributes contradict each other"
    help = "params, flops, show and diff count the file as it is"
    return ArchError(
        Diagnostic(f"{name}: {operation.place} is no layer of archcalc: {reason}", help=help)
    )


def _begun(name: str, trace: Trace, pruned: Pruned) -> LoweringState:
    low = LoweringState(trace, pruned)
    used = {read for operation in pruned.live for read in operation.inputs} | set(trace.outputs)
    inputs = [tensor for tensor in trace.inputs if tensor in used]
    if not inputs:
        raise ArchError(f"{name}: no output depends on an input: it has no layers")
    for tensor in inputs:
        shape = trace.tensors[tensor].shape
        if 0 in shape:
            raise ArchError(f"{name}: its input {tensor} of {shape} is empty")
        file = tuple(low.atoms.new(size) for size in shape)
        own = _own(file, channels_of(trace, pruned, tensor))
        path = "input" if len(inputs) == 1 else low.names.entering(tensor)
        low.set(tensor, Layout(_input(low, path, own), file, own))
    return low


def _input(low: LoweringState, path: str, own: tuple[Axis, ...]) -> int:
    return low.begin(path, low.atoms.shape(own))


def _own(file: tuple[Axis, ...], channels: int) -> tuple[Axis, ...]:
    """Return a node's axes for an input: its positions without a batch of one, then its channels."""
    positions = [axis for at, axis in enumerate(file) if at != channels]
    if len(positions) > 1 or (positions and not positions[0]):
        positions = positions[1:] if not positions[0] else [axis for axis in positions if axis]
    while len(positions) > 3:
        positions[:2] = [positions[0] + positions[1]]
    last = () if channels < 0 else file[channels]
    return (*(positions or [(), ()]), last)


def _outputs(name: str, low: LoweringState) -> tuple[int, tuple[tuple[str, int], ...]]:
    found = [(tensor, low.layouts[tensor].node) for tensor in low.trace.outputs if tensor in low.layouts]
    if not found:
        raise ArchError(f"{name}: no output depends on an input: it has no layers")
    main = found[0][1]
    sides: list[tuple[str, int]] = []
    for tensor, node in found[1:]:
        if node != main and node not in [n for _, n in sides]:
            sides.append((low.names.taken(tensor), node))
    return main, tuple(sides)
