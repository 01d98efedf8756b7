"""Define the words of operations, torch's names for them, and the cost of each.

A reader maps its file's operators to these words and orders inputs and attributes as the word's rule
documents. Every word has a rule: operations without work are listed by name, as moving values or as
making them from nothing; an operation without a word cannot be counted.
"""

from __future__ import annotations

from collections.abc import Callable

from archcalc.interop import pointwise as p
from archcalc.interop import products, recurrent
from archcalc.interop.counts import Rule, ShapedOperation
from archcalc.tuples import NamedTuple

# Values change their place, their type or their shape, or a learned one is looked up
_MOVING = """
view permute expand repeat repeat_interleave slice select split unbind cat stack pad roll flip copy cast
gather index index_put scatter embedding where masked_fill one_hot tril pixel_shuffle pixel_unshuffle
channel_shuffle unfold upsample_nearest max_unpool dropout nonzero checks
"""
# Values out of nothing: what a tensor's shape, and no value of it, decides
_MAKING = "fill arange random shape"
MOVING, MAKING = tuple(_MOVING.split()), tuple(_MAKING.split())

# of the weights that stand at each input, or how to tell them; "" is no weight's place
Roles = tuple[str, ...] | Callable[[ShapedOperation], tuple[str, ...]]
_LAYER: Roles = ("", "weight", "bias")
_NORM: Roles = ("", "scale", "shift", "mean", "variance")


class Word(NamedTuple):
    """The cost of an operation, and the roles of the weights at its inputs."""

    rule: Rule
    roles: Roles = ()


_VALUE = {  # one value through a function
    "add": p.joined("additions"),
    "sub": p.joined("additions"),
    "mul": p.joined("multiplies"),
    "div": p.joined("divisions"),
    "floor_divide": p.each(divisions=1, comparisons=1),
    "remainder": p.each(divisions=1, comparisons=1, multiplies=1, additions=1),
    "maximum": p.joined("comparisons"),
    "minimum": p.joined("comparisons"),
    "addcmul": p.addcmul,
    "addcdiv": p.each(divisions=1, additions=1),
    "lerp": p.each(multiplies=1, additions=2),
    "neg": p.each(additions=1),
    "abs": p.each(comparisons=1),
    "sign": p.each(comparisons=2),
    "round": p.each(comparisons=1),  # floor, ceil and trunc too
    "clamp": p.clamp,
    "compare": p.each(comparisons=1),  # eq, ne, lt, le, gt, ge, isnan
    "logical": p.each(comparisons=1),  # and, or, xor, not, bit by bit too
    "pow": p.power,
    "square": p.each(multiplies=1),
    "sqrt": p.each(roots=1),
    "rsqrt": p.each(roots=1, divisions=1),
    "reciprocal": p.each(divisions=1),
    "exp": p.each(exponentials=1),
    "log": p.each(exponentials=1),
    "log1p": p.each(exponentials=1, additions=1),
    "expm1": p.each(exponentials=1, additions=1),
    "sin": p.each(exponentials=1),
    "cos": p.each(exponentials=1),
    "atan": p.each(exponentials=1),  # and the other inverses
    "erf": p.each(multiplies=8, additions=6, comparisons=2, divisions=1, exponentials=1),
    "quantize": p.each(divisions=1, additions=1, comparisons=3),
    "dequantize": p.each(multiplies=1, additions=1),
    "fake_quantize": p.each(divisions=1, multiplies=1, additions=2, comparisons=3),  # there and back
}

_ACTIVATION = {
    "relu": p.each(comparisons=1),
    "relu6": p.each(comparisons=2),  # and every hardtanh
    "leaky_relu": p.each(multiplies=1, comparisons=1),
    "prelu": p.each(multiplies=1, comparisons=1),
    "threshold": p.each(comparisons=1),
    "softshrink": p.each(comparisons=2, additions=1),
    "elu": p.each(multiplies=1, additions=1, comparisons=1, exponentials=1),
    "selu": p.each(multiplies=2, additions=1, comparisons=1, exponentials=1),
    "celu": p.each(multiplies=1, additions=1, comparisons=1, divisions=1, exponentials=1),
    "sigmoid": p.each(additions=1, divisions=1, exponentials=1),
    "log_sigmoid": p.each(additions=1, comparisons=1, exponentials=2),
    "tanh": p.each(additions=2, divisions=1, exponentials=2),
    "silu": p.each(multiplies=1, additions=1, divisions=1, exponentials=1),
    "gelu": p.gelu,
    "hardsigmoid": p.each(additions=1, comparisons=2, divisions=1),
    "hardswish": p.each(multiplies=1, additions=1, comparisons=2, divisions=1),
    "mish": p.each(multiplies=1, additions=3, divisions=1, exponentials=4),
    "softplus": p.each(additions=1, comparisons=1, exponentials=2),
    "softsign": p.each(additions=1, comparisons=1, divisions=1),
    "glu": p.each(multiplies=1, additions=1, divisions=1, exponentials=1),
    "softmax": p.softmax,
    "log_softmax": p.log_softmax,
}

_LINE = {  # values that become fewer
    "sum": p.fold("additions"),
    "mean": p.fold("additions", multiplies=1),
    "prod": p.fold("multiplies"),
    "amax": p.fold("comparisons"),
    "amin": p.fold("comparisons"),
    "argmax": p.fold("comparisons"),
    "any": p.fold("comparisons"),
    "var": p.variance,
    "std": p.deviation,
    "var_mean": p.variance,
    "norm": p.euclidean,
    "cumsum": p.cumulative("additions"),
    "cumprod": p.cumulative("multiplies"),
    "logsumexp": p.logsumexp,
    "sort": p.sort,
    "topk": p.sort,
    "scatter_add": p.each(additions=1),
    "max_pool": p.max_pool,
    "avg_pool": p.avg_pool,
    "lp_pool": p.avg_pool,
    "adaptive_avg_pool": p.adaptive_pool("additions", multiplies=1),
    "adaptive_max_pool": p.adaptive_pool("comparisons"),
    "upsample_linear": p.resize(2),
    "upsample_cubic": p.resize(4),
    "grid_sample": p.resize(2),
    "fold": p.fold("additions"),
}

_WEIGHTED = {
    "conv": Word(products.conv, _LAYER),
    "conv_transpose": Word(products.conv_transpose, _LAYER),
    "deform_conv": Word(products.deform_conv, ("", "weight", "", "", "bias")),
    "linear": Word(products.linear, _LAYER),
    "matmul": Word(products.matmul),
    "addmm": Word(products.addmm, ("bias", "", "weight")),
    "bilinear": Word(products.bilinear, ("", "", "weight", "bias")),
    "einsum": Word(products.einsum),
    "cdist": Word(products.cdist),
    "embedding_bag": Word(p.bag, ("weight",)),
    "attention": Word(products.attention),
    "lstm": Word(recurrent.lstm, recurrent.roles),
    "gru": Word(recurrent.gru, recurrent.roles),
    "rnn_tanh": Word(recurrent.rnn_tanh, recurrent.roles),
    "rnn_relu": Word(recurrent.rnn_relu, recurrent.roles),
    "batch_norm": Word(p.batch_norm, _NORM),
    "layer_norm": Word(p.layer_norm, _NORM),
    "group_norm": Word(p.group_norm, _NORM),
    "instance_norm": Word(p.instance_norm, _NORM),
    "rms_norm": Word(p.rms_norm, _NORM),
    "local_response_norm": Word(p.local_response_norm),
}

WORDS: dict[str, Word] = {
    **_WEIGHTED,
    **{word: Word(rule) for word, rule in (_VALUE | _ACTIVATION | _LINE).items()},
    **dict.fromkeys((*MOVING, *MAKING), Word(p.free)),
}
