"""Lower padding, rolling, and the merging of neighbors into channels."""

from __future__ import annotations

from archcalc.arithmetic import Margin
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Lie
from archcalc.interop.lowering.joining import with_axis
from archcalc.interop.lowering.laying import sizes
from archcalc.interop.lowering.model import Unlowered
from archcalc.interop.lowering.moves import cut
from archcalc.interop.trace import Operation


def pad(low: LoweringState, op: Operation) -> None:
    """Pad some axes; torch gives the sizes of the last axis first."""
    lie, given = low.lie(op.inputs[0]), op.attributes
    rank = len(lie.file)
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
        raise Unlowered("it pads with values other than zero")
    if not pads or len(pads) % 2 or any(type(n) is not int for n in pads):
        raise Unlowered("its padding sizes are not known")
    amounts = {rank - 1 - i: (pads[2 * i], pads[2 * i + 1]) for i in range(len(pads) // 2)}
    for dim, (before, after) in amounts.items():
        if before or after:
            lie = padded(low, lie, dim, before, after, flag)
    low.set(op.outputs[0], lie)


def padded(
    low: LoweringState, lie: Lie, dim: int, before: int, after: int, flag: dict[str, bool]
) -> Lie:
    lie = low.atoms.resolved(lie)
    axis = lie.file[dim]
    if before < 0 or after < 0:
        left = low.atoms.size(axis) + min(before, 0) + min(after, 0)
        lie, axis = cut(low, lie, axis, max(-before, 0), left)
        lie = lie._replace(file=tuple(axis if i == dim else a for i, a in enumerate(lie.file)))
        before, after = max(before, 0), max(after, 0)
    own, at = with_axis(lie, axis)
    made = low.atoms.new(low.atoms.size(axis) + before + after)
    if at == len(own) - 1 and own[at:] and not before and not flag:
        x = low.spread(lie, own)
        node = low.add("padchannels", [x.node], channels=low.atoms.size(made))
    else:
        if at == len(own) - 1:
            own, at = (axis, *(a for a in own[:-1] if a)), 0
            own = own if len(own) > 1 else (*own, ())
        x = low.spread(lie, own)
        sides = [Margin(0, 0)] * (len(own) - 1)
        sides[at] = Margin(before, after)
        node = low.add("pad", [x.node], size=tuple(sides), **flag)
    file = tuple(made if i == dim else a for i, a in enumerate(x.file))
    return Lie(node, file, tuple(made if i == at else a for i, a in enumerate(own)))


def todepth(low: LoweringState, op: Operation) -> None:
    """Merge 2×2 neighbors into channels; the attribute `dims` are the axes of height and width."""
    lie = low.lie(op.inputs[0])
    down, across = op.attributes["dims"]
    x = low.spread(lie, (lie.file[down], lie.file[across], lie.file[-1]))
    node = low.add("todepth", [x.node], factor=2)
    own = tuple(low.atoms.new(int(size)) for size in low.nodes[node].shape)
    made = {down: own[0], across: own[1], len(lie.file) - 1: own[2]}
    file = tuple(made.get(at, axis) for at, axis in enumerate(x.file))
    low.set(op.outputs[0], Lie(node, file, own))


def roll(low: LoweringState, op: Operation) -> None:
    """Roll axes: both axes of a map at once if they move by the same shift."""
    lie, given = low.lie(op.inputs[0]), op.attributes
    shifts, dims = sizes(given.get("shifts", ()), 1), sizes(given.get("dims", ()), 1)
    if len(shifts) != len(dims):
        raise Unlowered("it rolls the flattened tensor")
    axes = [low.atoms.leaves(lie.file[dim % len(lie.file)]) for dim in dims]
    if set(shifts) == {low.rolled.get(lie.node)} and lie.own[:-1] == tuple(axes):
        del low.rolled[lie.node]
        low.set(op.outputs[0], lie)
        return
    if len(set(shifts)) == 1 and len(axes) == 2 and lie.own[:-1] == tuple(axes):
        node = low.add("roll", [lie.node], shift=shifts[0])
        low.set(op.outputs[0], lie._replace(node=node))
        return
    for axis, shift in zip(axes, shifts, strict=True):
        own, at = with_axis(lie, axis)
        lie = low.spread(lie, own)
        shape = low.nodes[lie.node].shape
        name = (*shape.axes, "channels")[at]
        lie = lie._replace(node=low.add("roll", [lie.node], shift=shift, axis=name))
    low.set(op.outputs[0], lie)
