"""Lower unfold: copy overlapping windows of an axis along a new axis."""

from __future__ import annotations

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.joining import joined
from archcalc.interop.lowering.laying import sizes
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.moves import cut, strided
from archcalc.interop.lowering.padding import padded
from archcalc.interop.trace import Operation

_MOST_PIECES = 64


def unfold(low: LoweringState, op: Operation) -> None:
    """Unfold one axis, with a window's positions last; or a map, with them after its channels."""
    given, layout = op.attributes, low.layout(op.inputs[0])
    if given.get("kernel_size") is not None:
        _of_maps(low, op, layout)
        return
    dim = int(given["dimension"]) % len(layout.file)
    layout = _windows(low, op, layout, dim, (int(given["size"]), int(given["step"]), 1))
    file = (*layout.file[: dim + 1], *layout.file[dim + 2 :], layout.file[dim + 1])
    low.set(op.outputs[0], layout._replace(file=file))


def _of_maps(low: LoweringState, op: Operation, layout: Layout) -> None:
    words = ("kernel_size", "stride", "dilation", "padding")
    kernel, stride, dilation, pads = (sizes(op.attributes[word], 2) for word in words)
    rank = len(layout.file)
    for at in (0, 1):
        if pads[at]:
            layout = padded(low, layout, rank - 2 + at, pads[at], pads[at], {})
    for at in (1, 0):  # the last axis first, so that the other keeps its index
        layout = _windows(low, op, layout, rank - 2 + at, (kernel[at], stride[at], dilation[at]))
    *front, channels, rows, down, columns, across = layout.file
    file = (*front, channels + down + across, rows + columns)
    low.set(op.outputs[0], layout._replace(file=file))


def _windows(
    low: LoweringState, op: Operation, layout: Layout, dim: int, window: tuple[int, int, int]
) -> Layout:
    """Split an axis into windows × positions in a window; `window` is (size, step, dilation).

    Raises:
        LoweringError: this takes more than 64 pieces.
    """
    size, step, dilation = window
    layout = low.atoms.resolved(layout)
    axis = layout.file[dim]
    extent = low.atoms.size(axis)
    count = (extent - dilation * (size - 1) - 1) // step + 1
    before, after = layout.file[:dim], layout.file[dim + 1 :]
    if dilation == 1 and size == step and extent == count * size:
        parts = low.atoms.viewed((axis,), (count, size))
        if parts is not None:
            return low.atoms.resolved(layout._replace(file=(*before, *parts, *after)))
    whole = dilation == 1 and count < size  # a piece is one window, else one position of all windows
    if min(count, size) > _MOST_PIECES:
        raise LoweringError(f"its windows are {min(count, size)} pieces: there may be {_MOST_PIECES}")
    pieces: list[Layout] = []
    for n in range(count if whole else size):
        start, many, every = (n * step, size, 1) if whole else (n * dilation, count, step)
        piece, made = _taken(low, low.atoms.resolved(layout), dim, (start, many, every))
        parts = ((), made) if whole else (made, ())
        pieces.append(piece._replace(file=(*piece.file[:dim], *parts, *piece.file[dim + 1 :])))
    shape = (*low.atoms.shape(before), count, size, *low.atoms.shape(after))
    name = low.temporary(shape)
    joined(low, op._replace(outputs=(name,)), pieces, dim if whole else dim + 1)
    return low.layout(name)


def _taken(
    low: LoweringState, layout: Layout, dim: int, places: tuple[int, int, int]
) -> tuple[Layout, Axis]:
    """Take positions along an axis; `places` is (first, number, distance)."""
    start, many, every = places
    layout, axis = cut(low, layout, layout.file[dim], start, (many - 1) * every + 1)
    if every == 1 or many == 1:
        return layout, axis
    layout = low.atoms.resolved(layout)
    return strided(low, layout, axis, 0, every, many)
