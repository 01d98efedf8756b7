"""Infer operators that reduce many values to one: sums, means, maxima, and their positions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.tensors import INT64
from archcalc.interop.onnx.values import NodeCall, Rule, Value


def reduction(fold: Callable[[Any], Any] | None = None) -> Rule:
    """Return a rule of a reduction; `fold` of a whole known list is known too."""

    def rule(call: NodeCall) -> list[Value]:
        shape, axes = call.first.shape, call.listed("axes", 1)
        if not axes and call.integer("noop_with_empty_axes", 0):
            return [Value(shape, call.first.dtype, call.first.numbers)]
        gone = {call.axis(axis, len(shape)) for axis in axes} if axes else set(range(len(shape)))
        result = Value(_reduced(call, gone), call.first.dtype)
        if fold is None or result.size != 1 or not call.first.size or not call.folds(call.first):
            return [result]
        numbers = call.known(0)
        return [result if numbers is None else Value(result.shape, result.dtype, [fold(numbers)])]

    return rule


def _reduced(call: NodeCall, gone: set[int]) -> list[int]:
    keep = call.integer("keepdims", 1)
    return [1 if i in gone else n for i, n in enumerate(call.first.shape) if keep or i not in gone]


def where_largest(call: NodeCall) -> list[Value]:
    rank = len(call.ranked(0, 1))
    return [Value(_reduced(call, {call.axis(call.integer("axis", 0), rank)}), INT64)]


def loss(call: NodeCall) -> list[Value]:
    """Of training: one number, or one for each target."""
    target = call.value(1).shape
    shape = target if call.text("reduction", "mean") == "none" else ()
    return [Value(shape, call.first.dtype), Value(call.first.shape, call.first.dtype)]


def determinant(call: NodeCall) -> list[Value]:
    return [Value(call.ranked(0, 2)[:-2], call.first.dtype)]


def fourier(call: NodeCall) -> list[Value]:
    """DFT: the axis is an attribute before opset 20, an input since; two numbers a value come out."""
    shape = list(call.ranked(0, 2))
    last = call.sizes(2) if call.maybe(2) else [call.integer("axis", 1 if call.opset < 20 else -2)]
    axis = call.axis(last[0] if last else -2, len(shape))
    inverse, half = call.integer("inverse", 0), call.integer("onesided", 0)
    if call.maybe(1) is not None:
        shape[axis] = _length(call, 1)
    elif inverse and half:
        shape[axis] = 2 * (shape[axis] - 1)
    if half and not inverse:
        shape[axis] = shape[axis] // 2 + 1
    shape[-1] = 1 if inverse and half else 2
    return [Value(shape, call.first.dtype)]


def short_fourier(call: NodeCall) -> list[Value]:
    """STFT of a signal [batch, length, 1 or 2]: frames × frequencies × 2."""
    signal, step = call.ranked(0, 2), _length(call, 1)
    window = call.maybe(2)
    length = _length(call, 3) if call.maybe(3) is not None else window.shape[0] if window else 0
    if not 0 < length <= signal[1]:
        raise ArchError(f"a frame of {length} values does not fit a signal of {signal[1]}")
    bins = length // 2 + 1 if call.integer("onesided", 1) else length
    return [Value((signal[0], (signal[1] - length) // step + 1, bins, 2), call.first.dtype)]


def mel_weights(call: NodeCall) -> list[Value]:
    return [Value((_length(call, 1) // 2 + 1, _length(call, 0)), call.integer("output_datatype", 1))]


def _length(call: NodeCall, position: int) -> int:
    found = call.sizes(position)
    if len(found) != 1 or found[0] < 1:
        raise ArchError(f"input {position + 1} is no length")
    return found[0]


RULES: dict[str, Rule] = {
    "ReduceSum": reduction(sum),
    "ReduceProd": reduction(math.prod),
    "ReduceMax": reduction(max),
    "ReduceMin": reduction(min),
    **dict.fromkeys(
        ("ReduceMean", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"),
        reduction(),
    ),
    "ArgMax": where_largest,
    "ArgMin": where_largest,
    "NegativeLogLikelihoodLoss": loss,
    "SoftmaxCrossEntropyLoss": loss,
    "Det": determinant,
    "DFT": fourier,
    "STFT": short_fourier,
    "MelWeightMatrix": mel_weights,
}
