"""Infer operators that select values, or make them from a few numbers: gather, slice, range …"""

from __future__ import annotations

import math
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.arrays import taken
from archcalc.interop.onnx.tensors import FLOAT, INT64, MOST_NUMBERS
from archcalc.interop.onnx.values import NodeCall, Rule, Value, scalar, sized

_MOST_EXTENT = 1 << 40
_END = 1 << 62  # what exporters write for "to the end"


def gather(call: NodeCall) -> list[Value]:
    shape, index = call.ranked(0, 1), call.value(1)
    axis = call.axis(call.integer("axis", 0), len(shape))
    result = Value((*shape[:axis], *index.shape, *shape[axis + 1 :]), call.first.dtype)
    if len(shape) > 1 or index.numbers is None or not call.folds(result):
        return [result]
    numbers, chosen = call.known(0), call.known(1) or []
    if numbers is None:
        return [result]
    if not all(isinstance(i, int) and -len(numbers) <= i < len(numbers) for i in chosen):
        raise ArchError(f"an index lies outside of the {len(numbers)} values")
    return [Value(result.shape, result.dtype, [numbers[i] for i in chosen])]


def gather_elements(call: NodeCall) -> list[Value]:
    return [Value(call.value(1).shape, call.first.dtype)]


def gather_nd(call: NodeCall) -> list[Value]:
    shape, index = call.first.shape, call.ranked(1, 1)
    deep = index[-1] + call.integer("batch_dims", 0)
    if deep > len(shape):
        raise ArchError(f"indices of {index[-1]} numbers do not fit {sized(shape)}")
    return [Value((*index[:-1], *shape[deep:]), call.first.dtype)]


def slice_(call: NodeCall) -> list[Value]:
    """Attributes before opset 10, inputs since: starts, ends, axes, steps."""
    shape = call.first.shape
    starts, ends = call.listed("starts", 1), call.listed("ends", 2)
    if starts is None or ends is None:
        raise ArchError("it has no starts and ends")
    axes = call.listed("axes", 3) or list(range(len(starts)))
    steps = call.listed("steps", 4) or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or 0 in steps:
        raise ArchError(f"starts {sized(starts)}, ends {sized(ends)} and axes {sized(axes)} do not fit")
    ranges = [range(extent) for extent in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = call.axis(axis, len(shape))
        extent = shape[at]
        if step < 0 and end <= -_END:
            ranges[at] = range(*slice(start, None, step).indices(extent))
        else:
            ranges[at] = range(*slice(start, end, step).indices(extent))
    result = Value([len(r) for r in ranges], call.first.dtype)
    numbers = call.known(0) if call.folds(result) else None
    if numbers is None:
        return [result]
    return [Value(result.shape, result.dtype, taken(numbers, shape, ranges))]


def range_(call: NodeCall) -> list[Value]:
    """Integers and floats from start to limit; its length has to be known."""
    rows = [call.known(i) for i in range(3)]
    if any(not row for row in rows):
        raise ArchError("its length depends on values which the file does not hold")
    start, limit, delta = (row[0] for row in rows if row)
    if not delta or not all(map(math.isfinite, (start, limit, delta))):
        raise ArchError(f"there is no range from {start} to {limit} by {delta}")
    count = max(math.ceil((limit - start) / delta), 0)
    result = Value((count,), call.first.dtype)
    if not call.folds(result):
        return [result]
    call.budget.spend(count)
    return [Value((count,), call.first.dtype, [start + i * delta for i in range(count)])]


def constant_of_shape(call: NodeCall) -> list[Value]:
    fill = call.tensor("value")
    given = (fill.numbers() if fill else None) or [0.0]
    result = Value(call.sizes(0), fill.dtype if fill else FLOAT)
    if min(result.shape, default=0) < 0:
        raise ArchError(f"{sized(result.shape)} is no shape")
    return [_filled(call, result, given[0])]


def _filled(call: NodeCall, result: Value, number: Any) -> Value:
    if not call.folds(result):
        result.blank = number == 0
        return result
    call.budget.spend(result.size)
    return Value(result.shape, result.dtype, [number] * result.size)


def constant(call: NodeCall) -> list[Value]:
    """Return a node that holds its value, in one of six attributes."""
    stored = call.tensor("value")
    if stored is not None:
        return [Value.of(stored)]
    for name, dtype in (("value_int", INT64), ("value_float", FLOAT)):
        if name in call.attributes:
            return [scalar(call.real(name, 0), dtype)]
    for name, dtype in (("value_ints", INT64), ("value_floats", FLOAT)):
        attribute = call.attributes.get(name)
        if attribute is not None and isinstance(attribute.value, list):
            numbers: list[Any] = attribute.value
            return [Value((len(numbers),), dtype, numbers if len(numbers) <= MOST_NUMBERS else None)]
    if "value_string" in call.attributes:
        return [Value((), 8)]
    strings = call.attributes.get("value_strings")
    if strings is not None and isinstance(strings.value, list):
        return [Value((len(strings.value),), 8)]
    raise ArchError("it holds no value that is known")


def one_hot(call: NodeCall) -> list[Value]:
    shape = list(call.first.shape)
    depth = call.known(1)
    axis = call.axis(call.integer("axis", -1), len(shape) + 1)
    if not depth or not 0 <= depth[0] < _MOST_EXTENT:
        raise ArchError("its depth depends on values which the file does not hold")
    return [Value((*shape[:axis], int(depth[0]), *shape[axis:]), call.value(2).dtype)]


def top_k(call: NodeCall) -> list[Value]:
    """Return the largest of a line, and where they stood."""
    shape = list(call.ranked(0, 1))
    axis = call.axis(call.integer("axis", -1), len(shape))
    chosen = call.sizes(1) if call.maybe(1) is not None else [call.integer("k", 0)]
    if not chosen or not 0 <= chosen[0] <= shape[axis]:
        raise ArchError(f"it takes {sized(chosen)} of {shape[axis]} values")
    shape[axis] = chosen[0]
    return [Value(shape, call.first.dtype), Value(shape, INT64)]


def nonzero(call: NodeCall) -> list[Value]:
    """One column of indices for each value that is not 0, which only constants tell beforehand."""
    numbers = call.known(0)
    if numbers is None:
        raise ArchError("how many values are not 0 depends on the data")
    count, rank = sum(map(bool, numbers)), len(call.first.shape)
    if rank != 1:
        return [Value((rank, count), INT64)]
    return [Value((1, count), INT64, [i for i, number in enumerate(numbers) if number])]


def compress(call: NodeCall) -> list[Value]:
    chosen = call.known(1)
    if chosen is None:
        raise ArchError("how many values are kept depends on the data")
    shape, count = list(call.first.shape), sum(map(bool, chosen))
    if "axis" not in call.attributes:
        return [Value((count,), call.first.dtype)]
    shape[call.axis(call.integer("axis", 0), len(shape))] = count
    return [Value(shape, call.first.dtype)]


def unique(call: NodeCall) -> list[Value]:
    numbers = call.known(0)
    if numbers is None or "axis" in call.attributes:
        raise ArchError("how many different values there are depends on the data")
    count = len(set(numbers))
    return [
        Value((count,), call.first.dtype),
        Value((count,), INT64),
        Value((len(numbers),), INT64),
        Value((count,), INT64),
    ]


def suppressed(call: NodeCall) -> list[Value]:
    raise ArchError("how many boxes are kept depends on the data")


def multinomial(call: NodeCall) -> list[Value]:
    return [Value((call.ranked(0, 2)[0], call.integer("sample_size", 1)), call.integer("dtype", 6))]


RULES: dict[str, Rule] = {
    "Gather": gather,
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    "Slice": slice_,
    "Range": range_,
    "ConstantOfShape": constant_of_shape,
    "Constant": constant,
    "OneHot": one_hot,
    "TopK": top_k,
    "NonZero": nonzero,
    "Compress": compress,
    "Unique": unique,
    "NonMaxSuppression": suppressed,
    "Multinomial": multinomial,
}
