"""Lower moves: views, permutations, expansions, slices and selections."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.trace import Operation


def same(low: LoweringState, op: Operation) -> None:
    """Give the input's values another name."""
    low.set(op.outputs[0], low.layout(op.inputs[0]))


def view(low: LoweringState, op: Operation) -> None:
    """Split and merge the file's axes; if the atoms do not fit, lay the values out as in the file."""
    layout, shape = low.atoms.fused(low.layout(op.inputs[0])), low.shape(op.outputs[0])
    axes = low.atoms.viewed(layout.file, shape)
    if axes is None:
        flat = tuple(atom for axis in layout.file for atom in axis)
        layout = low.spread(layout, ((), (), flat))
        axes = tuple(low.atoms.new(size) for size in shape)
        own = _at_most_four(axes)
        node = low.add("reshape", [layout.node], shape=low.atoms.shape(own))
        own = own if len(own) > 1 else ((), (), *own)
        low.set(op.outputs[0], Layout(node, axes, own))
        return
    low.set(op.outputs[0], low.atoms.resolved(layout._replace(file=axes)))


def _at_most_four(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    kept = [axis for axis in axes if axis]
    while len(kept) > 4:
        kept[:2] = [kept[0] + kept[1]]
    return tuple(kept)


def permute(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    dims = op.attributes["dims"]
    low.set(op.outputs[0], layout._replace(file=tuple(layout.file[dim] for dim in dims)))


def expand(low: LoweringState, op: Operation) -> None:
    """Repeat the values along axes of size 1."""
    low.set(op.outputs[0], _expanded(low, low.layout(op.inputs[0]), low.shape(op.outputs[0])))


def repeat(low: LoweringState, op: Operation) -> None:
    """Repeat a tensor along some axes: the whole axis several times, or each position."""
    layout, shape = low.layout(op.inputs[0]), low.shape(op.outputs[0])
    each = op.word == "repeat_interleave"
    if len(op.inputs) > 1 and any(op.inputs[1:]):
        raise LoweringError("its numbers of repeats are a tensor")
    if each and len(shape) != len(layout.file):
        raise LoweringError("it repeats the values of the flattened tensor")
    file = ((),) * (len(shape) - len(layout.file)) + layout.file
    before = low.atoms.shape(file)
    wider = [(m // n, n) if not each else (n, m // n) for n, m in zip(before, shape, strict=True)]
    parted = tuple(part for axis in file for part in (((), axis) if not each else (axis, ())))
    layout = _expanded(low, layout._replace(file=parted), tuple(n for pair in wider for n in pair))
    axes = tuple(layout.file[at] + layout.file[at + 1] for at in range(0, len(layout.file), 2))
    low.set(op.outputs[0], layout._replace(file=axes))


def _expanded(low: LoweringState, layout: Layout, shape: Sequence[int]) -> Layout:
    file = ((),) * (len(shape) - len(layout.file)) + layout.file
    more = [at for at, (axis, size) in enumerate(zip(file, shape, strict=True)) if size > 1 and not axis]
    if not more:
        return layout._replace(file=file)
    axes = list(file)
    for at in more:
        axes[at] = low.atoms.new(shape[at])
    fresh = tuple(atom for at in more for atom in axes[at])
    positions = tuple(axis for axis in layout.own[:-1] if axis)
    if len(positions) > 2:
        positions = ((*positions[0], *positions[1]), *positions[2:])
    x = low.spread(layout, ((), *positions, layout.own[-1]))
    factor = (low.atoms.size(fresh), *(1,) * len(positions))
    node = low.add("upsample", [x.node], factor=factor)
    return Layout(node, tuple(axes), (fresh, *positions, layout.own[-1]))


def cut(low: LoweringState, layout: Layout, axis: Axis, start: int, size: int) -> tuple[Layout, Axis]:
    """Take `size` positions along an axis of the file, from `start`; return also the new axis."""
    whole = low.atoms.leaves(axis)
    if size == low.atoms.size(whole):
        return layout, whole
    made = low.atoms.new(size)
    at = next((i for i, own in enumerate(layout.own) if own[: len(whole)] == whole), -1)
    inner = low.atoms.size(layout.own[at][len(whole) :]) if at >= 0 else 1
    if at < 0:
        layout = low.gather(layout, whole, exact=True)
        at, inner = len(layout.own) - 1, 1
    shape = low.nodes[layout.node].shape
    name = (*shape.axes, "channels")[at]
    if size == 1 and shape.rank == 1 and at == 0 and inner == 1:
        node = low.add("token", [layout.node], index=start)
        return Layout(node, layout.file, ((), (), layout.own[-1])), made
    given = {"size": size * inner, "from": start * inner, "axis": name}
    node = low.add("slice", [layout.node], **given)
    own = list(layout.own)
    own[at] = (*made, *own[at][len(whole) :])
    return Layout(node, layout.file, tuple(own)), made


def slice_(low: LoweringState, op: Operation) -> None:
    layout = low.atoms.fused(low.layout(op.inputs[0]))
    for dim, start, step in _ranges(low, op):
        size = low.shape(op.outputs[0])[dim]
        axis = low.atoms.leaves(layout.file[dim])
        if step == 1:
            layout, made = cut(low, layout, axis, start, size)
        else:
            layout, made = _every(low, layout, axis, start, step, size)
        layout = low.atoms.resolved(layout)
        layout = layout._replace(file=tuple(made if i == dim else a for i, a in enumerate(layout.file)))
    low.set(op.outputs[0], layout)


def _ranges(low: LoweringState, op: Operation) -> list[tuple[int, int, int]]:
    attributes = op.attributes
    shape = low.shape(op.inputs[0])
    if "ranges" in attributes:
        return [(int(d), int(a), int(s)) for d, a, s in attributes["ranges"]]
    dim = int(attributes.get("dim", 0)) % len(shape)
    start = int(attributes.get("start") or 0)
    start = max(0, start + shape[dim]) if start < 0 else min(start, shape[dim])
    step = attributes.get("step")
    return [(dim, start, 1 if step is None else int(step))]


def _every(
    low: LoweringState, layout: Layout, axis: Axis, start: int, step: int, size: int
) -> tuple[Layout, Axis]:
    """Take every `step`-th position along an axis, by splitting the axis where the step divides it."""
    whole = low.atoms.size(axis)
    if step < 1:
        raise LoweringError("it slices with a negative step")
    if whole % step or start >= step or size != whole // step:
        return strided(low, layout, axis, start, step, size)
    found = low.atoms.viewed((axis,), (whole // step, step))
    if found is None:
        raise LoweringError("it slices an axis that was merged from others, with a step")
    layout, _ = cut(low, low.atoms.resolved(layout), found[1], start, 1)
    return layout, found[0]


def strided(
    low: LoweringState, layout: Layout, axis: Axis, start: int, step: int, size: int
) -> tuple[Layout, Axis]:
    """Take every `step`-th position along an axis, by a max pool with windows of one value."""
    layout, axis = cut(low, layout, axis, start, low.atoms.size(axis) - start)
    layout = low.atoms.resolved(layout)
    rest = tuple(a for own in layout.own[:-1] for a in own if a not in axis)
    channels = tuple(a for a in layout.own[-1] if a not in axis)
    own = (axis, *([rest] if rest else []), channels)
    x = low.spread(layout, own)
    strides = (step, *(1,) * (len(own) - 2))
    node = low.add("maxpool", [x.node], window=1, s=strides)
    made = low.atoms.new(size)
    return Layout(node, x.file, (made, *own[1:])), made


def select(low: LoweringState, op: Operation) -> None:
    """Select one position along an axis, and remove the axis."""
    layout, given = low.layout(op.inputs[0]), op.attributes
    index = given.get("index")
    if not isinstance(index, int):
        raise LoweringError("its index is not known")
    dim = int(given.get("dim", 0)) % len(layout.file)
    _selected(low, op.outputs[0], layout, dim, index % low.shape(op.inputs[0])[dim])


def _selected(low: LoweringState, name: str, layout: Layout, dim: int, index: int) -> None:
    layout, _ = cut(low, layout, layout.file[dim], index, 1)
    file = tuple(axis for at, axis in enumerate(layout.file) if at != dim)
    low.set(name, layout._replace(file=file))


def gather(low: LoweringState, op: Operation) -> None:
    """Take consecutive positions along an axis; several axes of indices split it."""
    places, shape = op.attributes.get("places"), low.shape(op.inputs[0])
    dim = int(op.attributes.get("dim", 0)) % len(shape)
    if places is None:
        raise LoweringError("its indices are not known")
    start = places[0] % shape[dim]
    if [n % shape[dim] for n in places] != list(range(start, start + len(places))):
        raise LoweringError("its indices are not consecutive")
    layout = low.layout(op.inputs[0])
    layout, made = cut(low, layout, layout.file[dim], start, len(places))
    after = low.shape(op.outputs[0])
    parts = low.atoms.viewed((made,), after[dim : len(after) - len(shape) + dim + 1])
    if parts is None:
        raise LoweringError("its indices split the axis in an incompatible way")
    low.set(op.outputs[0], layout._replace(file=(*layout.file[:dim], *parts, *layout.file[dim + 1 :])))


def unbind(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    dim = int(op.attributes.get("dim", 0)) % len(layout.file)
    for index, name in enumerate(op.outputs):
        if name in low.wanted:
            _selected(low, name, layout, dim, index)


def split(low: LoweringState, op: Operation) -> None:
    layout = low.layout(op.inputs[0])
    dim = int(op.attributes.get("dim", 0)) % len(layout.file)
    start = 0
    for name in op.outputs:
        size = low.shape(name)[dim]
        if name in low.wanted:
            part, made = cut(low, low.atoms.resolved(layout), layout.file[dim], start, size)
            file = tuple(made if at == dim else axis for at, axis in enumerate(part.file))
            low.set(name, part._replace(file=file))
        start += size
