"""Which translation an operator of ONNX has."""

from __future__ import annotations

from archcalc.interop.onnx import contributed, layers, moves
from archcalc.interop.onnx.emit import Emission
from archcalc.interop.onnx.layers import Translation
from archcalc.interop.onnx.words import DATA, PLACES, PLAIN


def _plain(operator: str, word: str) -> Translation:
    places, count = PLACES.get(operator), DATA.get(operator)

    def translate(e: Emission) -> None:
        e.op(word, [e.inputs[i] for i in places] if places else e.inputs[:count])

    return translate


_QUANTIZED: dict[str, Translation] = {
    "ConvInteger": layers.conv("conv", bias=99),
    "QLinearConv": layers.conv("conv", 0, 3, 8),
    "MatMulInteger": layers.matmul(0, 1),
    "QLinearMatMul": layers.matmul(0, 3),
    "DynamicQuantizeLinear": moves.dynamic_quantize,
    "com.microsoft.QGemm": layers.gemm(0, 3, 6),
    "com.microsoft.DynamicQuantizeMatMul": layers.matmul(0, 1, 4),
    "com.microsoft.MatMulIntegerToFloat": layers.matmul(0, 1, 6),
    "com.microsoft.QLinearConcat": moves.quantized_cat,
    "com.microsoft.QLinearAveragePool": layers.pool("avg_pool"),
    "com.microsoft.QLinearSoftmax": moves.softmax("softmax"),
}
_LAYERS: dict[str, Translation] = {
    "Conv": layers.conv("conv"),
    "ConvTranspose": layers.conv("conv_transpose"),
    "DeformConv": layers.deform_conv,
    "com.microsoft.FusedConv": layers.fused_conv,
    "MaxPool": layers.pool("max_pool"),
    "AveragePool": layers.pool("avg_pool"),
    "LpPool": layers.pool("lp_pool"),
    "MatMul": layers.matmul(0, 1),
    "com.microsoft.FusedMatMul": layers.fused_matmul,
    "Gemm": layers.gemm(0, 1, 2),
    "Einsum": moves.einsum,
    "LSTM": layers.recurrent,
    "GRU": layers.recurrent,
    "RNN": layers.recurrent,
    "Attention": layers.attention,
    "BatchNormalization": layers.batch_norm,
    "LayerNormalization": layers.norm("layer_norm"),
    "RMSNormalization": layers.norm("rms_norm"),
    "com.microsoft.RotaryEmbedding": moves.rotary,
    "RotaryEmbedding": moves.rotary,
    "SimplifiedLayerNormalization": layers.norm("rms_norm"),
    "com.microsoft.SimplifiedLayerNormalization": layers.norm("rms_norm"),
    "com.microsoft.SkipLayerNormalization": layers.skip_norm("layer_norm"),
    "com.microsoft.SkipSimplifiedLayerNormalization": layers.skip_norm("rms_norm"),
    "GroupNormalization": layers.group_norm,
    "LpNormalization": moves.lp_norm,
    "LRN": moves.local_norm,
}
_MOVES: dict[str, Translation] = {
    "Gelu": moves.gelu,
    "com.microsoft.Gelu": moves.gelu,
    "com.microsoft.BiasGelu": moves.gelu,
    "com.microsoft.FastGelu": moves.gelu,
    "Softmax": moves.softmax("softmax"),
    "LogSoftmax": moves.softmax("log_softmax"),
    "CumSum": moves.running("cumsum"),
    "CumProd": moves.running("cumprod"),
    "TopK": moves.top_k,
    "Unique": moves.along("sort", -1),
    "ArgMax": moves.largest,
    "ArgMin": moves.largest,
    "Concat": moves.cat,
    "ConcatFromSequence": moves.cat,
    "Transpose": moves.transpose,
    "Gather": moves.gather,
    "Pow": moves.power,
    "Clip": moves.clip,
    "Mean": moves.mean_of,
    "Resize": moves.resize,
    "Upsample": moves.resize,
    "GridSample": moves.grid_sample,
    "Split": moves.split,
    "SplitToSequence": moves.split,
    "ReduceSum": moves.reduce("sum"),
    "ReduceMean": moves.reduce("mean"),
    "ReduceProd": moves.reduce("prod"),
    "ReduceMax": moves.reduce("amax"),
    "ReduceMin": moves.reduce("amin"),
    "ReduceL2": moves.reduce("norm"),
    "ReduceSumSquare": moves.chain("square", "sum"),
    "ReduceL1": moves.chain("abs", "sum"),
    "ReduceLogSum": moves.chain("sum", "log"),
    "ReduceLogSumExp": moves.chain("exp", "sum", "log"),
    "GlobalLpPool": moves.chain("norm"),
}

TRANSLATIONS: dict[str, Translation] = {
    **{operator: _plain(operator, word) for operator, word in PLAIN.items()},
    **_LAYERS,
    **_QUANTIZED,
    **_MOVES,
    **contributed.TRANSLATIONS,
}
