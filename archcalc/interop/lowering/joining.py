"""Lower concatenations and stacks."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.stored import standing, tokens
from archcalc.interop.lowering.values import matched
from archcalc.interop.trace import Operation


def cat(low: LoweringState, op: Operation) -> None:
    shape = low.shape(op.outputs[0])
    dim = int(op.attributes.get("dim") or 0) % len(shape)
    if not tokens(low, op, dim):
        joined(low, op, [standing(low, name) for name in op.inputs], dim)


def stack(low: LoweringState, op: Operation) -> None:
    rank = len(low.shape(op.outputs[0]))
    dim = int(op.attributes.get("dim") or 0) % rank
    layouts = [standing(low, name) for name in op.inputs]
    joined(low, op, [x._replace(file=(*x.file[:dim], (), *x.file[dim:])) for x in layouts], dim)


def joined(low: LoweringState, op: Operation, layouts: Sequence[Layout], dim: int) -> None:
    """Concatenate tensors along the axis `dim` of the file."""
    shapes = [low.atoms.shape(layout.file) for layout in layouts]
    kept = [i for i, shape in enumerate(shapes) if 0 not in shape]
    layouts = [layouts[i] for i in kept]
    main = next((layout for layout in layouts if layout.file[dim]), None)
    others = [axis for at, axis in enumerate(layouts[0].file) if at != dim]
    for _ in range(2):  # the last tensors may split atoms that the first ones also have
        rest = [matched(low, others, [a for at, a in enumerate(x.file) if at != dim]) for x in layouts]
    main = low.atoms.resolved(layouts[0] if main is None else main)
    own, at = with_axis(main, low.atoms.leaves(main.file[dim]))
    first = rest[layouts.index(next(x for x in layouts if x.node == main.node))]
    back = {b: a for a, b in first.items()}
    own = tuple(() if i == at else tuple(back[a] for a in axis) for i, axis in enumerate(own))
    nodes = []
    for layout, pairs in zip(layouts, rest, strict=True):
        layout = low.atoms.resolved(layout)
        target = [tuple(pairs[a] for a in axis) for axis in own]
        target[at] = low.atoms.leaves(layout.file[dim])
        nodes.append(low.spread(layout, target).node)
    shape = low.nodes[nodes[0]].shape
    axis = (*shape.axes, "channels")[at]
    node = nodes[0] if len(nodes) == 1 else low.add("concat", nodes, axis=axis)
    made = low.atoms.new(low.shape(op.outputs[0])[dim])
    axes = [*map(low.atoms.leaves, others)]
    axes.insert(dim, made)
    own = tuple(made if i == at else axis for i, axis in enumerate(own))
    low.set(op.outputs[0], Layout(node, tuple(axes), own))


def with_axis(main: Layout, wanted: Axis) -> tuple[tuple[Axis, ...], int]:
    """Return axes for the node, one of which is `wanted`, and the index of that one."""
    if wanted in main.own and wanted:
        return main.own, main.own.index(wanted)
    rest = [tuple(a for a in axis if a not in wanted) for axis in main.own]
    if wanted:
        kept = [axis for axis in rest if axis] or [(), ()]
        while len(kept) > 3:
            kept[:2] = [kept[0] + kept[1]]
        return (*kept, wanted), len(kept)
    kept = [axis for axis in rest[:-1] if axis]
    while len(kept) > 2:
        kept[:2] = [kept[0] + kept[1]]
    return ((), *kept, rest[-1]), 0
