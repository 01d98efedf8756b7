"""Read attributes that no count needs, but a layer does: under torch's names, with ONNX's defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.interop.onnx.tensors import FLOATS
from archcalc.interop.onnx.values import NodeCall

Attributes = dict[str, Any]
_MOST_PICKED = 64  # places that a Gather names one by one
_AUTO = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def _window(call: NodeCall) -> Attributes:
    auto = _AUTO.get(call.text("auto_pad", "NOTSET"))
    kept: Attributes = {} if auto is None else {"padding": auto}
    if call.op in ("MaxPool", "AveragePool", "LpPool"):
        kept["ceil_mode"] = bool(call.integer("ceil_mode", 0))
    if call.op == "AveragePool":
        kept["count_include_pad"] = bool(call.integer("count_include_pad", 0))
    return kept


def _norm(call: NodeCall) -> Attributes:
    return {"eps": call.real("epsilon", 1e-5)}


def _slope(default: float) -> Callable[[NodeCall], Attributes]:
    return lambda call: {
        "alpha": call.real("alpha", default),
        "negative_slope": call.real("alpha", default),
    }


def _hard_sigmoid(call: NodeCall) -> Attributes:
    return {"alpha": call.real("alpha", 0.2), "beta": call.real("beta", 0.5)}


def _slice(call: NodeCall) -> Attributes:
    """Return the first place and the step along each axis."""
    shape = call.first.shape
    starts = call.listed("starts", 1) or []
    axes = call.listed("axes", 3) or list(range(len(starts)))
    steps = call.listed("steps", 4) or [1] * len(starts)
    found = []
    for start, axis, step in zip(starts, axes, steps, strict=True):
        at = axis % len(shape)
        found.append((at, max(0, start + shape[at]) if start < 0 else min(start, shape[at]), step))
    return {"ranges": tuple(found)}


def _gather(call: NodeCall) -> Attributes:
    index = call.maybe(1)
    if index is None or not index.numbers:
        return {}
    picked, first = index.numbers, index.numbers[0]
    if not index.shape:
        return {"index": first}
    following = range(first, first + len(picked))
    if list(following) == picked:
        return {"places": following}
    return {"places": tuple(picked)} if len(picked) <= _MOST_PICKED else {}


def _pad(call: NodeCall) -> Attributes:
    """Return the amounts before and after each axis, from the last one on, as torch has them."""
    rank = len(call.first.shape)
    pads = call.listed("pads", 1) or call.integers("paddings") or []
    axes = (call.sizes(3) if call.maybe(3) else None) or list(range(rank))
    if len(pads) != 2 * len(axes):
        return {}
    sides = {axis % rank: (pads[i], pads[len(axes) + i]) for i, axis in enumerate(axes)}
    amounts = tuple(n for at in reversed(range(rank)) for n in sides.get(at, (0, 0)))
    value = call.maybe(2)
    number = call.real("value", 0.0) if value is None or not value.size else (value.numbers or [None])[0]
    return {"pad": amounts, "mode": call.text("mode", "constant"), "value": number}


def _resize(call: NodeCall) -> Attributes:
    where = call.text(
        "coordinate_transformation_mode", "half_pixel" if call.op == "Resize" else "asymmetric"
    )
    nearest = call.text("nearest_mode", "round_prefer_floor")
    cubic = call.real("cubic_coeff_a", -0.75)
    return {
        "align_corners": where == "align_corners",
        "where": where,
        "nearest": nearest,
        "cubic": cubic,
        "scale_factors": _scales(call),
    }


def _scales(call: NodeCall) -> tuple[float, ...] | None:
    """Return what the sizes are multiplied by, if the file gives no sizes, and all axes."""
    at = 2 if call.op == "Resize" and call.opset >= 11 else 1
    sizes = call.maybe(at + 1)
    if (sizes is not None and sizes.shape != (0,)) or call.integers("axes"):
        return None
    found = call.attributes["scales"].value if "scales" in call.attributes else call.known(at)
    return tuple(found) if isinstance(found, list) else None


def _shuffle(call: NodeCall) -> Attributes:
    return {"mode": call.text("mode", "DCR")} if call.op == "DepthToSpace" else {"mode": "DCR"}


def _scalar(call: NodeCall) -> Attributes:
    """Return the single number that is added, multiplies or divides, if the file has it."""
    places = (1,) if call.op == "Div" else (1, 0)
    for value in map(call.maybe, places):
        if value is not None and value.size == 1 and value.dtype in FLOATS and value.numbers:
            return {"scalar": float(value.numbers[0])}
    return {}


_TABLE: tuple[tuple[Callable[[NodeCall], Attributes], str], ...] = (
    (_window, "conv conv_transpose max_pool avg_pool lp_pool"),
    (_norm, "batch_norm layer_norm group_norm instance_norm rms_norm"),
    (_slope(0.01), "leaky_relu"),
    (_slope(1.0), "elu"),
    (_hard_sigmoid, "hardsigmoid"),
    (_scalar, "add mul div"),
    (_slice, "slice"),
    (_gather, "gather select"),
    (_pad, "pad"),
    (_resize, "upsample_nearest upsample_linear upsample_cubic"),
    (_shuffle, "pixel_shuffle pixel_unshuffle"),
)
_BY_WORD = {word: keep for keep, words in _TABLE for word in words.split()}


def layer_attributes(word: str, call: NodeCall) -> Attributes:
    """Return the attributes of a node that its word has beside those that its count needs."""
    keep = _BY_WORD.get(word)
    return {} if keep is None else keep(call)
