"""Make layers of constants: class tokens, tables, matrices."""

from __future__ import annotations

from math import prod

from archcalc.interop.lowering.assembly import MOST_AXES, LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.trace import Operation


def standing(low: LoweringState, name: str | None) -> Layout:
    """Return the layout of a tensor; a constant becomes layers that add it to zeros.

    Raises:
        LoweringError: the tensor does not exist.
    """
    if name is None or name in low.layouts or name not in low.trace.tensors:
        return low.layout(name)
    if low.origin(name) in low.tokens:
        return _token(low, name)
    if name not in low.stood:
        low.stood[name] = _added(low, name)
    return low.atoms.resolved(low.stood[name])


def _added(low: LoweringState, name: str) -> Layout:
    shape = low.shape(name)
    file = tuple(low.atoms.new(size) for size in shape)
    own = tuple(axis for axis in file if axis)
    while len(own) > MOST_AXES:
        own = (own[0] + own[1], *own[2:])
    node = low.add("padchannels", [_zero(low)], channels=prod(shape)) if prod(shape) > 1 else _zero(low)
    if len(own) > 1:
        node = low.add("reshape", [node], shape=low.atoms.shape(own))
    else:
        own = ((), (), *(own or ((),)))
    sizes = low.atoms.shape(own) if any(own[:-1]) else (prod(shape),)
    role, given = low.role_of(name)
    flat = tuple(low.atoms.size((atom,)) for axis in own for atom in axis) or (1,)
    held = [(role, name, flat, tuple(range(len(flat))))]
    return Layout(low.add("offset", [node], held, shape=sizes, **given), file, own)


def _zero(low: LoweringState) -> int:
    """Return the node that outputs a zero: the padding after one value of the first input."""
    if low.zero < 0:
        node = low.add("flatten", [0])
        if low.nodes[node].shape.channels > 1:
            node = low.add("slice", [node], size=1)
        node = low.add("padchannels", [node], channels=2)
        low.zero = low.add("slice", [node], **{"size": 1, "from": 1})
    return low.zero


def tokens(low: LoweringState, op: Operation, dim: int) -> bool:
    """Lower a concatenation of learned tokens and a sequence; return whether it is one."""
    shape = low.shape(op.outputs[0])
    *first, last = op.inputs
    if len(shape) != 3 or dim != 1 or not first or not low.live(last):
        return False
    if any(name is None or low.live(name) or not low.fresh(name) for name in first):
        return False
    layout = low.layout(last)
    channels: Axis = layout.file[2]
    x = low.spread(layout, (layout.file[1], channels))
    node = x.node
    for name in reversed(first):
        count = low.shape(name)[1]
        for row in range(count - 1, -1, -1):
            part = (0,) if count == 1 else (0, 1)
            split = (shape[-1],) if count == 1 else (1, shape[-1])
            rows = () if count == 1 else ((row, row + 1),)
            node = low.add("classtoken", [node], [("weight", name, split, part, *rows)])
    made = low.atoms.new(shape[1])
    low.set(op.outputs[0], Layout(node, ((), made, channels), (made, channels)))
    if len(first) == 1 and low.shape(first[0])[1] == 1:
        low.tokens[low.origin(first[0] or "")] = node
    return True


def _token(low: LoweringState, name: str) -> Layout:
    """Return a class token that is already part of a sequence."""
    node = low.once("token", low.tokens[low.origin(name)], index=0)
    shape = low.shape(name)
    channels = low.atoms.new(shape[-1])
    return Layout(node, (*((),) * (len(shape) - 1), channels), ((), (), channels))
