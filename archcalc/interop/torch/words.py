"""Map torch's operators (ATen) to the words of the vocabulary, with the attributes that are kept.

A name counts with every overload and in place (`relu_`). Tensors stand in torch's own order unless
`_ORDERS` names them; `_KEPT` names the attributes that rules and the batch's way read, with the values
that torch leaves out of the file where nobody gave another.
"""

from __future__ import annotations

from typing import Any

# the word itself is an operator's name too; after the colon stand the others that mean the same
_SPELLINGS = """
view: reshape flatten squeeze unsqueeze unflatten view_as reshape_as _unsafe_view _reshape_alias
view: ravel
permute: transpose t swapaxes swapdims movedim moveaxis mT numpy_T adjoint matrix_H
expand: expand_as broadcast_to broadcast_tensors meshgrid
repeat: tile
repeat_interleave:
slice: narrow
select:
split: split_with_sizes chunk tensor_split unsafe_split unsafe_chunk unsafe_split_with_sizes hsplit
split: vsplit
unbind:
cat: concat concatenate hstack vstack
stack:
pad: constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
pad: replication_pad2d
pad: replication_pad3d _pad_circular
roll:
flip: fliplr flipud rot90
copy: alias detach contiguous clone lift lift_fresh lift_fresh_copy resolve_conj resolve_neg
copy: positive
copy: item _local_scalar_dense view_as_real view_as_complex complex real imag polar_parts set_data
cast: to _to_copy type_as float double half int long bool
gather: take_along_dim
index: index_select take as_strided _unsafe_index masked_select diagonal diag diag_embed
index_put: _unsafe_index_put index_copy index_fill
scatter: masked_scatter slice_scatter select_scatter diagonal_scatter fill_diagonal
embedding:
where:
masked_fill:
one_hot:
tril: triu
pixel_shuffle:
pixel_unshuffle:
channel_shuffle: native_channel_shuffle
unfold: im2col unfold_copy
upsample_nearest: upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
upsample_nearest: _upsample_nearest_exact2d _upsample_nearest_exact3d
max_unpool: max_unpool2d max_unpool3d
dropout: native_dropout feature_dropout alpha_dropout feature_alpha_dropout
nonzero: argwhere nonzero_numpy
checks: _assert_async _assert_scalar _assert_tensor_metadata sym_constrain_range
checks: sym_constrain_range_for_size
checks: _functional_assert_async _functional_sym_constrain_range is_nonzero
fill: zeros ones full empty zeros_like ones_like full_like empty_like new_zeros new_ones new_full
fill: new_empty
fill: scalar_tensor zero eye linspace tril_indices triu_indices empty_strided new_empty_strided
fill: empty_permuted
arange:
random: rand randn rand_like randn_like randint randperm bernoulli normal uniform exponential
shape: sym_size sym_numel sym_stride sym_storage_offset sym_is_contiguous
add:
sub: subtract rsub
mul: multiply
div: divide true_divide
floor_divide:
remainder: fmod
maximum: fmax
minimum: fmin
addcmul:
addcdiv:
lerp:
neg: negative
abs: absolute
sign: sgn
round: floor ceil trunc fix frac
clamp: clip clamp_min clamp_max
compare: eq ne lt le gt ge isnan isinf isfinite isclose greater less not_equal greater_equal
compare: less_equal
logical: logical_and logical_or logical_xor logical_not bitwise_and bitwise_or bitwise_xor
logical: bitwise_not
logical: __and__ __or__ __xor__ __lshift__ __rshift__ bitwise_left_shift bitwise_right_shift
pow: float_power
square:
sqrt:
rsqrt:
reciprocal:
exp: exp2 special_exp2
log: log2 log10
log1p: special_log1p
expm1: special_expm1
sin: sinc
cos: tan
atan: atan2 arctan asin acos arcsin arccos sinh cosh asinh acosh atanh
erf: special_erf erfc
fake_quantize: fake_quantize_per_tensor_affine fake_quantize_per_channel_affine
fake_quantize: fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask
relu:
relu6: hardtanh
leaky_relu: rrelu
prelu: _prelu_kernel
threshold: hardshrink
softshrink:
elu:
selu:
celu:
sigmoid: special_expit
log_sigmoid: log_sigmoid_forward
tanh:
silu: swish
gelu:
hardsigmoid:
hardswish:
mish:
softplus:
softsign:
glu:
softmax: _softmax _safe_softmax special_softmax
log_softmax: _log_softmax special_log_softmax
sum: nansum
mean: nanmean
prod:
amax: max
amin: min
argmax: argmin
any: all
var:
std:
var_mean: std_mean
norm: linalg_vector_norm linalg_norm
cumsum:
cumprod:
logsumexp: special_logsumexp
sort: argsort median kthvalue
topk:
scatter_add: scatter_reduce index_add
max_pool: max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
max_pool: max_pool3d_with_indices
avg_pool: avg_pool1d avg_pool2d avg_pool3d
adaptive_avg_pool: adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
adaptive_avg_pool: _adaptive_avg_pool3d
adaptive_max_pool: adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d
upsample_linear: upsample_linear1d upsample_bilinear2d upsample_trilinear3d _upsample_bilinear2d_aa
upsample_cubic: upsample_bicubic2d _upsample_bicubic2d_aa
grid_sample: grid_sampler grid_sampler_2d grid_sampler_3d
fold: col2im
conv: conv1d conv2d conv3d convolution _convolution
conv_transpose: conv_transpose1d conv_transpose2d conv_transpose3d
deform_conv: deform_conv2d
linear:
matmul: mm bmm mv dot vdot linalg_matmul
addmm: baddbmm addmv
bilinear:
einsum:
cdist: _cdist_forward
embedding_bag: _embedding_bag _embedding_bag_forward_only
attention: scaled_dot_product_attention _scaled_dot_product_flash_attention
attention: _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_efficient_attention
attention: _scaled_dot_product_cudnn_attention _scaled_dot_product_attention_math
lstm: lstm_cell
gru: gru_cell
rnn_tanh: rnn_tanh_cell
rnn_relu: rnn_relu_cell
batch_norm: native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
batch_norm: _batch_norm_with_update _native_batch_norm_legit_functional cudnn_batch_norm
layer_norm: native_layer_norm
group_norm: native_group_norm
instance_norm:
rms_norm: _fused_rms_norm
local_response_norm:
"""

_INPUTS = "input self x"
_ORDERS = {
    "conv": (_INPUTS, "weight", "bias"),
    "conv_transpose": (_INPUTS, "weight", "bias"),
    "deform_conv": (_INPUTS, "weight", "offset", "mask", "bias"),
    "linear": (_INPUTS, "weight", "bias"),
    "bilinear": ("input1", "input2", "weight", "bias"),
    "attention": ("query", "key", "value", "attn_mask attn_bias"),
    "embedding": ("weight", "indices"),
    "embedding_bag": ("weight", "indices", "offsets", "per_sample_weights"),
    "batch_norm": (_INPUTS, "weight", "bias", "running_mean", "running_var"),
    "layer_norm": (_INPUTS, "weight", "bias"),
    "group_norm": (_INPUTS, "weight", "bias"),
    "instance_norm": (_INPUTS, "weight", "bias", "running_mean", "running_var"),
    "rms_norm": (_INPUTS, "weight"),
}

_KEPT: dict[str, dict[str, Any]] = {
    "conv": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "conv_transpose": {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    "deform_conv": {},
    "max_pool": {"kernel_size": 1, "stride": (), "padding": 0, "dilation": 1, "ceil_mode": False},
    "avg_pool": {
        "kernel_size": 1,
        "stride": (),
        "padding": 0,
        "ceil_mode": False,
        "count_include_pad": True,
        "divisor_override": None,
    },
    "layer_norm": {"normalized_shape": None, "eps": 1e-5},
    "rms_norm": {"normalized_shape": None, "eps": None},
    "group_norm": {"num_groups": 1, "eps": 1e-5},
    "instance_norm": {"eps": 1e-5, "use_input_stats": True},
    "leaky_relu": {"negative_slope": 0.01},
    "elu": {"alpha": 1.0},
    "softplus": {"beta": 1},
    "relu6": {"min_val": -1, "max_val": 1},
    "pad": {"pad": (), "mode": "constant", "value": None},
    "upsample_nearest": {"scale_factors": None},
    **{
        word: {"align_corners": False, "scale_factors": None}
        for word in ("upsample_linear", "upsample_cubic")
    },
    "channel_shuffle": {"groups": 1},
    "attention": {"is_causal": False, "scale": None},
    **{word: {"alpha": 1, "other": None} for word in ("add", "sub")},
    **{word: {"other": None} for word in ("mul", "maximum", "minimum")},
    "gelu": {"approximate": "none"},
    "clamp": {"min": None, "max": None},
    "einsum": {"equation": ""},
    "dropout": {"train": False},
    "batch_norm": {"training": False, "eps": 1e-5},
    "embedding_bag": {"mode": 0},
    "flip": {"dims": ()},
    "roll": {"dims": (), "shifts": ()},
    "one_hot": {},
}

_DIMS: tuple[tuple[str, Any], ...] = (  # words whose attribute dim is kept, and its default
    ("softmax log_softmax logsumexp cumsum cumprod sort topk select repeat_interleave glu", -1),
    ("cat stack split unbind slice gather scatter index", 0),
    ("sum mean prod amax amin argmax any var std var_mean norm", None),
)
_KEPT |= {word: {"dim": default} for words, default in _DIMS for word in words.split()}
_KEPT["slice"] |= {"start": None, "end": None, "step": 1}
_KEPT["norm"] |= {"ord": 2}
_KEPT["unfold"] = {"dimension": 0, "size": 1, "step": 1, "kernel_size": None}
_KEPT["unfold"] |= {"stride": 1, "dilation": 1, "padding": 0}
_KEPT["addcmul"] = {"value": 1}
_KEPT["select"] |= {"index": None}

_RENAMED = {"group": "num_groups", "bias_defined": "", "axis": "dim", "padding_mode": "mode"}

# what torch makes a view of its input where it can, so that writing into one writes into the other
VIEWS = frozenset(("view", "permute", "expand", "slice", "select", "split", "unbind", "copy", "cast"))
COPIES = frozenset(("clone", "_to_copy", "lift_fresh_copy", "unfold_copy"))


def _table() -> dict[str, str]:
    table = {}
    for line in _SPELLINGS.strip().split("\n"):
        word, _, names = line.partition(":")
        table.update(dict.fromkeys((word, *names.split()), word))
    return table


WORD_OF = _table()


def word_of(name: str) -> str | None:
    """Return the word for an ATen name without overload, in place or not; None if unknown."""
    word = WORD_OF.get(name)
    if word is None and name.endswith("_") and not name.endswith("__"):
        word = WORD_OF.get(name[:-1])
    return word


def order_of(word: str) -> tuple[str, ...] | None:
    """Return the names of a word's tensors in the vocabulary's order, alternatives apart by a space."""
    return _ORDERS.get(word)


def kept(word: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that are kept of those given, and their defaults."""
    wanted = _KEPT.get(word)
    if wanted is None:
        return {}
    found = {_RENAMED.get(name, name): value for name, value in given.items()}
    return {name: found.get(name, default) for name, default in wanted.items()}
