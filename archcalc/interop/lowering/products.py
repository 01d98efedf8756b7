"""Lower matrix products: rows × inner by inner × columns, with batch axes."""

from __future__ import annotations

from archcalc.interop.lowering import values
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.layers import dense
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.stored import standing
from archcalc.interop.trace import Operation


def matmul(low: LoweringState, op: Operation) -> None:
    """Multiply two tensors; a product with a constant matrix becomes a linear layer."""
    a, b = op.inputs[:2]
    if not low.live(b) and low.live(a):
        shape = low.shape(b)
        if len(shape) == 2:
            dense(low, op, low.layout(a), shape[1], b or "", None, turned=True)
            return
    multiply(low, op, standing(low, a), standing(low, b))


def addmm(low: LoweringState, op: Operation) -> None:
    """Lower a linear layer whose bias comes first and whose matrix is inputs × units."""
    bias, a, b = op.inputs[:3]
    if low.live(bias) or low.live(b) or len(low.shape(bias)) != 1:
        raise LoweringError("it adds more than a bias")
    dense(low, op, low.layout(a), low.shape(b)[1], b or "", bias, turned=True)


def multiply(low: LoweringState, op: Operation, a: Layout, b: Layout) -> None:
    """Multiply batches of matrices; the batch axes are broadcast as in the file.

    Raises:
        LoweringError: an operand is a vector, or the batch axes form more than two groups.
    """
    if min(len(a.file), len(b.file)) < 2:
        raise LoweringError("it multiplies a vector")
    rank = max(len(a.file), len(b.file))
    a, b = (x._replace(file=((),) * (rank - len(x.file)) + x.file) for x in (a, b))
    for _ in range(2):
        inner = values.matched(low, [a.file[-1]], [b.file[-2]])
        if a.file[-1] and not inner:
            raise LoweringError("its sizes do not fit")
        sides = [(x or y, y or x) for x, y in zip(a.file[:-2], b.file[:-2], strict=True)]
        batch = values.matched(low, [x for x, _ in sides], [y for _, y in sides])
    a, b = low.atoms.resolved(a), low.atoms.resolved(b)
    before = tuple(atom for x, _ in sides for atom in low.atoms.leaves(x))
    both = {atom for axis in a.own for atom in axis}, {atom for axis in b.own for atom in axis}
    groups = _groups(before, batch, both)
    if len(groups) > 2:
        raise LoweringError("its matrices have too many batch axes")
    left = tuple(tuple(x for x in group if x in both[0]) for group in groups)
    right = tuple(tuple(batch.get(x, x) for x in g if batch.get(x, x) in both[1]) for g in groups)
    inside = low.atoms.leaves(a.file[-1])
    x = low.spread(a, (*left, a.file[-2], inside))
    y, turned = _right(low, b, right, tuple(inner[atom] for atom in inside))
    node = low.add("matmul", [x.node, y.node], transposed=turned)
    columns = low.atoms.new(low.atoms.size(b.file[-1]))  # new atoms: b's may be those of the rows
    own = (*groups, a.file[-2], columns)
    file = (*(x for x, _ in sides), a.file[-2], columns)
    low.set(op.outputs[0], Layout(node, file, tuple(low.atoms.leaves(axis) for axis in own)))


def _right(low: LoweringState, b: Layout, sides: tuple[Axis, ...], inner: Axis) -> tuple[Layout, bool]:
    """Return the second tensor, and whether it is laid out transposed."""
    turned = set(b.own[-1]) == set(inner) and bool(inner)
    if turned:
        return low.spread(b, (*sides, b.file[-1], inner)), True
    return low.spread(b, (*sides, inner, b.file[-1])), False


def _groups(before: Axis, batch: dict[int, int], both: tuple[set[int], set[int]]) -> tuple[Axis, ...]:
    """Group consecutive batch atoms by which of the two operands have them."""
    found: list[tuple[tuple[bool, bool], list[int]]] = []
    for atom in before:
        kind = atom in both[0], batch.get(atom, atom) in both[1]
        if found and found[-1][0] == kind:
            found[-1][1].append(atom)
        else:
            found.append((kind, [atom]))
    return tuple(tuple(atoms) for _, atoms in found)
