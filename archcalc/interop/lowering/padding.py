"""Lower padding, rolling, and the merging of neighbors into channels."""

from __future__ import annotations

from archcalc.arithmetic import Margin
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Layout
from archcalc.interop.lowering.joining import with_axis
from archcalc.interop.lowering.laying import sizes
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.moves import cut
from archcalc.interop.trace import Operation


def pad(low: LoweringState, op: Operation) -> None:
    """Pad some axes; torch gives the sizes of the last axis first."""
    layout, given = low.layout(op.inputs[0]), op.attributes
    rank = len(layout.file)
    pads = given.get("pad", given.get("padding", ()))
    mode, flag = str(given.get("function", "")) + str(given.get("mode", "")), {}
    if any(word in mode for word in ("reflect", "replicat", "edge")):
        flag = {"reflect" if "reflect" in mode else "edge": True}
    elif any(word in mode for word in ("circular", "wrap", "symmetric")) or given.get("value") not in (
        None,
        0,
        0.0,
        False,
    ):
        raise LoweringError("it pads with values other than zero")
    if not pads or len(pads) % 2 or any(type(n) is not int for n in pads):
        raise LoweringError("its padding sizes are not known")
    amounts = {rank - 1 - i: (pads[2 * i], pads[2 * i + 1]) for i in range(len(pads) // 2)}
    for dim, (before, after) in amounts.items():
        if before or after:
            layout = padded(low, layout, dim, before, after, flag)
    low.set(op.outputs[0], layout)


def padded(
    low: LoweringState, layout: Layout, dim: int, before: int, after: int, flag: dict[str, bool]
) -> Layout:
    layout = low.atoms.resolved(layout)
    axis = layout.file[dim]
    if before < 0 or after < 0:
        left = low.atoms.size(axis) + min(before, 0) + min(after, 0)
        layout, axis = cut(low, layout, axis, max(-before, 0), left)
        layout = layout._replace(file=tuple(axis if i == dim else a for i, a in enumerate(layout.file)))
        before, after = max(before, 0), max(after, 0)
    own, at = with_axis(layout, axis)
    made = low.atoms.new(low.atoms.size(axis) + before + after)
    if at == len(own) - 1 and own[at:] and not before and not flag:
        x = low.spread(layout, own)
        node = low.add("padchannels", [x.node], channels=low.atoms.size(made))
    else:
        if at == len(own) - 1:
            own, at = (axis, *(a for a in own[:-1] if a)), 0
            own = own if len(own) > 1 else (*own, ())
        x = low.spread(layout, own)
        sides = [Margin(0, 0)] * (len(own) - 1)
        sides[at] = Margin(before, after)
        node = low.add("pad", [x.node], size=tuple(sides), **flag)
    file = tuple(made if i == dim else a for i, a in enumerate(x.file))
    return Layout(node, file, tuple(made if i == at else a for i, a in enumerate(own)))


def todepth(low: LoweringState, op: Operation) -> None:
    """Merge 2×2 neighbors into channels; the attribute `dims` are the axes of height and width."""
    layout = low.layout(op.inputs[0])
    down, across = op.attributes["dims"]
    x = low.spread(layout, (layout.file[down], layout.file[across], layout.file[-1]))
    node = low.add("todepth", [x.node], factor=2)
    own = tuple(low.atoms.new(int(size)) for size in low.nodes[node].shape)
    made = {down: own[0], across: own[1], len(layout.file) - 1: own[2]}
    file = tuple(made.get(at, axis) for at, axis in enumerate(x.file))
    low.set(op.outputs[0], Layout(node, file, own))


def roll(low: LoweringState, op: Operation) -> None:
    """Roll axes: both axes of a map at once if they move by the same shift."""
    layout, given = low.layout(op.inputs[0]), op.attributes
    shifts, dims = sizes(given.get("shifts", ()), 1), sizes(given.get("dims", ()), 1)
    if len(shifts) != len(dims):
        raise LoweringError("it rolls the flattened tensor")
    axes = [low.atoms.leaves(layout.file[dim % len(layout.file)]) for dim in dims]
    if set(shifts) == {low.rolled.get(layout.node)} and layout.own[:-1] == tuple(axes):
        del low.rolled[layout.node]
        low.set(op.outputs[0], layout)
        return
    if len(set(shifts)) == 1 and len(axes) == 2 and layout.own[:-1] == tuple(axes):
        node = low.add("roll", [layout.node], shift=shifts[0])
        low.set(op.outputs[0], layout._replace(node=node))
        return
    for axis, shift in zip(axes, shifts, strict=True):
        own, at = with_axis(layout, axis)
        layout = low.spread(layout, own)
        shape = low.nodes[layout.node].shape
        name = (*shape.axes, "channels")[at]
        layout = layout._replace(node=low.add("roll", [layout.node], shift=shift, axis=name))
    low.set(op.outputs[0], layout)
