"""Receptive fields: which pixels one value of a map can see, per axis, through branches.

Output o of a map sees the pixels [lo + o·stride, hi + o·stride]; a window of stride s multiplies it.
Behind an upsampling the stride is a fraction, and the ends repeat only every `period` outputs, so they
are kept for each output of a period. All figures are exact for outputs away from the border; pixels in
the padding count as seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis.field_axis import FieldAxis, through
from archcalc.analysis.field_union import Joined, behind, rolled, shifted, stretched, union
from archcalc.analysis.notebook import Rows
from archcalc.graph.folding import UnfoldableError
from archcalc.graph.model import Fold, Graph, Node
from archcalc.operators.joining import Concat, Join
from archcalc.operators.model import AxisOrder, Geometry, Regroup, Ring, Samples
from archcalc.operators.shape import AXES, Shape
from archcalc.operators.tokens import Token
from archcalc.tuples import NamedTuple


class Field(NamedTuple):
    """A map's receptive field by axis of the image. None: all of it (behind a global operator)."""

    axes: tuple[FieldAxis | None, ...]
    aligned: bool = True  # False: branches with different strides or centers were joined

    @property
    def height(self) -> FieldAxis | None:
        """Of an image or a volume."""
        return self.axes[-2]

    @property
    def width(self) -> FieldAxis | None:
        """Of an image or a volume."""
        return self.axes[-1]

    @property
    def sides(self) -> tuple[FieldAxis, ...]:
        """Its axes; none if it sees the whole image."""
        return () if self.is_global else self.axes  # type: ignore[return-value]

    @property
    def named(self) -> tuple[tuple[str, FieldAxis | None], ...]:
        """Its axes by name."""
        return tuple(zip(AXES[len(self.axes)], self.axes, strict=True))

    @property
    def is_global(self) -> bool:
        return None in self.axes


PIXEL = FieldAxis(((0, 0),), 1)


class Fields(NamedTuple):
    """The field of every node, and the node whose field is the network's own."""

    graph: Graph
    nodes: tuple[Field, ...]
    network: int

    @property
    def of_network(self) -> Field:
        """That of the last map on the main line, before what is global makes a vector of it."""
        return self.nodes[self.network]

    @property
    def rows(self) -> Rows:
        """A flat dict a layer, in pixels; None: the layer sees the whole image."""
        pairs = zip(self.graph.nodes, self.nodes, strict=True)
        return Rows({"path": node.path, **_figures(field)} for node, field in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: the network's own field and the rows."""
        return {**_figures(self.of_network), "layers": list(self.rows)}

    def _repr_html_(self) -> str:
        return self.rows._repr_html_()

    def __repr__(self) -> str:
        sizes = "×".join(str(axis.size if axis else "all") for axis in self.of_network.axes)
        return f"<Fields of {len(self.nodes)} layers: the last map sees {sizes} pixels>"


def _figures(field: Field) -> dict[str, Any]:
    """Return size, stride and center of a map's field, an axis at a time; a stride may be a fraction."""
    figures: dict[str, Any] = {}
    for name, axis in field.named:
        figures[name] = axis and int(axis.size)
        figures[f"stride_{name}"] = axis and float(axis.stride)
        figures[f"offset_{name}"] = axis and float(axis.offset)
    return figures


def receptive_fields(graph: Graph) -> Fields:
    """Return the receptive field of every map."""
    fields: list[Field] = []
    folds = {fold.last: fold for fold in graph.folds}
    for index, node in enumerate(graph.nodes):
        if index in folds:
            own = folds[index]
            fields[own.exits[1]] = _before_last(own, *(fields[i] for i in own.exits[:2]))
        shapes = graph.input_shapes(node)
        geometry = node.operator.geometry(*shapes) if shapes else "pointwise"
        fields.append(_field(node, [fields[i] for i in node.inputs], shapes, geometry))
    return Fields(graph, tuple(fields), _network_map(graph, fields))


def _before_last(fold: Fold, first: Field, second: Field) -> Field:
    """What is seen where the last round begins, if so much after the first and the second.

    A round moves and widens what it reads, by amounts that depend on nothing before.

    Raises:
        UnfoldableError: not so here, since it reads tensors from further away or outputs differ.
    """
    if first.axes == second.axes == (None,) * len(first.axes):
        return second
    axes: list[FieldAxis | None] = []
    for a, b in zip(first.axes, second.axes, strict=True):
        pair = [axis.ends[0] if axis and len(axis.ends) == 1 else None for axis in (a, b)]
        if fold.outer or not (a and b and pair[0] and pair[1]) or a.outputs or b.outputs:
            raise UnfoldableError
        if a.advance != b.advance:
            raise UnfoldableError
        ends = [x + (fold.rounds - 2) * (y - x) for x, y in zip(pair[0], pair[1], strict=True)]
        axes.append(FieldAxis(((ends[0], ends[1]),), b.advance))
    return Field(tuple(axes), second.aligned)


def _network_map(graph: Graph, fields: list[Field]) -> int:
    """Return the last map on the way from the main input to the main output.

    A vector that sees the whole image (a pool, a dense layer) is no map any more; a map behind a gate
    or an attention sees the whole image, and that is then said of the network.
    """
    nodes = graph.nodes
    seeing = {0}  # the nodes that the main input reaches
    for index, node in enumerate(nodes):
        if not seeing.isdisjoint(node.inputs):
            seeing.add(index)
    ancestors = {graph.output}
    for index in range(graph.output, 0, -1):
        if index in ancestors:
            if index in seeing and (not fields[index].is_global or nodes[index].shape.positions > 1):
                return index
            ancestors.update(nodes[index].inputs)
    return 0


def _field(node: Node, inputs: list[Field], shapes: tuple[Shape, ...], geometry: Geometry) -> Field:
    if not inputs:
        return Field((PIXEL,) * node.shape.rank)
    if geometry == "pointwise":
        return _pointwise(node, inputs, shapes)
    if isinstance(geometry, Samples):
        inputs = inputs[:1]  # of the other only the size is read
    if geometry == "global" or isinstance(geometry, Regroup) or _any_global(inputs):
        return _whole(inputs)
    if isinstance(geometry, AxisOrder):  # another axis of the image, or the channels, stands there now
        return inputs[0] if geometry.keeps_positions else _whole(inputs)
    source = inputs[0].sides
    if len(source) != shapes[0].rank:  # a window over a map's positions in a row: no axis of the image
        return _whole(inputs)
    if isinstance(geometry, Ring):
        turns = zip(source, geometry.shift, geometry.inputs, strict=True)
        return inputs[0]._replace(axes=tuple(rolled(*turn) for turn in turns))
    axes = []
    for at, (side, extent) in enumerate(zip(source, node.shape.extents, strict=False)):
        axis = through(geometry, at, side)
        if axis and (side.outputs or isinstance(geometry, Samples)):  # so many, as the size decides
            axis = axis._replace(outputs=int(extent))
        axes.append(axis)
    first = Field(tuple(axes), inputs[0].aligned)
    if len(inputs) == 1 or first.is_global:
        return first
    seen = [first, *inputs[1:]]
    if len({len(field.axes) for field in seen}) > 1:
        return _whole(seen)
    return _together([union(axes) for axes in zip(*(field.sides for field in seen), strict=True)], seen)


def _pointwise(node: Node, inputs: list[Field], shapes: tuple[Shape, ...]) -> Field:
    operator = node.operator
    if len(inputs) == 1 and not isinstance(operator, Join | Token):
        return inputs[0]
    if _any_global(inputs):
        return _whole(inputs)
    if isinstance(operator, Join):
        return _join(operator, inputs, shapes, node.shape)
    if isinstance(operator, Token) and len(inputs[0].axes) == shapes[0].rank:
        index = int(operator.index)
        return inputs[0]._replace(axes=tuple(shifted(axis, index) for axis in inputs[0].sides))
    return inputs[0]


def _any_global(inputs: list[Field]) -> bool:
    return any(field.is_global for field in inputs)


def _whole(inputs: list[Field]) -> Field:
    return Field((None,) * len(inputs[0].axes), all(field.aligned for field in inputs))


def _join(operator: Join, inputs: list[Field], shapes: tuple[Shape, ...], y: Shape) -> Field:
    """What an output sees through the branches, axis by axis."""
    parts = operator.parts(*shapes)
    ranks = {len(field.axes) for field in inputs}
    if ranks != {y.rank}:  # a map's positions in a row
        alike = len(ranks) == 1 and all(x.extents == y.extents for x in parts)
        axes = zip(*(field.sides for field in inputs), strict=False)
        found = [union(of_axis) for of_axis in axes] if alike else [(None, True)]
    else:
        columns = zip(*_sides(operator, inputs, shapes), strict=True)
        found = [_along(operator, axis, sides, parts, y) for axis, sides in enumerate(columns)]
    return _together(found, inputs)


def _sides(
    operator: Join, inputs: list[Field], shapes: tuple[Shape, ...]
) -> list[tuple[FieldAxis, ...]]:
    """Return the axes of each branch, without what `crop` cuts off."""
    sides = [field.sides for field in inputs]
    if not operator.crop:
        return sides
    pairs = zip(sides, operator.offsets(*shapes), strict=True)
    return [tuple(shifted(a, int(n)) for a, n in zip(side, by, strict=True)) for side, by in pairs]


def _together(found: Sequence[Joined], inputs: list[Field]) -> Field:
    aligned = all(one for _, one in found) and all(field.aligned for field in inputs)
    if any(axis is None for axis, _ in found):
        return _whole(inputs)._replace(aligned=aligned)
    return Field(tuple(axis for axis, _ in found), aligned)


def _along(
    operator: Join, axis: int, sides: Sequence[FieldAxis], parts: tuple[Shape, ...], y: Shape
) -> Joined:
    """One axis of a join; a branch that has one value there goes with every output."""
    sizes = [x[axis] for x in parts]
    if isinstance(operator, Concat) and operator.axis == y.axes[axis]:
        return behind(sides, [int(size) for size in sizes])
    own = [size is y[axis] or bool(size == y[axis]) for size in sizes]
    if all(own):
        return union(sides)
    branches = [side for side, is_own in zip(sides, own, strict=True) if is_own]
    ones = [side for side, is_own in zip(sides, own, strict=True) if not is_own]
    return stretched(branches, ones, int(y[axis]))
