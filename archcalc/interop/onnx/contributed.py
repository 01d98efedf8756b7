"""Translations of operators that optimizers and quantizers write, in onnxruntime's domain."""

from __future__ import annotations

from archcalc.interop.onnx import layers
from archcalc.interop.onnx.emit import Emission
from archcalc.interop.onnx.layers import Translation
from archcalc.interop.onnx.values import Value


def quantized_lstm(e: Emission) -> None:
    """Translate an LSTM with transposed, quantized weights."""
    turned: list[Value] = []
    for position in (1, 2):
        weight = e.call.value(position)
        shape = (weight.shape[0], weight.shape[2], weight.shape[1])
        e.learns("lstm", position, weight)
        turned.append(e.temporary(shape, weight.dtype, fixed=True))
        e.op("permute", [weight], [turned[-1]], dims=(0, 2, 1))
    weights = [*turned, e.call.maybe(3)]
    layers.steps_of(e, "lstm", weights, turned[1].shape[-1])


def packed_matmul(e: Emission) -> None:
    """Write a linear layer; its weight counts as a matrix, not as the packed bytes."""
    k, n, packed = e.call.integer("K", 0), e.call.integer("N", 0), e.call.value(1)
    weight = Value((n, k), packed.dtype)
    weight.name, weight.stored, weight.root, weight.fixed = packed.name, packed.stored, True, True
    e.op("linear", [e.call.first, weight, e.call.maybe(5)])


def packed_attention(e: Emission) -> None:
    x, weight = e.call.first, e.call.value(1)
    heads = max(e.call.integer("num_heads", 1), 1)
    sizes = e.call.integers("qkv_hidden_sizes") or [weight.shape[-1] // 3] * 3
    whole = e.temporary((*x.shape[:-1], sum(sizes)), x.dtype)
    e.op("linear", [x, layers.weight_of(e, weight), e.call.maybe(2)], [whole])
    parts = [e.temporary((*x.shape[:-1], size), x.dtype) for size in sizes]
    e.op("split", [whole], parts, dim=-1)
    _attend(e, parts, heads, heads, None)


def attention_of_heads(e: Emission) -> None:
    """Translate attention with all biases in one vector; cached keys and values precede new ones."""
    grouped = e.call.op == "GroupQueryAttention"
    heads = max(e.call.integer("num_heads", 1), 1)
    parts = [e.call.value(i) for i in range(3)]
    bias = None if grouped else e.call.maybe(3)
    if bias is not None:
        sums = [e.temporary(part.shape, part.dtype) for part in parts]
        for part, total in zip(parts, sums, strict=True):
            e.op("add", [part, bias], [total])
        parts = sums
    past = 3 if grouped else 6
    _attend(e, parts, heads, e.call.integer("kv_num_heads", heads), past if e.call.maybe(past) else None)


def _attend(e: Emission, parts: list[Value], heads: int, groups: int, past: int | None) -> None:
    query, key, value = parts
    query = layers.split_heads(e, query, heads)
    key, value = layers.split_heads(e, key, groups), layers.split_heads(e, value, groups)
    if past is not None:
        key = layers.grown(e, key, e.call.value(past), e.outputs[1:2])
        value = layers.grown(e, value, e.call.value(past + 1), e.outputs[2:3])
    layers.attend(e, [query, key, value], None, whole=True)


def embedding_norm(e: Emission) -> None:
    """Write embeddings of ids, positions and (optional) segments, their sum, and its norm."""
    ids, words, places = e.call.first, e.call.value(2), e.call.value(3)
    shape, dtype = e.outputs[0].shape, words.dtype
    parts = [e.op("embedding", [words, ids], [e.temporary(shape, dtype)])]
    e.learns("embedding", 0, places)
    parts.append(e.op("slice", [places], [e.temporary(shape[1:], dtype, places.fixed)], dim=0))
    segments = e.call.maybe(4)
    if segments is not None:
        parts.append(e.op("embedding", [segments, e.call.maybe(1)], [e.temporary(shape, dtype)]))
    total = e.outputs[2] if len(e.outputs) > 2 and e.outputs[2].name else e.temporary(shape, dtype)
    e.op("add", [*parts], [total])
    weights = [e.call.maybe(5), e.call.maybe(6)]
    e.op("layer_norm", [total, *weights], e.outputs[:1], normalized_shape=shape[-1:])


TRANSLATIONS: dict[str, Translation] = {
    "com.microsoft.DynamicQuantizeLSTM": quantized_lstm,
    "com.microsoft.EmbedLayerNormalization": embedding_norm,
    "com.microsoft.MatMulNBits": packed_matmul,
    "com.microsoft.Attention": packed_attention,
    "com.microsoft.MultiHeadAttention": attention_of_heads,
    "com.microsoft.GroupQueryAttention": attention_of_heads,
}
