"""Rules of operators that optimizers and quantizers write, in onnxruntime's domain."""

from __future__ import annotations

from archcalc.interop.onnx.rules import elementwise, moving, products, windows
from archcalc.interop.onnx.tensors import FLOAT
from archcalc.interop.onnx.values import Call, Rule, Value, shared


def joined(a: int, b: int) -> Rule:
    """A rule of two tensors at these places, each with its scale and zero point."""

    def rule(call: Call) -> list[Value]:
        return [Value(shared(call.value(a).shape, call.value(b).shape), call.value(a).dtype)]

    return rule


def concat(call: Call) -> list[Value]:
    """After scale and zero point of the result, each tensor with its own."""
    parts = [call.value(i) for i in range(2, len(call.inputs), 3)]
    return [moving.joined(call, parts, call.integer("axis", 0))]


def skip_norm(call: Call) -> list[Value]:
    """The norm; mean and 1/σ of each line; the sum that went in."""
    shape, dtype = call.ranked(0, 1), call.first.dtype
    line = Value((*shape[:-1], 1), FLOAT)
    return [Value(shape, dtype), line, line, Value(shape, dtype)]


_RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            "Gelu",
            "BiasGelu",
            "FastGelu",
            "QuickGelu",
            "QLinearSigmoid",
            "QLinearLeakyRelu",
            "QLinearSoftmax",
        ),
        elementwise.same,
    ),
    "QLinearAdd": joined(0, 3),
    "QLinearMul": joined(0, 3),
    "QLinearConcat": concat,
    "QLinearGlobalAveragePool": windows.global_pool,
    "QLinearAveragePool": windows.pool,
    "QGemm": products.gemm,
    "FusedConv": windows.convolution(0, 1),
    "FusedMatMul": products.fused_matmul,
    "DynamicQuantizeMatMul": products.matmul(0, 1),
    "MatMulIntegerToFloat": products.matmul(0, 1, FLOAT),
    "QuantizeLinear": elementwise.quantize,
    "DequantizeLinear": elementwise.dequantize,
    "SimplifiedLayerNormalization": elementwise.layer_norm,
    "SkipLayerNormalization": skip_norm,
    "SkipSimplifiedLayerNormalization": skip_norm,
}
RULES: dict[str, Rule] = {f"com.microsoft.{name}": rule for name, rule in _RULES.items()}
