"""ONNX's operators that are one word of the vocabulary as they stand: inputs in order, no attributes."""

from __future__ import annotations

_PLAIN = """
add: Add Sum com.microsoft.QLinearAdd
sub: Sub
mul: Mul com.microsoft.QLinearMul
div: Div
neg: Neg
abs: Abs
sign: Sign
round: Floor Ceil Round
maximum: Max
minimum: Min
remainder: Mod
compare: Equal Greater Less GreaterOrEqual LessOrEqual IsNaN IsInf
logical: And Or Xor Not BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitShift
where: Where
exp: Exp
log: Log
sin: Sin Tan Sinh Cosh
cos: Cos
atan: Asin Acos Atan Asinh Acosh Atanh
sqrt: Sqrt
reciprocal: Reciprocal
erf: Erf
relu: Relu
leaky_relu: LeakyRelu com.microsoft.QLinearLeakyRelu
prelu: PRelu
threshold: ThresholdedRelu Shrink
elu: Elu
selu: Selu
celu: Celu
sigmoid: Sigmoid com.microsoft.QLinearSigmoid
hardsigmoid: HardSigmoid
hardswish: HardSwish
tanh: Tanh
silu: Swish com.microsoft.QuickGelu
softplus: Softplus
softsign: Softsign
mish: Mish
quantize: QuantizeLinear com.microsoft.QuantizeLinear
dequantize: DequantizeLinear com.microsoft.DequantizeLinear
view: Reshape Flatten Squeeze Unsqueeze
expand: Expand
cast: Cast CastLike
dropout: Dropout
repeat: Tile
pad: Pad CenterCropPad
flip: ReverseSequence
slice: Slice
gather: GatherElements GatherND
index: Compress
scatter: ScatterND ScatterElements Scatter TensorScatter
one_hot: OneHot
tril: Trilu
pixel_shuffle: DepthToSpace
pixel_unshuffle: SpaceToDepth
fold: Col2Im
max_unpool: MaxUnpool
nonzero: NonZero
fill: ConstantOfShape EyeLike
arange: Range
shape: Shape Size SequenceLength
random: RandomNormal RandomUniform RandomNormalLike RandomUniformLike Bernoulli Multinomial
adaptive_avg_pool: GlobalAveragePool com.microsoft.QLinearGlobalAveragePool
adaptive_max_pool: GlobalMaxPool
instance_norm: InstanceNormalization
"""

PLAIN = {
    operator: word
    for line in _PLAIN.strip().splitlines()
    for word, _, operators in [line.partition(": ")]
    for operator in operators.split()
}
# how many of the inputs are data; what follows says how, not what
DATA = {
    **dict.fromkeys(
        ("Reshape", "Squeeze", "Unsqueeze", "Expand", "CastLike", "Dropout", "Tile", "Pad"), 1
    ),
    **dict.fromkeys(("CenterCropPad", "ReverseSequence", "Slice", "OneHot"), 1),
    **dict.fromkeys(("Trilu", "Col2Im", "ConstantOfShape", "QuantizeLinear", "DequantizeLinear"), 1),
    **{f"com.microsoft.{op}Linear": 1 for op in ("Quantize", "Dequantize")},
    **{f"com.microsoft.QLinear{op}": 1 for op in ("LeakyRelu", "Sigmoid", "GlobalAveragePool")},
}
# which inputs are data, where scales and zero points stand between them
PLACES = {"com.microsoft.QLinearAdd": (0, 3), "com.microsoft.QLinearMul": (0, 3)}
# the same value under another name, or a tensor out of a list
SAME = frozenset(
    (
        "Identity",
        "Constant",
        "SequenceConstruct",
        "SequenceAt",
        "SequenceInsert",
        "SequenceErase",
        "SequenceEmpty",
    )
)
