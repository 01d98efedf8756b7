"""Convolutions, pools, padding and resizing: computed channels first, whatever the layer's order."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from archcalc.interop.keras.activations import activate
from archcalc.interop.keras.emit import Flow, LayerWriter
from archcalc.interop.keras.settings import LayerError
from archcalc.interop.trace import Shape

LayerRule = Callable[[LayerWriter], Flow]


def _padded(w: LayerWriter, n: Shape, span: Shape, stride: Shape) -> tuple[Shape, tuple[int, ...]]:
    """Return output sizes and padding: 'same' puts an odd pixel behind, as TensorFlow does."""
    how = str(w.settings.get("padding", "valid")).lower()
    if how == "same":
        out = tuple(-(-a // s) for a, s in zip(n, stride, strict=True))
        needed = [max((o - 1) * s + k - a, 0) for o, s, k, a in zip(out, stride, span, n, strict=True)]
    elif how in ("valid", "causal"):
        needed = [k - 1 if how == "causal" else 0 for k in span]
        out = tuple((a + p - k) // s + 1 for a, p, k, s in zip(n, needed, span, stride, strict=True))
    else:
        raise LayerError(f"padding '{how}' is none of same, valid and causal")
    if min(out) < 1:
        raise LayerError(f"its window of {_sizes(span)} is larger than its input of {_sizes(n)}")
    before = tuple(p if how == "causal" else p // 2 for p in needed)
    behind = tuple(p - b for p, b in zip(needed, before, strict=True))
    return out, before if before == behind else (*before, *behind)


def _sizes(shape: Shape) -> str:
    return "×".join(map(str, shape))


def _conv(
    w: LayerWriter, x: tuple[str, Shape], filters: int, groups: int, name: str, **window: Any
) -> tuple[str, Shape]:
    """Write a convolution without its activation."""
    held, shape = x
    stride, dilation, kernel = window["stride"], window["dilation"], window["kernel"]
    span = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    if shape[1] % groups or filters % groups:
        raise LayerError(f"{groups} groups do not divide {shape[1]} channels and {filters} filters")
    sizes, padding = _padded(w, shape[2:], span, stride)
    inputs: list[str | None] = [held, w.weight(name, (filters, shape[1] // groups, *kernel))]
    if window["bias"]:
        inputs.append(w.weight("bias", (filters,)))
    out = (shape[0], filters, *sizes)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return w.op("conv", inputs, out, **options), out


def _window(w: LayerWriter, axes: int) -> dict[str, Any]:
    return {
        "kernel": w.settings.sizes("kernel_size", axes),
        "stride": w.settings.sizes("strides", axes, 1),
        "dilation": w.settings.sizes("dilation_rate", axes, 1),
    }


def _images(w: LayerWriter, axes: int) -> tuple[str, Shape]:
    held, shape = w.images()
    if len(shape) != axes + 2:
        raise LayerError(f"it reads {axes + 1} axes, and gets {_sizes(w.x.shape[1:])}")
    return held, shape


def conv(axes: int) -> LayerRule:
    def rule(w: LayerWriter) -> Flow:
        bias, groups = w.settings.flag("use_bias", True), w.settings.size("groups", 1)
        x, filters = _images(w, axes), w.settings.size("filters")
        return activate(
            w, w.back(*_conv(w, x, filters, groups, "kernel", bias=bias, **_window(w, axes)))
        )

    return rule


def depthwise(axes: int) -> LayerRule:
    def rule(w: LayerWriter) -> Flow:
        x, bias = _images(w, axes), w.settings.flag("use_bias", True)
        filters = x[1][1] * w.settings.size("depth_multiplier", 1)
        made = _conv(w, x, filters, x[1][1], "depthwise_kernel", bias=bias, **_window(w, axes))
        return activate(w, w.back(*made))

    return rule


def separable(axes: int) -> LayerRule:
    """Return a depthwise convolution, and a 1×1 behind it."""

    def rule(w: LayerWriter) -> Flow:
        x = _images(w, axes)
        between = x[1][1] * w.settings.size("depth_multiplier", 1)
        deep = _conv(w, x, between, x[1][1], "depthwise_kernel", bias=False, **_window(w, axes))
        one = (1,) * axes
        point: dict[str, Any] = {"kernel": one, "stride": one, "dilation": one}
        bias, filters = w.settings.flag("use_bias", True), w.settings.size("filters")
        return activate(w, w.back(*_conv(w, deep, filters, 1, "pointwise_kernel", bias=bias, **point)))

    return rule


def transposed(axes: int) -> LayerRule:
    """Return a transposed convolution; 'same' gives stride times the input."""

    def rule(w: LayerWriter) -> Flow:
        (held, shape), window = _images(w, axes), _window(w, axes)
        filters, stride = w.settings.size("filters"), window["stride"]
        span = tuple((k - 1) * d + 1 for k, d in zip(window["kernel"], window["dilation"], strict=True))
        if w.settings.get("output_padding") is not None:
            raise LayerError("output_padding of a transposed convolution is not read")
        same = str(w.settings.get("padding", "valid")).lower() == "same"
        sizes = tuple(
            n * s + (0 if same else max(k - s, 0))
            for n, s, k in zip(shape[2:], stride, span, strict=True)
        )
        crop = [(n - 1) * s + k - o for n, s, k, o in zip(shape[2:], stride, span, sizes, strict=True)]
        before = tuple(max(c, 0) // 2 for c in crop)
        behind = tuple(max(c, 0) - b for c, b in zip(crop, before, strict=True))
        inputs: list[str | None] = [held, w.weight("kernel", (shape[1], filters, *window["kernel"]))]
        if w.settings.flag("use_bias", True):
            inputs.append(w.weight("bias", (filters,)))
        out = (shape[0], filters, *sizes)
        options = {
            "stride": stride,
            "padding": before if before == behind else (*before, *behind),
            "output_padding": tuple(max(-c, 0) for c in crop),
            "dilation": window["dilation"],
            "groups": 1,
        }
        return activate(w, w.back(w.op("conv_transpose", inputs, out, **options), out))

    return rule


def pool(word: str, axes: int) -> LayerRule:
    """Return a pool; an average leaves the padding out, as Keras does."""

    def rule(w: LayerWriter) -> Flow:
        held, shape = _images(w, axes)
        kernel = w.settings.sizes("pool_size", axes, 2)
        stride = w.settings.sizes("strides", axes) if w.settings.get("strides") else kernel
        sizes, padding = _padded(w, shape[2:], kernel, stride)
        out = (*shape[:2], *sizes)
        options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding}
        if word == "avg_pool":
            options["count_include_pad"] = False
        return w.back(w.op(word, [held], out, **options), out)

    return rule


def gap(word: str, axes: int) -> LayerRule:
    """Return a pool over all positions."""

    def rule(w: LayerWriter) -> Flow:
        held, shape = _images(w, axes)
        out = (*shape[:2], *(1,) * axes)
        made = w.op(word, [held], out)
        if w.settings.flag("keepdims", False):
            return w.back(made, out)
        return Flow(w.op("view", [made], shape[:2]), shape[:2])

    return rule


def pad(axes: int) -> LayerRule:
    def rule(w: LayerWriter) -> Flow:
        (held, shape), pairs = _images(w, axes), w.settings.pairs("padding", axes)
        out = (*shape[:2], *(n + a + b for n, (a, b) in zip(shape[2:], pairs, strict=True)))
        around = tuple(n for pair in reversed(pairs) for n in pair)  # from the last axis, as torch
        return w.back(w.op("pad", [held], out, pad=around), out)

    return rule


def crop(axes: int) -> LayerRule:
    def rule(w: LayerWriter) -> Flow:
        (held, shape), pairs = _images(w, axes), w.settings.pairs("cropping", axes)
        for dim, (before, behind) in enumerate(pairs, 2):
            end = shape[dim] - behind
            if end <= before:
                raise LayerError(f"it cuts {before + behind} of {shape[dim]}")
            shape = (*shape[:dim], end - before, *shape[dim + 1 :])
            held = w.op("slice", [held], shape, dim=dim, start=before, end=end)
        return w.back(held, shape)

    return rule


_RESIZING = {
    "nearest": "upsample_nearest",
    "bilinear": "upsample_linear",
    "bicubic": "upsample_cubic",
}


def _resize(w: LayerWriter, held: str, out: Shape, default: str) -> Flow:
    how = w.settings.get("interpolation", default)
    if how not in _RESIZING:
        raise LayerError(f"interpolation '{how}' is not known")
    return w.back(w.op(_RESIZING[how], [held], out, align_corners=False), out)


def upsample(axes: int) -> LayerRule:
    def rule(w: LayerWriter) -> Flow:
        held, shape = _images(w, axes)
        factors = w.settings.sizes("size", axes, 2)
        sizes = tuple(n * f for n, f in zip(shape[2:], factors, strict=True))
        return _resize(w, held, (*shape[:2], *sizes), "nearest")

    return rule


def resizing(w: LayerWriter) -> Flow:
    held, shape = _images(w, 2)
    return _resize(
        w, held, (*shape[:2], w.settings.size("height"), w.settings.size("width")), "bilinear"
    )


def flatten(w: LayerWriter) -> Flow:
    x = w.x
    out = (x.shape[0], prod(x.shape[1:]))
    return Flow(w.op("view", [w.natural(x)], out, x.dtype), out, dtype=x.dtype)


WINDOWS: dict[str, LayerRule] = {"Flatten": flatten, "Resizing": resizing}
for _axes in (1, 2, 3):
    _d = f"{_axes}D"
    WINDOWS |= {
        f"Conv{_d}": conv(_axes),
        f"Convolution{_d}": conv(_axes),
        f"Conv{_d}Transpose": transposed(_axes),
        f"DepthwiseConv{_d}": depthwise(_axes),
        f"SeparableConv{_d}": separable(_axes),
        f"MaxPooling{_d}": pool("max_pool", _axes),
        f"AveragePooling{_d}": pool("avg_pool", _axes),
        f"GlobalAveragePooling{_d}": gap("adaptive_avg_pool", _axes),
        f"GlobalMaxPooling{_d}": gap("adaptive_max_pool", _axes),
        f"ZeroPadding{_d}": pad(_axes),
        f"Cropping{_d}": crop(_axes),
        f"UpSampling{_d}": upsample(_axes),
    }
