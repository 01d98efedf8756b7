"""Rules of operators that look through windows: convolutions, pools, and what scatters windows back."""

from __future__ import annotations

from math import prod

from archcalc.errors import ArchError
from archcalc.interop.onnx.tensors import INT32, INT64
from archcalc.interop.onnx.values import NodeCall, Rule, Shape, Value, sized


def kernel(call: NodeCall, weight: Shape | None = None) -> list[int]:
    """Extents of the window: the attribute, or the weight's own."""
    found = call.integers("kernel_shape", len(weight) - 2 if weight else None) or list(
        (weight or ())[2:]
    )
    if weight and found != list(weight[2:]):
        raise ArchError(f"kernel_shape is {sized(found)}, its weight's {sized(weight[2:])}")
    if not found or min(found) < 1:
        raise ArchError("it has no kernel_shape")
    return found


def positive(call: NodeCall, name: str, axes: int) -> list[int]:
    """Strides or dilations: an attribute with a number for each axis, or ones."""
    found = call.integers(name, axes) or [1] * axes
    if min(found) < 1:
        raise ArchError(f"{name} {sized(found)} must be positive")
    return found


def padding(call: NodeCall, axes: int) -> list[int]:
    """Rows added before each axis, then behind each; SAME's are what `moves` finds by itself."""
    return call.integers("pads", 2 * axes) or [0] * (2 * axes)


def moves(call: NodeCall, extents: Shape, window: list[int]) -> Shape:
    """Positions of a window along each axis."""
    axes = len(window)
    if len(extents) != axes:
        raise ArchError(f"a window over {axes} axes does not fit an input with {len(extents)}")
    stride, dilation = positive(call, "strides", axes), positive(call, "dilations", axes)
    pads, auto = padding(call, axes), call.text("auto_pad", "NOTSET")
    ceil = call.integer("ceil_mode", 0)
    found = []
    for i, extent in enumerate(extents):
        span = (window[i] - 1) * dilation[i] + 1
        if auto.startswith("SAME"):
            found.append(-(-extent // stride[i]))
            continue
        before, behind = (0, 0) if auto == "VALID" else (pads[i], pads[axes + i])
        room = extent + before + behind - span
        if room < 0:
            raise ArchError(f"a window of {span} does not fit {extent} with padding {before} + {behind}")
        count = (-(-room // stride[i]) if ceil else room // stride[i]) + 1
        if ceil and (count - 1) * stride[i] >= extent + before:
            count -= 1  # the last window would start in the padding behind
        found.append(count)
    return tuple(found)


def convolution(x: int, weight: int, dtype: int = 0) -> Rule:
    """Return a rule of a convolution whose input and weight stand at these places."""

    def rule(call: NodeCall) -> list[Value]:
        shape, filters = call.ranked(x, 3), call.ranked(weight, 3)
        groups = call.integer("group", 1)
        if groups < 1 or shape[1] != filters[1] * groups or filters[0] % groups:
            raise ArchError(
                f"weight {sized(filters)} in {groups} groups does not fit {shape[1]} channels"
            )
        extents = moves(call, shape[2:], kernel(call, filters))
        out = call.value(7).dtype if call.op == "QLinearConv" else dtype or call.value(x).dtype
        return [Value((shape[0], filters[0], *extents), out)]

    return rule


def transposed(call: NodeCall) -> list[Value]:
    shape, filters = call.ranked(0, 3), call.ranked(1, 3)
    groups = call.integer("group", 1)
    if groups < 1 or shape[1] != filters[0]:
        raise ArchError(f"weight {sized(filters)} does not fit an input of {shape[1]} channels")
    window = kernel(call, filters)
    axes = len(window)
    if len(shape) != axes + 2:
        raise ArchError(f"a window over {axes} axes does not fit {sized(shape)}")
    stride, dilation = positive(call, "strides", axes), positive(call, "dilations", axes)
    pads, extra = padding(call, axes), call.integers("output_padding", axes) or [0] * axes
    given = call.integers("output_shape")
    if given:
        return [Value((shape[0], filters[1] * groups, *given[-axes:]), call.first.dtype)]
    if call.text("auto_pad").startswith("SAME"):
        extents = [extent * step for extent, step in zip(shape[2:], stride, strict=True)]
    else:
        extents = [
            stride[i] * (shape[2 + i] - 1)
            + extra[i]
            + (window[i] - 1) * dilation[i]
            + 1
            - pads[i]
            - pads[axes + i]
            for i in range(axes)
        ]
    return [Value((shape[0], filters[1] * groups, *extents), call.first.dtype)]


def pool(call: NodeCall) -> list[Value]:
    """Max pool's further output is where the largest stood."""
    shape = call.ranked(0, 3)
    found = (*shape[:2], *moves(call, shape[2:], kernel(call)))
    return [Value(found, call.first.dtype)] + [Value(found, INT64) for _ in call.node.outputs[1:]]


def global_pool(call: NodeCall) -> list[Value]:
    shape = call.ranked(0, 2)
    return [Value((*shape[:2], *[1] * (len(shape) - 2)), call.first.dtype)]


def unpool(call: NodeCall) -> list[Value]:
    shape = call.ranked(0, 3)
    if call.maybe(2) is not None:
        return [Value(call.sizes(2), call.first.dtype)]
    window = kernel(call)
    axes = len(window)
    if axes != len(shape) - 2:
        raise ArchError(f"a window over {axes} axes does not fit {sized(shape)}")
    stride, pads = positive(call, "strides", axes), padding(call, axes)
    extents = [
        (shape[2 + i] - 1) * stride[i] - pads[i] - pads[axes + i] + window[i] for i in range(axes)
    ]
    return [Value((*shape[:2], *extents), call.first.dtype)]


def regions(call: NodeCall) -> list[Value]:
    """Return a map cut out of the input for every region: RoiAlign's and MaxRoiPool's."""
    shape, count = call.ranked(0, 4), call.ranked(1, 2)[0]
    if call.op == "MaxRoiPool":
        size = call.integers("pooled_shape", 2) or [1, 1]
    else:
        size = [call.integer("output_height", 1), call.integer("output_width", 1)]
    return [Value((count, shape[1], *size), call.first.dtype)]


def columns_to_image(call: NodeCall) -> list[Value]:
    shape, image, block = call.ranked(0, 3), call.sizes(1), call.sizes(2)
    channels, rest = divmod(shape[1], max(prod(block), 1))
    if rest or not prod(block):
        raise ArchError(f"{shape[1]} rows are no multiple of a block of {sized(block)}")
    return [Value((shape[0], channels, *image), call.first.dtype)]


def grid_sample(call: NodeCall) -> list[Value]:
    shape, grid = call.ranked(0, 3), call.ranked(1, 3)
    return [Value((*shape[:2], *grid[1:-1]), call.first.dtype)]


def affine_grid(call: NodeCall) -> list[Value]:
    size = call.sizes(1)
    return [Value((*size[:1], *size[2:], len(size) - 2), call.first.dtype)]


RULES: dict[str, Rule] = {
    "Conv": convolution(0, 1),
    "DeformConv": convolution(0, 1),
    "ConvInteger": convolution(0, 1, INT32),
    "QLinearConv": convolution(0, 3),
    "ConvTranspose": transposed,
    "MaxPool": pool,
    "AveragePool": pool,
    "LpPool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "GlobalLpPool": global_pool,
    "MaxUnpool": unpool,
    "MaxRoiPool": regions,
    "RoiAlign": regions,
    "Col2Im": columns_to_image,
    "GridSample": grid_sample,
    "AffineGrid": affine_grid,
}
