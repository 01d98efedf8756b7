"""Layers that keep positions apart: dense, norms, activations, embeddings, moves of axes."""

from __future__ import annotations

from math import prod

from archcalc.interop.keras.activations import activate
from archcalc.interop.keras.emit import Flow, LayerWriter
from archcalc.interop.keras.settings import LayerError, axis_of, size
from archcalc.interop.keras.windows import LayerRule
from archcalc.interop.trace import Shape


def linear(w: LayerWriter, flow: Flow, units: int, name: str, bias: str = "") -> Flow:
    """Write a product with a matrix along the last axis."""
    out = (*flow.shape[:-1], units)
    inputs = [w.natural(flow), w.weight(name, (units, flow.shape[-1]))]
    if bias:
        inputs.append(w.weight(bias, (units,)))
    return Flow(w.op("linear", inputs, out), out)


def dense(w: LayerWriter) -> Flow:
    bias = "bias" if w.settings.flag("use_bias", True) else ""
    return activate(w, linear(w, w.x, w.settings.size("units"), "kernel", bias))


def _channels(w: LayerWriter) -> tuple[str, Shape, Flow]:
    """Return the tensor with the axis of the norm as axis 1, its shape, and the flow it belongs to."""
    flow = w.x
    axis = axis_of(w.settings.get("axis", -1), len(flow.shape))
    if axis == len(flow.shape) - 1 and len(flow.shape) > 2:
        held = flow.name if flow.first else w.to.other_order(w, flow)
        flow = flow._replace(name=held, first=True)
    elif axis == 1:
        flow = flow._replace(name=w.natural(flow), first=False)
    else:
        raise LayerError(f"a norm of axis {axis} of {len(flow.shape)} is not read")
    return flow.name, flow.held, flow


def batch_norm(w: LayerWriter) -> Flow:
    held, shape, flow = _channels(w)
    each = (shape[1],)
    inputs = [
        held,
        w.weight("gamma", each) if w.settings.flag("scale", True) else None,
        w.weight("beta", each) if w.settings.flag("center", True) else None,
        w.weight("moving_mean", each, "buffer"),
        w.weight("moving_variance", each, "buffer"),
    ]
    made = w.op("batch_norm", inputs, shape, training=False, eps=w.settings.get("epsilon", 1e-3))
    return flow._replace(name=made)


def normalization(w: LayerWriter) -> Flow:
    """Read a normalization by the data's mean and variance: a batch norm without scale and shift."""
    held, shape, flow = _channels(w)
    known = w.settings.get("mean") is not None
    kept = [None, None] if known else [w.weight(n, (shape[1],), "buffer") for n in ("mean", "variance")]
    if not known:
        w.weight("count", (), "buffer")
    made = w.op("batch_norm", [held, None, None, *kept], shape, training=False, eps=0.0)
    return flow._replace(name=made)


def layer_norm(word: str) -> LayerRule:
    """Return a norm over the last axes."""

    def rule(w: LayerWriter) -> Flow:
        flow, axis = w.x, w.settings.get("axis", -1)
        rank = len(flow.shape)
        axes = sorted(axis_of(a, rank) for a in (axis if isinstance(axis, list) else [axis]))
        if axes != list(range(axes[0], rank)):
            raise LayerError("a norm over other axes than the last ones is not read")
        over = flow.shape[axes[0] :]
        rms = word == "rms_norm" or w.settings.flag("rms_scaling", False)
        inputs: list[str | None] = [w.natural(flow)]
        inputs.append(w.weight("gamma", over) if w.settings.flag("scale", True) else None)
        if not rms:
            inputs.append(w.weight("beta", over) if w.settings.flag("center", True) else None)
        eps = w.settings.get("epsilon", 1e-3)
        word_of = "rms_norm" if rms else "layer_norm"
        return Flow(w.op(word_of, inputs, flow.shape, normalized_shape=over, eps=eps), flow.shape)

    return rule


def group_norm(w: LayerWriter) -> Flow:
    held, shape, flow = _channels(w)
    groups = w.settings.get("groups", 32)
    groups = shape[1] if groups == -1 else size(groups, "groups")
    if shape[1] % groups:
        raise LayerError(f"{groups} groups do not divide {shape[1]} channels")
    each = (shape[1],)
    scale = w.weight("gamma", each) if w.settings.flag("scale", True) else None
    shift = w.weight("beta", each) if w.settings.flag("center", True) else None
    made = w.op("group_norm", [held, scale, shift], shape, num_groups=groups)
    return flow._replace(name=made)


def relu(w: LayerWriter) -> Flow:
    most, slope = w.settings.get("max_value"), w.settings.get("negative_slope", 0)
    if slope:
        return w.like(w.x, "leaky_relu", negative_slope=slope)
    return w.like(w.x, "relu") if most is None else w.like(w.x, "relu6", min_val=0.0, max_val=most)


def prelu(w: LayerWriter) -> Flow:
    """Read a PReLU with a slope for each value, except along the axes that share them."""
    flow, shared = w.x, [axis - 1 for axis in w.settings.get("shared_axes", [])]
    sizes = [1 if at in shared else n for at, n in enumerate(flow.shape[1:])]
    if flow.first:
        sizes = [sizes[-1], *sizes[:-1]]
    alone = flow.first and prod(sizes[1:]) == 1
    return w.like(flow, "prelu", w.weight("alpha", tuple(sizes[:1] if alone else sizes)))


def softmax(w: LayerWriter) -> Flow:
    axis = axis_of(w.settings.get("axis", -1), len(w.x.shape))
    return w.like(w.x._replace(name=w.natural(w.x), first=False), "softmax", dim=axis)


def scaling(w: LayerWriter) -> Flow:
    """Read x · scale + offset; an offset of 0 is left out."""
    flow = w.x
    for word, key in (("mul", "scale"), ("add", "offset")):
        number = w.settings.get(key, 0)
        if isinstance(number, list):
            flow = w.like(flow, word, w.weight(key, _by_channel(flow, len(number)), "constant"))
        elif number or word == "mul":
            flow = w.like(flow, word, other=number)
    return flow


def _by_channel(flow: Flow, channels: int) -> Shape:
    """Return the shape of a number a channel, as the trace has the axes."""
    if channels not in (1, flow.shape[-1]):
        raise LayerError(f"{channels} numbers for {flow.shape[-1]} channels")
    return (channels, *(1,) * (len(flow.shape) - 2)) if flow.first else (channels,)


def layer_scale(w: LayerWriter) -> Flow:
    """Read ConvNeXt's layer scale: a learned factor for each channel."""
    flow = w.x
    shape = _by_channel(flow, w.settings.size("projection_dim"))
    return w.like(flow, "mul", w.weight("gamma", shape))


def embedding(w: LayerWriter) -> Flow:
    width = w.settings.size("output_dim")
    table = w.weight("embeddings", (w.settings.size("input_dim"), width))
    out = (*w.x.shape, width)
    return Flow(w.op("embedding", [table, w.natural(w.x)], out), out)


def view(w: LayerWriter, flow: Flow, target: list[int]) -> Flow:
    """Cut the values anew; one size may be -1."""
    whole, wanted = prod(flow.shape[1:]), prod(n for n in target if n != -1)
    if target.count(-1) == 1 and wanted and whole % wanted == 0:
        target = [whole // wanted if n == -1 else n for n in target]
    if prod(target) != whole or min(target, default=1) < 1:
        raise LayerError(f"{whole:,} values do not make {'×'.join(map(str, target))}")
    out = (flow.shape[0], *target)
    return Flow(w.op("view", [w.natural(flow)], out, flow.dtype), out, dtype=flow.dtype)


def reshape(w: LayerWriter) -> Flow:
    target = w.settings.get("target_shape")
    return view(w, w.x, [n if n == -1 else size(n, "target_shape") for n in target])


def permuted(w: LayerWriter, flow: Flow, dims: tuple[int, ...]) -> Flow:
    """Reorder all axes."""
    if sorted(dims) != list(range(len(flow.shape))):
        raise LayerError(f"{dims} is no order of {len(flow.shape)} axes")
    out = tuple(flow.shape[dim] for dim in dims)
    return Flow(w.op("permute", [w.natural(flow)], out, flow.dtype, dims=dims), out, dtype=flow.dtype)


def permute(w: LayerWriter) -> Flow:
    return permuted(w, w.x, (0, *w.settings.sizes("dims", len(w.x.shape) - 1)))


def repeat_vector(w: LayerWriter) -> Flow:
    (batch, width), times = w.x.shape, w.settings.size("n")
    one = w.op("view", [w.natural(w.x)], (batch, 1, width))
    out = (batch, times, width)
    return Flow(w.op("expand", [one], out), out)


def same(w: LayerWriter) -> Flow:
    """Read a layer that does nothing at inference."""
    return w.x


def dropout(w: LayerWriter) -> Flow:
    return w.like(w.x, "dropout", train=False)


LAYERS: dict[str, LayerRule] = {
    "Dense": dense,
    "BatchNormalization": batch_norm,
    "SyncBatchNormalization": batch_norm,
    "BatchNormalizationV1": batch_norm,
    "Normalization": normalization,
    "LayerNormalization": layer_norm("layer_norm"),
    "RMSNormalization": layer_norm("rms_norm"),
    "GroupNormalization": group_norm,
    "Activation": lambda w: activate(w, w.x),
    "ReLU": relu,
    "LeakyReLU": lambda w: w.like(w.x, "leaky_relu"),
    "ELU": lambda w: w.like(w.x, "elu"),
    "ThresholdedReLU": lambda w: w.like(w.x, "threshold"),
    "PReLU": prelu,
    "Softmax": softmax,
    "Rescaling": scaling,
    "LayerScale": layer_scale,
    "Embedding": embedding,
    "Reshape": reshape,
    "Permute": permute,
    "RepeatVector": repeat_vector,
}
_DROPS = "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout"
LAYERS |= dict.fromkeys(f"{_DROPS} StochasticDepth".split(), dropout)
_NOTHING = """
Identity ActivityRegularization GaussianNoise Masking RandomFlip RandomRotation RandomZoom RandomContrast
RandomTranslation RandomBrightness Cast
"""
LAYERS |= dict.fromkeys(_NOTHING.split(), same)
