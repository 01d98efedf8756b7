"""Rules of operators that work value by value: shapes stay or broadcast, small constants are folded."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from archcalc.errors import ArchError
from archcalc.interop.onnx.arrays import spread
from archcalc.interop.onnx.tensors import BOOL, DTYPES, FLOAT, INT64, INTEGERS
from archcalc.interop.onnx.values import NodeCall, Rule, Value, scalar, shared

_LIMIT = 1 << 63


def same(call: NodeCall) -> list[Value]:
    """Give every output the type and shape of the first input."""
    return [Value(call.first.shape, call.first.dtype) for _ in call.node.outputs]


def as_bool(call: NodeCall) -> list[Value]:
    return [Value(call.first.shape, BOOL)]


def identity(call: NodeCall) -> list[Value]:
    """Return the same value under another name, also for a sequence: a tied weight stays one."""
    value = call.inputs[0] if call.inputs else None
    if value is None:
        raise ArchError("it has no input 1")
    return [value]


def _fold(call: NodeCall, result: Value, step: Callable[..., Any]) -> list[Value]:
    """`step` on the known numbers of all inputs, if they are known and few; integers stay in 64 bits."""
    if not call.folds(result) or any(v is None or v.numbers is None for v in call.inputs):
        return [result]
    call.budget.spend(result.size)
    rows = [
        spread(call.known(i) or [], call.value(i).shape, result.shape) for i in range(len(call.inputs))
    ]
    try:
        found = [step(*row) for row in zip(*rows, strict=True)]
        if result.dtype in INTEGERS and not all(-_LIMIT <= n < 2 * _LIMIT for n in found):
            return [result]
    except (
        ArithmeticError,
        ValueError,
        TypeError,
    ):  # log of a negative, 1/0: no number a shape can need
        return [result]
    return [Value(result.shape, result.dtype, found)]


def unary(step: Callable[[Any], Any]) -> Rule:
    return lambda call: _fold(call, Value(call.first.shape, call.first.dtype), step)


def joined(step: Callable[..., Any] | None = None, dtype: int = 0) -> Rule:
    """Return a rule for inputs that broadcast; before opset 7 the second follows the first."""

    def rule(call: NodeCall) -> list[Value]:
        call.value(max(len(call.inputs) - 1, 0))
        if call.opset < 7 and "broadcast" in call.attributes:
            return [Value(call.first.shape, dtype or call.first.dtype)]
        shape = shared(*[call.value(i).shape for i in range(len(call.inputs))])
        result = Value(shape, dtype or call.first.dtype)
        return _fold(call, result, step) if step else [result]

    return rule


def _divided(a: Any, b: Any) -> Any:
    """As C divides: integers toward zero."""
    if isinstance(a, int) and isinstance(b, int):
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    return a / b


def _power(a: Any, b: Any) -> Any:
    """Of small numbers only: a shape needs no other."""
    if abs(b) > 64 or abs(a) > 1 << 32:
        raise ArithmeticError
    found = a**b
    return int(found) if isinstance(a, int) and found == int(found) else found


def where(call: NodeCall) -> list[Value]:
    shape = shared(*[call.value(i).shape for i in range(3)])
    return _fold(call, Value(shape, call.value(1).dtype), lambda c, a, b: a if c else b)


def cast(call: NodeCall) -> list[Value]:
    to = call.integer("to", 0) if call.op == "Cast" else call.value(1).dtype
    if to not in DTYPES:
        raise ArchError(f"it casts to no type that is known (number {to})")
    result = Value(call.first.shape, to)
    numbers = call.known(0)
    if numbers is None or not call.folds(result):
        return [result]
    kind: Callable[[Any], Any] = bool if to == BOOL else int if to in INTEGERS else float
    if kind is int and not all(math.isfinite(n) for n in numbers):
        return [result]
    return [Value(result.shape, to, [kind(n) for n in numbers])]


def dropout(call: NodeCall) -> list[Value]:
    return [Value(call.first.shape, call.first.dtype), Value(call.first.shape, BOOL)]


def batch_norm(call: NodeCall) -> list[Value]:
    """Further outputs are statistics, one number a channel."""
    return [Value(call.first.shape, call.first.dtype)] + [
        Value(call.value(1).shape, call.first.dtype) for _ in call.node.outputs[1:]
    ]


def layer_norm(call: NodeCall) -> list[Value]:
    """Further outputs are mean and 1/σ of each line."""
    shape = call.ranked(0, 1)
    axis = call.axis(call.integer("axis", -1), len(shape))
    lines = Value(shape[:axis] + (1,) * (len(shape) - axis), FLOAT)
    return [Value(shape, call.first.dtype)] + [lines for _ in call.node.outputs[1:]]


def quantize(call: NodeCall) -> list[Value]:
    """To the type of the zero point, to that of an attribute, or to bytes."""
    zero = call.maybe(2)
    dtype = zero.dtype if zero else call.integer("output_dtype", 0) or 2
    return [Value(call.first.shape, dtype)]


def dequantize(call: NodeCall) -> list[Value]:
    return [Value(call.first.shape, call.integer("output_dtype", 0) or call.value(1).dtype)]


def dynamic_quantize(call: NodeCall) -> list[Value]:
    return [Value(call.first.shape, 2), Value((), FLOAT), Value((), 2)]


def typed(call: NodeCall) -> list[Value]:
    """Like the input, of the type that an attribute gives."""
    return [Value(call.first.shape, call.integer("dtype", 0) or call.first.dtype)]


def drawn(call: NodeCall) -> list[Value]:
    """Random numbers of a shape that an attribute gives."""
    return [Value(call.integers("shape") or (), call.integer("dtype", FLOAT))]


def shape_of(call: NodeCall) -> list[Value]:
    shape = call.first.shape
    last = call.integer("end", len(shape))
    found = list(shape[call.integer("start", 0) : last])
    return [Value((len(found),), INT64, found)]


def size_of(call: NodeCall) -> list[Value]:
    return [scalar(call.first.size)]


def window(call: NodeCall) -> list[Value]:
    """Hann's and its like: so many numbers as the input says."""
    return [Value(call.sizes(0), call.integer("output_datatype", FLOAT))]


_SAME = [
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BitwiseNot",
    "Celu",
    "Clip",
    "Cosh",
    "CumProd",
    "CumSum",
    "Elu",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "InstanceNormalization",
    "LRN",
    "LeakyRelu",
    "LogSoftmax",
    "LpNormalization",
    "Mish",
    "MeanVarianceNormalization",
    "PRelu",
    "RMSNormalization",
    "Relu",
    "ReverseSequence",
    "RotaryEmbedding",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sinh",
    "Softmax",
    "Softplus",
    "Softsign",
    "Swish",
    "Tan",
    "Tanh",
    "TensorScatter",
    "ThresholdedRelu",
    "Trilu",
    "SimplifiedLayerNormalization",
]

RULES: dict[str, Rule] = {
    **dict.fromkeys(_SAME, same),
    **dict.fromkeys(("RandomNormalLike", "RandomUniformLike", "Bernoulli", "EyeLike"), typed),
    **dict.fromkeys(("RandomNormal", "RandomUniform"), drawn),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow"), window),
    **dict.fromkeys(("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift", "Mean"), joined()),
    "IsInf": as_bool,
    "IsNaN": as_bool,
    "Identity": identity,
    "Abs": unary(abs),
    "Neg": unary(operator.neg),
    "Not": unary(operator.not_),
    "Sqrt": unary(math.sqrt),
    "Exp": unary(math.exp),
    "Log": unary(math.log),
    "Erf": unary(math.erf),
    "Sin": unary(math.sin),
    "Cos": unary(math.cos),
    "Floor": unary(lambda a: float(math.floor(a))),
    "Ceil": unary(lambda a: float(math.ceil(a))),
    "Round": unary(lambda a: float(round(a))),
    "Sign": unary(lambda a: (a > 0) - (a < 0)),
    "Reciprocal": unary(lambda a: 1 / a),
    "Add": joined(operator.add),
    "Sub": joined(operator.sub),
    "Mul": joined(operator.mul),
    "Div": joined(_divided),
    "Mod": joined(operator.mod),
    "Pow": joined(_power),
    "Max": joined(lambda *row: max(row)),
    "Min": joined(lambda *row: min(row)),
    "Sum": joined(lambda *row: sum(row)),
    "And": joined(lambda a, b: bool(a and b), BOOL),
    "Or": joined(lambda a, b: bool(a or b), BOOL),
    "Xor": joined(lambda a, b: bool(a) != bool(b), BOOL),
    "Equal": joined(operator.eq, BOOL),
    "Greater": joined(operator.gt, BOOL),
    "Less": joined(operator.lt, BOOL),
    "GreaterOrEqual": joined(operator.ge, BOOL),
    "LessOrEqual": joined(operator.le, BOOL),
    "Where": where,
    "Cast": cast,
    "CastLike": cast,
    "Dropout": dropout,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
    "Shape": shape_of,
    "Size": size_of,
}
