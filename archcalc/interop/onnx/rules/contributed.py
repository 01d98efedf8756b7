"""Rules of operators that optimizers and quantizers write, in onnxruntime's domain."""

from __future__ import annotations

from archcalc.errors import ArchError
from archcalc.interop.onnx.rules import elementwise, moving, products, windows
from archcalc.interop.onnx.tensors import FLOAT, INT32
from archcalc.interop.onnx.values import NodeCall, Rule, Value, shared, sized


def joined(a: int, b: int) -> Rule:
    """Return a rule of two tensors at these places, each with its scale and zero point."""

    def rule(call: NodeCall) -> list[Value]:
        return [Value(shared(call.value(a).shape, call.value(b).shape), call.value(a).dtype)]

    return rule


def concat(call: NodeCall) -> list[Value]:
    """After scale and zero point of the result, each tensor with its own."""
    parts = [call.value(i) for i in range(2, len(call.inputs), 3)]
    return [moving.joined(call, parts, call.integer("axis", 0))]


def skip_norm(call: NodeCall) -> list[Value]:
    """Return the norm; mean and 1/σ of each line; the sum that went in."""
    shape, dtype = call.ranked(0, 1), call.first.dtype
    line = Value((*shape[:-1], 1), FLOAT)
    return [Value(shape, dtype), line, line, Value(shape, dtype)]


def quantized_lstm(call: NodeCall) -> list[Value]:
    """x [steps, batch, in]; weights [directions, in, gates·hidden], turned against the standard's."""
    steps, batch, _ = call.ranked(0, 3)
    directions, hidden = call.ranked(1, 3)[0], call.ranked(2, 3)[1]
    last = Value((directions, batch, hidden), call.first.dtype)
    return [Value((steps, directions, batch, hidden), call.first.dtype), last, last]


def packed_matmul(call: NodeCall) -> list[Value]:
    """Return a product with a matrix K × N of few bits, packed in blocks."""
    shape, k, n = call.ranked(0, 1), call.integer("K", 0), call.integer("N", 0)
    if shape[-1] != k or n < 1:
        raise ArchError(f"a matrix {k}×{n} does not fit an input of {shape[-1]} values")
    return [Value((*shape[:-1], n), call.first.dtype)]


def packed_attention(call: NodeCall) -> list[Value]:
    """Queries, keys and values by one matrix [in, 3·width], then attention: [batch, length, width]."""
    x, weight = call.ranked(0, 3), call.ranked(1, 2)
    sizes = call.integers("qkv_hidden_sizes") or [weight[-1] // 3] * 3
    if len(sizes) != 3 or sum(sizes) != weight[-1]:
        raise ArchError(f"widths {sized(sizes)} do not fit its weight {sized(weight)}")
    return [Value((*x[:-1], sizes[-1]), call.first.dtype)]


def attention_of_heads(call: NodeCall) -> list[Value]:
    """Queries, keys and values [batch, length, width]; kept keys and values stand before new ones."""
    query, key = call.ranked(0, 3), call.ranked(1, 3)
    value, dtype = call.ranked(2, 3), call.first.dtype
    heads = call.integer("num_heads", 0)
    groups = call.integer("kv_num_heads", heads)
    if heads < 1 or groups < 1:
        raise ArchError("it has no num_heads")
    grouped = call.op == "GroupQueryAttention"
    past = call.maybe(3 if grouped else 6)
    length = key[1] + (past.shape[2] if past and len(past.shape) == 4 else 0)
    kept = [Value((key[0], groups, length, s[-1] // groups), dtype) for s in (key, value)]
    return [Value((*query[:2], value[-1] // groups * heads), dtype), *kept]


def embedding_norm(call: NodeCall) -> list[Value]:
    """Rows of a table for every id [batch, length]; their norm, a place for the mask, their sum."""
    ids, width = call.ranked(0, 2), call.ranked(2, 2)[-1]
    shape, dtype = (*ids, width), call.value(2).dtype
    return [Value(shape, dtype), Value(ids[:1], INT32), Value(shape, dtype)]


_RULES: dict[str, Rule] = {
    "EmbedLayerNormalization": embedding_norm,
    "DynamicQuantizeLSTM": quantized_lstm,
    "MatMulNBits": packed_matmul,
    "Attention": packed_attention,
    "MultiHeadAttention": attention_of_heads,
    "GroupQueryAttention": attention_of_heads,
    "RotaryEmbedding": elementwise.same,
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
