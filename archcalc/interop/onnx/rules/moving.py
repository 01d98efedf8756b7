"""Rules of operators that give values another shape or order: reshape, transpose, concat, resize …"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.arrays import spread, strides, transposed
from archcalc.interop.onnx.tensors import MOST_NUMBERS
from archcalc.interop.onnx.values import NodeCall, Rule, Shape, Value, shared, sized


def _like(value: Value, shape: Sequence[int], numbers: list[Any] | None = None) -> list[Value]:
    return [Value(shape, value.dtype, numbers)]


def reshape(call: NodeCall) -> list[Value]:
    """0 keeps an extent, −1 is what remains; the order of the numbers stays."""
    shape, target = call.first.shape, call.listed("shape", 1)
    if target is None:
        raise ArchError("it has no shape to reshape to")
    zero = call.integer("allowzero", 0)
    if not zero and 0 in target[len(shape) :]:
        raise ArchError(f"shape {sized(target)} keeps an axis that {sized(shape)} does not have")
    found = [shape[i] if n == 0 and not zero else n for i, n in enumerate(target)]
    if found.count(-1) > 1 or any(n < -1 for n in found):
        raise ArchError(f"shape {sized(target)} leaves more than one extent open")
    if -1 in found:
        rest = math.prod(n for n in found if n != -1)
        found[found.index(-1)] = math.prod(shape) // rest if rest else 0
    if math.prod(found) != math.prod(shape):
        raise ArchError(f"{sized(shape)} cannot be reshaped to {sized(target)}")
    return _like(call.first, found, call.first.numbers)


def flatten(call: NodeCall) -> list[Value]:
    shape = call.first.shape
    axis = call.integer("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise ArchError(f"axis {axis} is none of the {len(shape)} axes")
    axis += len(shape) if axis < 0 else 0
    return _like(call.first, (math.prod(shape[:axis]), math.prod(shape[axis:])), call.first.numbers)


def squeeze(call: NodeCall) -> list[Value]:
    shape, axes = call.first.shape, call.listed("axes", 1)
    if axes is None:
        gone = {i for i, extent in enumerate(shape) if extent == 1}
    else:
        gone = {call.axis(axis, len(shape)) for axis in axes}
        if any(shape[axis] != 1 for axis in gone):
            raise ArchError(f"axes {sized(sorted(gone))} of {sized(shape)} are not all 1")
    return _like(call.first, [n for i, n in enumerate(shape) if i not in gone], call.first.numbers)


def unsqueeze(call: NodeCall) -> list[Value]:
    axes = call.listed("axes", 1) or []
    rank = len(call.first.shape) + len(axes)
    new = {call.axis(axis, rank) for axis in axes}
    if len(new) != len(axes):
        raise ArchError(f"axes {sized(axes)} name one axis twice")
    rest = iter(call.first.shape)
    return _like(call.first, [1 if i in new else next(rest) for i in range(rank)], call.first.numbers)


def transpose(call: NodeCall) -> list[Value]:
    shape = call.first.shape
    order = call.integers("perm") or list(range(len(shape)))[::-1]
    if sorted(order) != list(range(len(shape))):
        raise ArchError(f"perm {sized(order)} is no order of {len(shape)} axes")
    numbers = call.known(0)
    if numbers is not None:
        numbers = transposed(numbers, shape, order)
    return _like(call.first, [shape[axis] for axis in order], numbers)


def concat(call: NodeCall) -> list[Value]:
    """Along an axis; lists of numbers are joined."""
    parts = [call.value(i) for i in range(len(call.inputs))]
    return [joined(call, parts, call.integer("axis", 1))]


def joined(call: NodeCall, parts: list[Value], axis: int) -> Value:
    """One tensor of several along an axis."""
    if not parts:
        raise ArchError("there is nothing to join")
    shape = parts[0].shape
    axis = call.axis(axis, len(shape))
    for part in parts:
        if part.shape[:axis] + part.shape[axis + 1 :] != shape[:axis] + shape[axis + 1 :]:
            raise ArchError(f"{sized(shape)} and {sized(part.shape)} cannot be joined along axis {axis}")
    result = Value(
        (*shape[:axis], sum(p.shape[axis] for p in parts), *shape[axis + 1 :]), parts[0].dtype
    )
    if len(shape) == 1 and result.size <= MOST_NUMBERS and all(p.numbers is not None for p in parts):
        call.budget.spend(result.size)
        return Value(result.shape, result.dtype, [n for p in parts for n in p.numbers or ()])
    return result


def split(call: NodeCall) -> list[Value]:
    shape = call.ranked(0, 1)
    axis = call.axis(call.integer("axis", 0), len(shape))
    count, sizes = len(call.node.outputs), call.listed("split", 1)
    if sizes is None:  # equal parts, the last one smaller
        each = -(-shape[axis] // count)
        sizes = [each] * (count - 1) + [shape[axis] - each * (count - 1)]
    if sum(sizes) != shape[axis] or min(sizes) < 0:
        raise ArchError(f"{shape[axis]} values cannot be split into {sized(sizes)}")
    numbers = call.known(0) if len(shape) == 1 else None
    found, start = [], 0
    for size in sizes:
        part = None if numbers is None else numbers[start : start + size]
        found += _like(call.first, (*shape[:axis], size, *shape[axis + 1 :]), part)
        start += size
    return found


def _spread(call: NodeCall, shape: Shape) -> list[Value]:
    result = Value(shape, call.first.dtype)
    numbers = call.first.numbers
    if numbers is None or not call.folds(result):
        result.blank = call.first.blank or (numbers is not None and not any(numbers))
        return [result]
    call.budget.spend(result.size)
    return _like(call.first, shape, spread(numbers, call.first.shape, shape))


def expand(call: NodeCall) -> list[Value]:
    return _spread(call, shared(call.first.shape, tuple(call.sizes(1))))


def tile(call: NodeCall) -> list[Value]:
    shape, repeats = call.first.shape, call.sizes(1)
    if len(repeats) != len(shape) or min(repeats, default=0) < 0:
        raise ArchError(f"{sized(repeats)} repeats do not fit {sized(shape)}")
    found = tuple(n * times for n, times in zip(shape, repeats, strict=True))
    numbers = call.known(0)
    if numbers is None or not call.folds(Value(found, call.first.dtype)):
        return _like(call.first, found)
    steps = strides(shape)
    rows = [[i % n * step for i in range(m)] for n, m, step in zip(shape, found, steps, strict=True)]
    where = [0]
    for row in rows:
        where = [base + step for base in where for step in row]
    return _like(call.first, found, [numbers[place] for place in where])


def pad(call: NodeCall) -> list[Value]:
    shape, pads = call.first.shape, call.listed("pads", 1)
    if pads is None:
        pads = call.integers("paddings") or []
    axes = call.sizes(3) if call.maybe(3) else list(range(len(shape)))
    if len(pads) != 2 * len(axes):
        raise ArchError(f"{len(pads)} pads do not fit {len(axes)} axes")
    found = list(shape)
    for i, axis in enumerate(axes):
        found[call.axis(axis, len(shape))] += pads[i] + pads[len(axes) + i]
    return _like(call.first, found)


def resize(call: NodeCall) -> list[Value]:
    """To sizes, or by scales, of all axes or some; attributes before opset 9, with a region since 11."""
    shape = call.first.shape
    at = 2 if call.op == "Resize" and call.opset >= 11 else 1
    axes = call.integers("axes") or list(range(len(shape)))
    sizes = call.maybe(at + 1)
    if sizes is not None and sizes.shape != (0,):
        given = call.sizes(at + 1)
        if call.text("keep_aspect_ratio_policy", "stretch") != "stretch":
            given = _in_ratio(call, [shape[call.axis(a, len(shape))] for a in axes], given)
    else:
        scales = call.attributes["scales"].value if "scales" in call.attributes else call.known(at)
        if not isinstance(scales, list):
            raise ArchError("its size depends on scales which the file does not hold")
        if len(scales) != len(axes) or not all(0 < s < 1 << 30 for s in scales):
            raise ArchError(f"{len(scales)} scales do not fit {len(axes)} axes")
        given = [
            math.floor(shape[call.axis(a, len(shape))] * s) for a, s in zip(axes, scales, strict=True)
        ]
    if len(given) != len(axes):
        raise ArchError(f"{len(given)} sizes do not fit {len(axes)} axes")
    found = list(shape)
    for axis, extent in zip(axes, given, strict=True):
        found[call.axis(axis, len(shape))] = extent
    return _like(call.first, found)


def _in_ratio(call: NodeCall, shape: list[int], sizes: list[int]) -> list[int]:
    """Return the sizes that a single scale for all axes gives: the smallest or largest asked for."""
    if len(shape) != len(sizes) or not all(shape):
        raise ArchError(f"{len(sizes)} sizes do not fit {sized(shape)}")
    pick = min if call.text("keep_aspect_ratio_policy") == "not_larger" else max
    scale = pick(size / extent for size, extent in zip(sizes, shape, strict=True))
    return [math.floor(extent * scale + 0.5) for extent in shape]


def depth_to_space(call: NodeCall) -> list[Value]:
    n, channels, height, width = call.ranked(0, 4)[:4]
    block = call.integer("blocksize", 0)
    if block < 1:
        raise ArchError("it has no blocksize")
    if call.op == "SpaceToDepth":
        return _like(call.first, (n, channels * block * block, height // block, width // block))
    return _like(call.first, (n, channels // (block * block), height * block, width * block))


def crop_or_pad(call: NodeCall) -> list[Value]:
    """To the sizes given, of all axes or of some."""
    found, sizes = list(call.first.shape), call.sizes(1)
    axes = call.integers("axes") or list(range(len(found)))
    if len(axes) != len(sizes):
        raise ArchError(f"{len(sizes)} sizes do not fit {len(axes)} axes")
    for axis, extent in zip(axes, sizes, strict=True):
        found[call.axis(axis, len(found))] = extent
    return _like(call.first, found)


RULES: dict[str, Rule] = {
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Concat": concat,
    "Split": split,
    "Expand": expand,
    "Tile": tile,
    "Pad": pad,
    "Resize": resize,
    "Upsample": resize,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": depth_to_space,
    "CenterCropPad": crop_or_pad,
}
