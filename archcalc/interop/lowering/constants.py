"""Lower joins, where one input may be a constant: a bias, a scale, position embeddings, or a table."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.interop.lowering import values
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.stored import standing
from archcalc.interop.trace import Operation
from archcalc.tuples import NamedTuple

_BIASED = ("conv", "deconv", "linear", "scale")


class Constant(NamedTuple):
    """A tensor that does not depend on the input, joined with one that a node holds.

    Args:
        pairs: the atoms of the constant, by the atoms of the other tensor.
        flat: all atoms of the constant, in the file's order.
        learned: whether its numbers are those of one parameter.
    """

    tensor: str
    pairs: dict[int, int]
    flat: Axis
    learned: bool


def constant(low: LoweringState, tensor: str, beside: Sequence[Axis]) -> Constant:
    shape = low.shape(tensor)
    shape = (1,) * (len(beside) - len(shape)) + shape
    if len(shape) > len(beside):
        raise LoweringError("its constant has more axes than its input")
    file = [low.atoms.new(size) for size in shape]
    pairs = values.matched(low, beside, file)
    flat = tuple(atom for axis in file for atom in low.atoms.leaves(axis))
    return Constant(tensor, pairs, flat, low.parameter_behind(tensor))


def placed(low: LoweringState, found: Constant, own: Axis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the (split, order) that bring the constant into a node's order of atoms, `own`."""
    split = tuple(low.atoms.size((atom,)) for atom in found.flat)
    order = tuple(found.flat.index(found.pairs[a]) for a in own if a in found.pairs)
    return split or (1,), order or (0,)


def join(low: LoweringState, op: Operation) -> None:
    live = [name for name in op.inputs if low.live(name)]
    if len(live) == len(op.inputs) > 1:
        if op.word == "div":
            raise LoweringError("archcalc has no layer that divides by another tensor")
        first, *rest = (low.layout(name) for name in op.inputs)
        values.join(low, op, [first, *(_times(low, op, layout) for layout in rest)])
        return
    if len(live) == 2 or not live:
        raise LoweringError("it joins several constants")
    others = [name for name in op.inputs if name not in live]
    layout = low.layout(live[0])
    if not others:
        _number(low, op, layout)
        return
    if op.attributes.get("alpha", 1) != 1:
        raise LoweringError("it scales its second input")
    if op.word in values.JOINS and low.origin(others[0] or "") in low.tokens:
        values.join(low, op, [standing(low, name) for name in op.inputs])
        return
    rank = max(len(low.shape(others[0] or "")), len(layout.file))
    layout = layout._replace(file=((),) * (rank - len(layout.file)) + layout.file)
    found = constant(low, others[0] or "", layout.file)
    _with(low, op, low.atoms.resolved(layout), found, op.inputs[0] == live[0])


def _times(low: LoweringState, op: Operation, layout: Layout) -> Layout:
    """Return the added or subtracted tensor, multiplied by the argument that torch calls alpha."""
    alpha = op.attributes.get("alpha", 1)
    if alpha == 1:
        return layout
    node = low.add("factor", [layout.node], shape=(1,), fixed=True)
    low.number(node, alpha, "mul", 1)
    return layout._replace(node=node)


def _number(low: LoweringState, op: Operation, layout: Layout) -> None:
    """Lower the join of a tensor with a plain number."""
    if not isinstance(op.attributes.get("other"), (int, float)):
        raise LoweringError("its second input is missing")
    if op.attributes.get("function") == "rsub":
        if op.attributes.get("alpha", 1) != 1:
            raise LoweringError("it scales its second input")
        turned = low.add("factor", [layout.node], shape=(1,), fixed=True)
        low.number(turned, -1, "mul", 1)
        layout, op = layout._replace(node=turned), op._replace(word="add")
    _table(low, op, layout, None)


def _with(low: LoweringState, op: Operation, layout: Layout, found: Constant, first: bool) -> None:
    if found.learned and op.word in ("mul", "add") and found.pairs:
        atoms = tuple(found.pairs)
        if op.word == "mul" and set(atoms) <= _channels(low, layout, atoms):
            _scale(low, op, layout, found)
            return
        if op.word == "add" and (_bias(low, op, layout, found) or _places(low, op, layout, found)):
            return
    if not first and op.word == "div":
        raise LoweringError("it divides a constant by a tensor")
    if not first and op.word == "sub":
        turned = low.add("factor", [layout.node], shape=(1,), fixed=True)
        low.number(turned, -1, "mul", 1)
        layout = layout._replace(node=turned)
        op = op._replace(word="add")
    _table(low, op, layout, found)


def _channels(low: LoweringState, layout: Layout, atoms: Axis) -> set[int]:
    """Return the atoms if they form exactly one axis of the file, else the empty set."""
    held = [set(axis) for axis in layout.file if axis]
    return set(atoms) if set(atoms) in held else set()


def _scale(low: LoweringState, op: Operation, layout: Layout, found: Constant) -> None:
    x = low.gather(layout, tuple(found.pairs))
    held = [("weight", found.tensor, *placed(low, found, x.own[-1]))]
    low.set(op.outputs[0], x._replace(node=low.add("scale", [x.node], held, nobias=True)))


def _bias(low: LoweringState, op: Operation, layout: Layout, found: Constant) -> bool:
    """Make the constant the bias of the layer before it, if that has none; return whether it is done."""
    node = low.nodes[layout.node]
    if (
        node.operator.name not in _BIASED
        or not getattr(node.operator, "nobias", False)
        or set(found.pairs) != set(layout.own[-1])
        or low.readers(layout.node) > 1
        or node.shares >= 0
    ):
        return False
    low.nodes[layout.node] = node._replace(operator=node.operator.replaced(nobias=False))
    low.place(layout.node, [("bias", found.tensor, *placed(low, found, layout.own[-1]))])
    low.set(op.outputs[0], layout)
    return True


def _places(low: LoweringState, op: Operation, layout: Layout, found: Constant) -> bool:
    """Lower the addition of a position embedding (one vector per position); return whether it is one."""
    whole = {atom for axis in layout.own for atom in axis}
    if set(found.pairs) != whole or len(layout.file) < 2:
        return False
    channels = layout.file[-1] if len(layout.file) == 3 else layout.own[-1]
    x = low.gather(layout, channels)
    positions = tuple(atom for axis in x.own[:-1] for atom in axis)
    if not positions:
        return False
    x = low.spread(x, (positions, x.own[-1]))
    held = [("position", found.tensor, *placed(low, found, positions + x.own[-1]))]
    low.set(op.outputs[0], x._replace(node=low.add("posembed", [x.node], held)))
    return True


_STEPS = {"add": "offset", "sub": "offset", "mul": "factor", "div": "factor"}


def _table(low: LoweringState, op: Operation, layout: Layout, found: Constant | None) -> None:
    """Lower a join with a stored tensor, or with a plain number, to an offset or a factor."""
    if op.word not in _STEPS:
        raise LoweringError(f"archcalc has no layer for {op.word} with a constant")
    inverse = op.word in ("sub", "div")
    if found is None:
        node = low.add(_STEPS[op.word], [layout.node], shape=(1,), fixed=True)
        low.number(node, op.attributes.get("other"), op.word, op.attributes.get("alpha", 1))
        low.set(op.outputs[0], layout._replace(node=node))
        return
    present = set(found.pairs)
    own = values.separable(low, layout, [present])
    x = low.spread(layout, own)
    sizes = [low.atoms.size(a for a in axis if a in present) for axis in own]
    flat = tuple(atom for axis in own for atom in axis)
    role, given = ("weight", {}) if found.learned else low.role_of(found.tensor)
    held = [(role, found.tensor, *placed(low, found, flat))]
    shape = tuple(sizes) if present else (1,)
    node = low.add(_STEPS[op.word], [x.node], held, shape=shape, **given)
    if inverse:
        low.number(node, None, op.word, 1)
    low.set(op.outputs[0], x._replace(node=node))


def addcmul(low: LoweringState, op: Operation) -> None:
    """Lower a + b·c to a product and a sum."""
    if op.attributes.get("value", 1) != 1 or len(op.inputs) != 3:
        raise LoweringError("it scales its product")
    a, b, c = op.inputs
    product = low.temporary(low.shape(op.outputs[0]))
    join(low, op._replace(word="mul", inputs=(b, c), outputs=(product,), attributes={}))
    join(low, op._replace(word="add", inputs=(product, a), attributes={}))


def biased(low: LoweringState, op: Operation, name: str, layout: Layout) -> None:
    """Add a bias that is computed from other numbers instead of being one parameter per channel."""
    between = low.temporary(low.shape(op.outputs[0]))
    low.set(between, layout)
    join(low, op._replace(word="add", inputs=(between, name), attributes={}))
