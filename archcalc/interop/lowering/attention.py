"""Lower attention: with its input projections if they are plain linear layers, else without them."""

from __future__ import annotations

from math import isclose
from typing import Any

from archcalc.graph.model import Node
from archcalc.interop.lowering import constants, products, values
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Axis, Layout
from archcalc.interop.lowering.model import LoweringError
from archcalc.interop.lowering.stored import standing
from archcalc.interop.trace import Operation
from archcalc.tuples import NamedTuple

_PARTS = ("query", "key", "value")


class _Heads(NamedTuple):
    """Queries, keys and values, and the atoms of the queries' windows, heads, positions and channels.

    `scale` multiplies the scores.
    """

    layouts: tuple[Layout, Layout, Layout]
    windows: Axis
    heads: Axis
    places: Axis
    width: Axis
    scale: float


def attention(low: LoweringState, op: Operation) -> None:
    found = _heads(low, op)
    added = [name for name in op.inputs[3:] if name is not None]
    if _is_map(low, found, added):
        _in_windows(low, op, found, added)
    elif found.windows or added:
        _written_out(low, op, found.scale, added)
    else:
        _of_sequence(low, op, found)


def _is_map(low: LoweringState, found: _Heads, added: list[str]) -> bool:
    """Return whether this is the window attention of Swin.

    Its windows tile a feature map, its queries, keys and values are linear functions of that map, and
    its scores get a table of relative positions.
    """
    own, sides = found.layouts[0].own, _window(low, found, found.layouts[0].own)
    made = [_source(low, layout) for layout in found.layouts]
    if sides is None or len(own) != 3 or any(m is None for m in made) or not added:
        return False
    if any(low.live(name) for name in added):
        return False
    if any(layout.own[:-1] != own[:-1] for layout in found.layouts):
        return False
    table = ((2 * sides - 1) ** 2, low.atoms.size(found.heads))
    behind = [t for name in added for t in low.pruned.behind.get(name, ()) if low.is_parameter(t)]
    return [low.shape(t) for t in behind] == [table] and bool(made[0] and made[0][3])


def _written_out(low: LoweringState, op: Operation, scale: float, added: list[str]) -> None:
    """Lower attention to separate layers: scores, scale, biases and masks, softmax, weighted sums."""
    query, key, value = (standing(low, name) for name in op.inputs[:3])
    key = key._replace(file=(*key.file[:-2], key.file[-1], key.file[-2]))
    shape = (*low.shape(op.outputs[0])[:-1], low.atoms.size(key.file[-1]))
    scores = low.temporary(shape)
    step = op._replace(word="matmul", outputs=(scores,))
    products.multiply(low, step, query, key)
    layout = low.layout(scores)
    node = low.add("factor", [layout.node], shape=(1,), fixed=True)
    low.number(node, scale, "mul", 1)
    low.set(scores, layout._replace(node=node))
    for name in added:
        more = (1,) * (len(low.shape(name)) - len(shape))  # from a view around the sum
        further = low.temporary((*more, *shape))
        constants.join(
            low, op._replace(word="add", inputs=(scores, name), outputs=(further,), attributes={})
        )
        layout = low.layout(further)
        scores = low.temporary(shape)
        low.set(scores, layout._replace(file=layout.file[len(more) :]))
    layout = low.layout(scores)
    x = low.gather(layout, layout.file[-1])
    layout = x._replace(node=low.add("softmax", [x.node]))
    products.multiply(low, op, layout, value)


def _heads(low: LoweringState, op: Operation) -> _Heads:
    query, key, value = (standing(low, name) for name in op.inputs[:3])
    rank = len(query.file)
    if len(key.file) != rank or len(value.file) != rank:
        raise LoweringError("its queries, keys and values differ in their number of axes")
    before = tuple(atom for axis in query.file[:-2] for atom in axis)
    channels = set(query.own[-1])
    heads = tuple(atom for atom in before if atom in channels)
    windows = tuple(atom for atom in before if atom not in channels)
    given = op.attributes.get("scale")
    scale = _usual(low, query.file[-1]) if given is None else float(given)
    return _Heads((query, key, value), windows, heads, query.file[-2], query.file[-1], scale)


def _usual(low: LoweringState, width: Axis) -> float:
    return float(low.atoms.size(width) ** -0.5)


def _of_sequence(low: LoweringState, op: Operation, found: _Heads) -> None:
    """Lower attention over a whole sequence: queries, keys and values are positions × channels."""
    laid, heads = [], low.atoms.size(found.heads)
    for layout in found.layouts:
        pairs = values.matched(low, found.layouts[0].file[:-2], layout.file[:-2])
        headed = tuple(pairs[atom] for atom in low.atoms.leaves(found.heads))
        laid.append((low.atoms.resolved(layout), (layout.file[-2], headed + layout.file[-1])))
    given: dict[str, Any] = {"heads": heads, "causal": bool(op.attributes.get("is_causal", False))}
    value, _own = laid[2]
    result = tuple(low.atoms.leaves(axis) for axis in (found.places, found.heads + value.file[-1]))
    file = (*found.layouts[0].file[:-1], value.file[-1])
    projected = _projected(low, [layout for layout, _ in laid], [own for _, own in laid], found.scale)
    if projected is not None:
        x, held, biased = projected
        node = low.add("attention", [x], held, **given, noout=True, nobias=not biased)
        low.pending[node] = "output"
    elif not isclose(found.scale, _usual(low, found.width), rel_tol=1e-6):
        if given["causal"]:
            raise LoweringError("it scales its scores by an unusual factor and masks some of them")
        _written_out(low, op, found.scale, [])
        return
    else:
        nodes = [low.spread(layout, own).node for layout, own in laid]
        node = low.add("attention", nodes, **given, bare=True)
    low.set(op.outputs[0], Layout(node, file, result))


def _projected(
    low: LoweringState, layouts: list[Layout], wanted: list[tuple[Axis, Axis]], scale: float
) -> tuple[int, list[Any], bool] | None:
    """Return the node that queries, keys and values are projected from, their weights, and `biased`.

    Returns None if they are not linear functions of one tensor of the same width.
    """
    made = [_source(low, layout) for layout in layouts]
    found = [m for m in made if m is not None]
    if len(found) < 3 or len({m[0] for m in found}) > 1:
        return None
    x, width = found[0][0], int(low.nodes[found[0][0]].shape.channels)
    sizes = [low.atoms.size(own[-1]) for own in wanted]
    if set(sizes) != {width} or len({biased for *_, biased in found}) > 1:
        return None
    for layout, own in zip(layouts, wanted, strict=True):
        if layout.own[-1] != tuple(low.atoms.leaves(own[-1])):
            return None
    held = [
        w
        for part, (_, layer, start, _) in zip(_PARTS, found, strict=True)
        for w in low.rows_of(layer, part, start, width, scale)
    ]
    positions = wanted[0][0]
    order = tuple(atom for axis in layouts[0].own[:-1] for atom in axis)
    if order != tuple(low.atoms.leaves(positions)):
        return None
    return _sequence(low, x), held, found[0][3]


def _sequence(low: LoweringState, node: int) -> int:
    """Return the node as a sequence: positions × channels."""
    if low.nodes[node].shape.rank == 1:
        return node
    return low.once("tokens", node)


def _source(low: LoweringState, layout: Layout) -> tuple[int, int, int, bool] | None:
    """Return the linear layer whose output, or a slice of it, this tensor is.

    Returns its input node, its own node, the first channel, and whether it has a bias; else None.
    """
    node, start = low.nodes[layout.node], 0
    layer = layout.node
    if node.operator.name == "slice" and getattr(node.operator, "axis", "") == "channels":
        start, layer = int(getattr(node.operator, "start", 0)), node.inputs[0]
        node = low.nodes[layer]
    if not _is_linear(node) or node.shares >= 0:
        return None
    return node.inputs[0], layer, start, not getattr(node.operator, "nobias", False)


def _is_linear(node: Node) -> bool:
    operator = node.operator
    if operator.name == "linear":
        return True
    plain = operator.name == "conv" and getattr(operator, "g", 0) == 1
    return plain and set(getattr(operator, "k", ())) == {1} and set(getattr(operator, "s", ())) == {1}


def _in_windows(low: LoweringState, op: Operation, found: _Heads, added: list[str]) -> None:
    """Lower the window attention of Swin: its windows tile a feature map."""
    layouts = [low.atoms.resolved(layout) for layout in found.layouts]
    own = layouts[0].own
    sides = _window(low, found, own)
    if sides is None or any(layout.own[:-1] != own[:-1] for layout in layouts):
        raise LoweringError("its windows do not tile a feature map")
    heads = tuple(low.atoms.leaves(found.heads + found.width))
    channels = [(own[0], heads)] * 3
    wanted = [(axes[0], layout.own[-1]) for axes, layout in zip(channels, layouts, strict=True)]
    made = [_source(low, layout) for layout in layouts]
    if any(m is None for m in made) or len({m[0] for m in made if m}) > 1 or len(own) != 3:
        raise LoweringError("its queries, keys and values are not linear functions of one feature map")
    width = low.atoms.size(heads)
    sources = [m for m in made if m is not None]
    held = [
        w
        for part, (_, layer, start, _) in zip(_PARTS, sources, strict=True)
        for w in low.rows_of(layer, part, start, width, found.scale)
    ]
    held += _places(low, added, sides, low.atoms.size(found.heads))
    x, shift = _unrolled(low, sources[0][0])
    if not sources[0][3] or not wanted:
        raise LoweringError("its projections have no bias")
    node = low.add(
        "windowattention", [x], held, heads=low.atoms.size(found.heads), window=sides, shift=shift
    )
    low.pending[node] = "output"
    if shift:
        low.rolled[node] = shift
    result = (*own[:-1], tuple(low.atoms.leaves(found.heads)) + layouts[2].file[-1])
    low.set(op.outputs[0], Layout(node, (*layouts[0].file[:-1], layouts[2].file[-1]), result))


def _window(low: LoweringState, found: _Heads, own: tuple[Axis, ...]) -> int | None:
    """Return the side of square windows that tile a map's height and width; None if they do not."""
    places = tuple(low.atoms.leaves(found.places))
    inner = [tuple(atom for atom in axis if atom in places) for axis in own[:-1]]
    outer = [tuple(atom for atom in axis if atom not in places) for axis in own[:-1]]
    if len(inner) != 2 or inner[0] + inner[1] != places:
        return None
    if any(out + ins != axis for out, ins, axis in zip(outer, inner, own[:-1], strict=True)):
        return None
    sides = {low.atoms.size(axis) for axis in inner}
    return sides.pop() if len(sides) == 1 else None


def _places(low: LoweringState, added: list[str], side: int, heads: int) -> list[Any]:
    """Return the table of biases by relative position; masks that are not trained are ignored."""
    count = (2 * side - 1) ** 2
    tables = []
    for name in added:
        behind = [t for t in low.pruned.behind.get(name, ()) if low.is_parameter(t)]
        tables += [t for t in behind if low.shape(t) == (count, heads)]
        if len(behind) > 1 or (behind and low.shape(behind[0]) != (count, heads)):
            raise LoweringError("the tensor added to its scores is not a table of relative positions")
    if len(tables) != 1:
        raise LoweringError("no table of relative positions is added to its scores")
    return [("position", tables[0], (2 * side - 1, 2 * side - 1, heads), (0, 1, 2))]


def _unrolled(low: LoweringState, node: int) -> tuple[int, int]:
    """Return the node before a roll of its positions, and the shift; shift 0 if it is no roll."""
    operator = low.nodes[node].operator
    if operator.name == "roll" and getattr(operator, "axis", "") == "positions":
        shift = -int(getattr(operator, "shift", 0))
        if shift > 0:
            return low.nodes[node].inputs[0], shift
    return node, 0
