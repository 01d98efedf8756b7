"""Lower pools, resampling, shuffles and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.arithmetic import Margin
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.laying import along, map_of, mapped, margins, sizes
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.trace import Operation


def pool(low: LoweringState, op: Operation) -> None:
    given = op.attributes
    output = low.shape(op.outputs[0])
    axes = _axes(op, low)
    kernel = sizes(given.get("kernel_size", 1), axes)
    stride = sizes(given.get("stride") or kernel, axes)
    if given.get("divisor_override") is not None:
        raise LoweringError("its divisor is not the number of values in a window")
    x, images = map_of(low, low.layout(op.inputs[0]), axes)
    pads = margins(op, kernel)
    arguments: dict[str, Any] = {
        "window": along(images, kernel, 1),
        "s": along(images, stride, 1),
        "p": along(images, pads, Margin(0, 0)),
        "same": given.get("padding") == "same",
        "ceil": bool(given.get("ceil_mode", False)),
    }
    if op.word == "max_pool":
        arguments["d"] = along(images, sizes(given.get("dilation", 1), axes), 1)
    elif op.word == "avg_pool" and any(map(any, pads)) and given.get("count_include_pad") is False:
        arguments["nozeros"] = True
    word = "maxpool" if op.word == "max_pool" else "avgpool"
    node = low.add(word, [x.node], **arguments)
    if prod(output) != low.nodes[node].shape.values:
        raise LoweringError("its output size contradicts its attributes")
    mapped(low, op, node, images, x.own[-1])


def _axes(op: Operation, low: LoweringState) -> int:
    kernel = op.attributes.get("kernel_size", 1)
    rank = len(low.shape(op.inputs[0]))
    if isinstance(kernel, (tuple, list)) and len(kernel) > 1:
        return len(kernel)
    function = str(op.attributes.get("function", ""))
    return next((n for n in (1, 2, 3) if f"{n}d" in function), max(rank - 2, 1))


def adaptive_pool(low: LoweringState, op: Operation) -> None:
    function = str(op.attributes.get("function", ""))
    shape = low.shape(op.inputs[0])
    axes = next((n for n in (1, 2, 3) if f"{n}d" in function), max(len(shape) - 2, 1))
    x, images = map_of(low, low.layout(op.inputs[0]), axes)
    size, own = low.shape(op.outputs[0])[-axes:], x.own
    largest = op.word == "adaptive_max_pool"
    if prod(size) == 1 and not largest and not images:
        node = low.add("gap", [x.node])
        file = (*x.file[:-axes], *((),) * axes)
        low.set(op.outputs[0], Layout(node, file, ((), (), own[-1])))
        return
    if prod(size) == 1 and not images:
        node = low.add("max", [x.node], axis="positions")
    else:
        whole = (*([low.atoms.size(images)] if images else []), *size)
        node = low.add("adaptivepool", [x.node], size=whole, max=largest)
    mapped(low, op, node, images, own[-1])


def resample(low: LoweringState, op: Operation) -> None:
    """Lower a resampling by a whole factor or to a size."""
    shape, output = low.shape(op.inputs[0]), low.shape(op.outputs[0])
    axes = len(shape) - 2
    x, images = map_of(low, low.layout(op.inputs[0]), axes)
    given: dict[str, Any] = {}
    _require_torchs(op)
    if op.word != "upsample_nearest":
        given["bilinear" if op.word == "upsample_linear" else "bicubic"] = True
        given["corners"] = bool(op.attributes.get("align_corners", False))
    pairs = list(zip(shape[-axes:], output[-axes:], strict=True))
    _require_exact(op, pairs, axes)
    whole = all(m % n == 0 for n, m in pairs)
    if "exact" in str(op.attributes.get("function", "")) and not whole:
        raise LoweringError("it takes the nearest neighbors of the centers of pixels")
    if whole:
        factor = along(images, tuple(m // n for n, m in pairs), 1)
        node = low.add("upsample", [x.node], factor=factor, **given)
    else:
        size = along(images, output[-axes:], low.atoms.size(images))
        node = low.add("resize", [x.node], size=size, **given)
    mapped(low, op, node, images, x.own[-1])


def _require_exact(op: Operation, pairs: Sequence[tuple[int, int]], axes: int) -> None:
    """Refuse a scale factor that is not the ratio of the sizes: torch would sample other positions."""
    given = op.attributes.get("scale_factors")  # of the last axes, or of all
    if not given or op.attributes.get("align_corners"):
        return
    scales = sizes(given, axes)[-axes:]
    if any(abs(n * scale - m) > 1e-4 for (n, m), scale in zip(pairs, scales, strict=True)):
        raise LoweringError("its scale factors do not match its sizes")


def _require_torchs(op: Operation) -> None:
    """Refuse the ways of resampling that ONNX has and torch has not."""
    given = op.attributes
    if "_aa" in str(given.get("function", "")):
        raise LoweringError("it antialiases")
    where = given.get("where", "half_pixel")
    if op.word == "upsample_nearest":
        plain = "where" not in given or (where == "asymmetric" and given["nearest"] == "floor")
        whole = where in ("half_pixel", "asymmetric", "pytorch_half_pixel")
        shape_free = plain or (whole and given.get("nearest") in ("round_prefer_floor", "floor"))
        if not shape_free:
            raise LoweringError("its nearest neighbors are not those of torch")
    elif where not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise LoweringError(f"its sampling coordinates are not those of torch: {where}")
    if given.get("cubic", -0.75) != -0.75:
        raise LoweringError("its cubic coefficient is not that of torch")


def pixel_shuffle(low: LoweringState, op: Operation) -> None:
    shape, output = low.shape(op.inputs[0]), low.shape(op.outputs[0])
    x, images = map_of(low, low.layout(op.inputs[0]), 2)
    if images or op.attributes.get("mode", "CRD") != "CRD":
        raise LoweringError("its channels are not in the order of torch")
    up = op.word == "pixel_shuffle"
    a, b = (output, shape) if up else (shape, output)
    factor = (a[-2] // b[-2], a[-1] // b[-1])
    x = low.spread(x, (*x.own[:-1], x.file[-3]))
    node = low.add("pixelshuffle" if up else "pixelunshuffle", [x.node], factor=factor)
    mapped(low, op, node, images)


def channel_shuffle(low: LoweringState, op: Operation) -> None:
    x, images = map_of(low, low.layout(op.inputs[0]), 2)
    node = low.add("shuffle", [x.node], groups=int(op.attributes["groups"]))
    mapped(low, op, node, images)


def reduce(low: LoweringState, op: Operation) -> None:
    """Lower a mean, sum or maximum along some axes of the file."""
    layout = low.layout(op.inputs[0])
    rank = len(layout.file)
    dims = op.attributes.get("dim")
    listed = tuple(range(rank)) if dims in (None, ()) else sizes(dims, 1)
    gone = sorted({dim % rank for dim in listed})
    atoms = {atom for dim in gone for atom in layout.file[dim]}
    word = {"mean": "mean", "sum": "sum", "amax": "max"}[op.word]
    x = layout
    while atoms:
        x, taken = _one_reduction(low, word, x, atoms)
        atoms -= taken
    keep = len(low.shape(op.outputs[0])) == rank
    left = [() if at in gone else axis for at, axis in enumerate(layout.file)]
    file = tuple(axis for at, axis in enumerate(left) if keep or at not in gone)
    low.set(op.outputs[0], Layout(x.node, file, x.own))


def _one_reduction(
    low: LoweringState, word: str, layout: Layout, atoms: set[int]
) -> tuple[Layout, set[int]]:
    """Reduce all positions at once if possible, else one axis; return also the reduced atoms."""
    own = layout.own
    positions = {atom for axis in own[:-1] for atom in axis}
    if positions and positions <= atoms:
        node = low.add("gap", [layout.node]) if word == "mean" and len(own) == 3 else -1
        if node < 0:
            node = low.add(word, [layout.node], axis="positions")
        return Layout(node, layout.file, (*((),) * (len(own) - 1), own[-1])), positions
    for at, axis in enumerate(own):
        if axis and set(axis) <= atoms:
            return _along(low, word, layout, at), set(axis)
    inside = tuple(atom for axis in own for atom in axis if atom in atoms)
    moved = low.gather(layout, inside)
    return _along(low, word, moved, len(moved.own) - 1), set(inside)


def _along(low: LoweringState, word: str, layout: Layout, at: int) -> Layout:
    shape = low.nodes[layout.node].shape
    node = low.add(word, [layout.node], axis=(*shape.axes, "channels")[at])
    own: list[Axis] = list(layout.own)
    own[at] = ()
    return Layout(node, layout.file, tuple(own))
