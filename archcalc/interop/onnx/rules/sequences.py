"""Rules of lists of tensors, which older exporters write for split, stack and loops over parts."""

from __future__ import annotations

from archcalc.errors import ArchError
from archcalc.interop.onnx.rules.moving import joined
from archcalc.interop.onnx.tensors import INT64, MOST_NUMBERS
from archcalc.interop.onnx.values import NodeCall, Rule, Value


def sequence(call: NodeCall) -> list[Value]:
    return [Value.sequence([call.value(i) for i in range(len(call.inputs))])]


def sequence_empty(call: NodeCall) -> list[Value]:
    return [Value.sequence([])]


def sequence_at(call: NodeCall) -> list[Value]:
    items, places_ = call.items(0), call.sizes(1)
    return [items[call.axis(places_[0] if places_ else 0, len(items))]]


def sequence_insert(call: NodeCall) -> list[Value]:
    items = list(call.items(0))
    where = call.sizes(2)[0] if call.maybe(2) else len(items)
    items.insert(where, call.value(1))
    return [Value.sequence(items)]


def sequence_erase(call: NodeCall) -> list[Value]:
    items = list(call.items(0))
    where = call.sizes(1)[0] if call.maybe(1) else -1
    del items[call.axis(where, len(items))]
    return [Value.sequence(items)]


def sequence_length(call: NodeCall) -> list[Value]:
    return [Value((), INT64, [len(call.items(0))])]


def split_to_sequence(call: NodeCall) -> list[Value]:
    shape = call.ranked(0, 1)
    axis = call.axis(call.integer("axis", 0), len(shape))
    sizes, keep = [1] * shape[axis], True
    if call.maybe(1) is not None:
        sizes = call.sizes(1)
        if not call.value(1).shape:
            each = max(sizes[0], 1)
            sizes = [min(each, shape[axis] - i) for i in range(0, min(shape[axis], MOST_NUMBERS), each)]
    else:
        keep = bool(call.integer("keepdims", 1))
    if len(sizes) > MOST_NUMBERS or sum(sizes) != shape[axis]:
        raise ArchError(f"{shape[axis]} values cannot be split into {len(sizes)} parts")
    kept = [(size,) if keep else () for size in sizes]
    parts = [Value(shape[:axis] + size + shape[axis + 1 :], call.first.dtype) for size in kept]
    return [Value.sequence(parts)]


def concat_from_sequence(call: NodeCall) -> list[Value]:
    parts, axis = call.items(0), call.integer("axis", 0)
    if call.integer("new_axis", 0) and parts:
        at = call.axis(axis, len(parts[0].shape) + 1)
        parts = [Value((*p.shape[:at], 1, *p.shape[at:]), p.dtype) for p in parts]
    return [joined(call, parts, axis)]


RULES: dict[str, Rule] = {
    "SequenceConstruct": sequence,
    "SequenceEmpty": sequence_empty,
    "SequenceAt": sequence_at,
    "SequenceInsert": sequence_insert,
    "SequenceErase": sequence_erase,
    "SequenceLength": sequence_length,
    "SplitToSequence": split_to_sequence,
    "ConcatFromSequence": concat_from_sequence,
}
