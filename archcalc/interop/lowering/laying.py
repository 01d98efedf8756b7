"""How layers want tensors laid, and weights: sizes along axes, positions and channels, orders."""

from __future__ import annotations

from typing import Any

from archcalc.arithmetic import Margin
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Lie
from archcalc.interop.lowering.model import Unlowered
from archcalc.interop.trace import Operation

Weighing = tuple[str, str, tuple[int, ...], tuple[int, ...]]  # name, tensor, split, order


def sizes(value: Any, axes: int) -> tuple[int, ...]:
    """One size an axis, of one size or several."""
    found = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return found * axes if len(found) == 1 else found


def margins(op: Operation, kernel: tuple[int, ...]) -> tuple[Margin, ...]:
    """Padding on both sides of each axis: one number, one an axis, all before and behind, or a word."""
    given, axes = op.attributes.get("padding", 0), len(kernel)
    if given in ("valid", "same"):
        return (Margin(0, 0),) * axes
    if given == "same_lower":
        raise Unlowered("its odd row of padding lies before the others")
    pads = sizes(given, axes)
    behind = pads[axes:] if len(pads) == 2 * axes else pads
    return tuple(Margin(a, b) for a, b in zip(pads[:axes], behind, strict=True))


def vector(low: LoweringState, name: str, tensor: str | None, file: Axis, own: Axis) -> list[Weighing]:
    """A number a channel, whose channels the file has in another order perhaps."""
    if tensor is None:
        return []
    split, order = reordered(low, file, own)
    return [(name, tensor, split, order)]


def reordered(low: LoweringState, file: Axis, own: Axis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The file's order of channels as a shape, and where the axes of that stand in the node's order."""
    file, own = low.atoms.leaves(file), low.atoms.leaves(own)
    if file == own:
        return (low.atoms.size(file),), (0,)
    return tuple(low.atoms.size((a,)) for a in file), tuple(file.index(a) for a in own)


def map_of(low: LoweringState, lie: Lie, axes: int) -> tuple[Lie, Axis]:
    """The tensor as positions of the last `axes` axes of the file, and channels before them."""
    images = tuple(atom for axis in lie.file[: -axes - 1] for atom in axis)
    positions = lie.file[-axes:]
    if images and axes == 3:
        raise Unlowered("images lie in front of its three axes")
    own = (*([images] if images else []), *positions, lie.file[-axes - 1])
    return low.spread(lie, own), images


def mapped(
    low: LoweringState, op: Operation, node: int, images: Axis, channels: Axis | None = None
) -> None:
    """Say that the node's axes are the file's, channels second."""
    shape = low.shape(op.outputs[0])
    axes = low.nodes[node].shape.rank - bool(images)
    made = low.atoms.new(shape[-axes - 1]) if channels is None else channels
    positions = tuple(low.atoms.new(size) for size in shape[-axes:])
    front = ((),) * (len(shape) - axes - 1) if not images else _images(low, op, axes)
    own = (*([images] if images else []), *positions, made)
    low.set(op.outputs[0], Lie(node, (*front, made, *positions), own))


def _images(low: LoweringState, op: Operation, axes: int) -> tuple[Axis, ...]:
    return low.lie(op.inputs[0]).file[: -axes - 1]


def along(images: Axis, values: tuple[Any, ...], neutral: Any) -> tuple[Any, ...]:
    """Values an axis, with one more for images side by side."""
    return ((neutral,) if images else ()) + values
