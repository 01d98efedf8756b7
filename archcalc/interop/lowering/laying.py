"""Bring tensors, weights and sizes into the layout that archcalc's layers need."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import Margin
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.trace import Operation

Weighing = tuple[str, str, tuple[int, ...], tuple[int, ...]]  # name, tensor, split, order


def sizes(value: Any, axes: int) -> tuple[int, ...]:
    """Return one size per axis, from a single size or a sequence of sizes."""
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return found * axes if len(found) == 1 else found


def margins(op: Operation, kernel: tuple[int, ...]) -> tuple[Margin, ...]:
    """Return the padding before and after each axis.

    The file gives one number, one per axis, all those before and then all those after, or a word.

    Raises:
        LoweringError: the padding is 'same_lower'.
    """
    given, axes = op.attributes.get("padding", 0), len(kernel)
    if given in ("valid", "same"):
        return (Margin(0, 0),) * axes
    if given == "same_lower":
        raise LoweringError("it puts the odd row of padding first")
    pads = sizes(given, axes)
    behind = pads[axes:] if len(pads) == 2 * axes else pads
    return tuple(Margin(a, b) for a, b in zip(pads[:axes], behind, strict=True))


def vector(low: LoweringState, name: str, tensor: str | None, file: Axis, own: Axis) -> list[Weighing]:
    """Return the weight that holds one number per channel, in the node's order of channels."""
    if tensor is None:
        return []
    split, order = reordered(low, file, own)
    return [(name, tensor, split, order)]


def reordered(low: LoweringState, file: Axis, own: Axis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the (split, order) that bring channels from the file's order into the node's order."""
    file, own = low.atoms.leaves(file), low.atoms.leaves(own)
    if file == own:
        return (low.atoms.size(file),), (0,)
    return tuple(low.atoms.size((a,)) for a in file), tuple(file.index(a) for a in own)


def map_of(low: LoweringState, layout: Layout, axes: int) -> tuple[Layout, Axis]:
    """Return the tensor as a map, and the axis of its images.

    The last `axes` axes of the file are the positions, and the axis before them the channels.
    """
    images = tuple(atom for axis in layout.file[: -axes - 1] for atom in axis)
    positions = layout.file[-axes:]
    if images and axes == 3:
        raise LoweringError("it has several images and three spatial axes")
    own = (*([images] if images else []), *positions, layout.file[-axes - 1])
    return low.spread(layout, own), images


def mapped(
    low: LoweringState, op: Operation, node: int, images: Axis, channels: Axis | None = None
) -> None:
    """Record the output's layout: the file has its channels second, the node has them last."""
    shape = low.shape(op.outputs[0])
    axes = low.nodes[node].shape.rank - bool(images)
    made = low.atoms.new(shape[-axes - 1]) if channels is None else channels
    positions = tuple(low.atoms.new(size) for size in shape[-axes:])
    front = ((),) * (len(shape) - axes - 1) if not images else _images(low, op, axes)
    own = (*([images] if images else []), *positions, made)
    low.set(op.outputs[0], Layout(node, (*front, made, *positions), own))


def _images(low: LoweringState, op: Operation, axes: int) -> tuple[Axis, ...]:
    return low.layout(op.inputs[0]).file[: -axes - 1]


def along(images: Axis, values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
    """Return the values per axis, with a neutral one in front if there are several images."""
    return ((neutral,) if images else ()) + values
