"""Receptive fields: which pixels one value of a map can see, per axis, through branches.

Output o of a map sees the pixels [lo + o·stride, hi + o·stride]; a window of stride s multiplies it.
Behind an upsampling the stride is a fraction, and the ends repeat only every `period` outputs, so they
are kept for each output of a period. All figures are exact for outputs away from the border; pixels in
the padding count as seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.analysis.notebook import Rows
from archcalc.graph.model import Graph, Node
from archcalc.operators.joining import Join
from archcalc.operators.model import Cells, Grid, Pair, Window
from archcalc.operators.reshaping import Upsample
from archcalc.symbols import Int

if TYPE_CHECKING:
    from fractions import Fraction

LONGEST_PERIOD = 1_024

Ends = tuple[Any, Any]  # integers or symbols: the first and last pixel that an output sees


class FieldAxis(NamedTuple):
    """One axis of a map's field: `ends[o]` are the first and last pixel that output o sees.

    A period of `len(ends)` outputs advances `advance` pixels; None: an output that sees nothing.
    """

    ends: tuple[Ends | None, ...]
    advance: int

    @property
    def stride(self) -> Fraction:
        """Pixels from one output to the next."""
        from fractions import Fraction

        return Fraction(self.advance, len(self.ends))

    @property
    def size(self) -> int:
        """The most pixels that one output sees."""
        return max((high - low + 1 for low, high in filter(None, self.ends)), default=0)

    @property
    def padding(self) -> int:
        """How far the first output reaches beyond the image."""
        return -min((low for low, _ in filter(None, self.ends[:1])), default=0)

    @property
    def offset(self) -> Fraction:
        """The center of what the first output sees, in pixels from the first pixel's center.

        Of the first that sees anything, behind a sparse transposed conv.
        """
        from fractions import Fraction

        return next((Fraction(sum(ends), 2) for ends in self.ends if ends), Fraction(0))

    def seen(self, output: int) -> Ends | None:
        """The first and last pixel that an output sees, also one before the first (padding)."""
        periods, phase = divmod(output, len(self.ends))
        ends = self.ends[phase]
        return (ends[0] + periods * self.advance, ends[1] + periods * self.advance) if ends else None


class Field(NamedTuple):
    """A map's receptive field. None: it sees the whole image (behind a global operator)."""

    height: FieldAxis | None
    width: FieldAxis | None
    aligned: bool = True  # False: branches with different strides or centers were joined

    @property
    def is_global(self) -> bool:
        return self.height is None or self.width is None


WHOLE = Field(None, None)
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
        """Plain data for JSON: the network's own field and the rows."""
        return {**_figures(self.of_network), "layers": list(self.rows)}

    def _repr_html_(self) -> str:
        return self.rows._repr_html_()

    def __repr__(self) -> str:
        height, width = (axis.size if axis else "all" for axis in self.of_network[:2])
        return f"<Fields of {len(self.nodes)} layers: the last map sees {height}×{width} pixels>"


def _figures(field: Field) -> dict[str, Any]:
    """Size, stride and center of a map's field, an axis at a time; a stride may be a fraction."""
    figures: dict[str, Any] = {}
    for name, axis in (("height", field.height), ("width", field.width)):
        figures[name] = axis and int(axis.size)
        figures[f"stride_{name}"] = axis and float(axis.stride)
        figures[f"offset_{name}"] = axis and float(axis.offset)
    return figures


def receptive_fields(graph: Graph) -> Fields:
    """The receptive field of every map."""
    fields: list[Field] = []
    for node in graph.nodes:
        fields.append(_field(graph, node, [fields[i] for i in node.inputs]))
    return Fields(graph, tuple(fields), _network_map(graph, fields))


def _network_map(graph: Graph, fields: list[Field]) -> int:
    """The last map on the way from the input to the main output.

    A vector that sees the whole image (a pool, a dense layer) is no map any more; a map behind a gate
    or an attention sees the whole image, and that is then said of the network.
    """
    ancestors = {graph.output}
    for index in range(graph.output, -1, -1):
        if index in ancestors:
            ancestors.update(graph.nodes[index].inputs)
    nodes = graph.nodes
    maps = (i for i in ancestors if not fields[i].is_global or nodes[i].shape.positions > 1)
    return max(maps, default=0)


def _field(graph: Graph, node: Node, inputs: list[Field]) -> Field:
    if not inputs:
        return Field(PIXEL, PIXEL)
    shapes = graph.input_shapes(node)
    geometry = node.operator.geometry(*shapes)
    if geometry == "global" or any(field.is_global for field in inputs):
        return WHOLE._replace(aligned=all(field.aligned for field in inputs))
    if isinstance(node.operator, Join):
        return _join(inputs, node.operator.offsets(*shapes))
    if geometry == "pointwise":
        return inputs[0]
    height, width, aligned = inputs[0]
    assert height is not None and width is not None
    return Field(_through(node, geometry, 0, height), _through(node, geometry, 1, width), aligned)


def _through(node: Node, geometry: object, axis: int, source: FieldAxis) -> FieldAxis | None:
    """The field behind a window or an upsampling, on one axis."""
    if isinstance(geometry, Window):
        reach = (geometry.kernel[axis] - 1) * geometry.dilation[axis]
        return _slide(source, int(geometry.stride[axis]), -geometry.before[axis], reach)
    if isinstance(geometry, Grid):
        return _gather(source, int(geometry.window[axis]), int(geometry.start[axis]))
    if isinstance(geometry, Cells):
        return _cells(source, int(geometry.inputs[axis]), int(geometry.outputs[axis]))
    operator = node.operator
    if isinstance(operator, Upsample):
        return _repeat(source, int(operator.factor[axis]))
    kernel, stride, pad = (int(getattr(operator, name)[axis]) for name in "ksp")
    return _spread(source, kernel, stride, pad)


def _slide(source: FieldAxis, stride: int, start: Int, reach: Int) -> FieldAxis | None:
    """Output o reads inputs o·stride + start and up to `reach` further."""
    if len(source.ends) == 1 and source.ends[0]:  # nearly always, and quick
        (low, high), advance = source.ends[0], source.advance
        return FieldAxis(((low + start * advance, high + (start + reach) * advance),), advance * stride)
    start, reach, seen = int(start), int(reach), _stretches(source)
    period = lcm(len(source.ends), stride) // stride
    begins = (output * stride + start for output in range(period))
    ends = tuple(seen(begin, begin + reach) for begin in begins)
    return FieldAxis(ends, source.advance * stride * period // len(source.ends))


def _gather(source: FieldAxis, window: int, start: int) -> FieldAxis | None:
    """Output o reads the whole window that it is in; one of the windows begins at `start`."""
    period = lcm(len(source.ends), window)
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    begins = ((output - start) // window * window + start for output in range(period))
    ends = tuple(seen(begin, begin + window - 1) for begin in begins)
    return FieldAxis(ends, source.advance * period // len(source.ends))


def _cells(source: FieldAxis, inputs: int, outputs: int) -> FieldAxis | None:
    """Output o reads the inputs from ⌊o·inputs/outputs⌋ to ⌈(o + 1)·inputs/outputs⌉ − 1."""
    step = inputs // gcd(inputs, outputs)  # inputs until the cells lie alike again
    advance = lcm(step, len(source.ends))
    period = advance * outputs // inputs
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    ends = tuple(seen(o * inputs // outputs, -(-(o + 1) * inputs // outputs) - 1) for o in range(period))
    return FieldAxis(ends, source.advance * advance // len(source.ends))


def _repeat(source: FieldAxis, factor: int) -> FieldAxis | None:
    """Output o reads input o // factor."""
    period = len(source.ends) * factor
    if period > LONGEST_PERIOD:
        return None
    return FieldAxis(tuple(source.ends[output // factor] for output in range(period)), source.advance)


def _spread(source: FieldAxis, kernel: int, stride: int, pad: int) -> FieldAxis | None:
    """Output o reads the inputs i with i·stride ≤ o + pad < i·stride + kernel."""
    period = len(source.ends) * stride
    if period > LONGEST_PERIOD:
        return None
    seen = _stretches(source)
    ends = tuple(
        seen(-((kernel - 1 - output - pad) // stride), (output + pad) // stride)
        for output in range(period)
    )
    return FieldAxis(ends, source.advance)


def _stretches(source: FieldAxis) -> Callable[[int, int], Ends | None]:
    """What the outputs from a first to a last see together, at a cost that no size in a text decides."""
    period, known = len(source.ends), source.ends
    following = [*known[1:], source.seen(period)]
    integers = all(ends and type(ends[0]) is type(ends[1]) is int for ends in known)
    if integers and all(
        a[0] <= b[0] and a[1] <= b[1] for a, b in zip(known, following, strict=True) if a and b
    ):

        def ordered(first: int, last: int) -> Ends | None:
            low, high = source.seen(first), source.seen(last)
            return (low[0], high[1]) if low and high and first <= last else None

        return ordered

    def any_order(first: int, last: int) -> Ends | None:
        """Beyond a period all lies further on: the first one has the least, the last one the most."""
        outputs = [*range(first, min(last, first + period - 1) + 1)]
        outputs += range(max(first + period, last - period + 1), last + 1)
        return _hull([source.seen(output) for output in outputs])

    return any_order


def _hull(seen: Iterable[Ends | None]) -> Ends | None:
    """From the first pixel that any of them sees to the last."""
    ends = [s for s in seen if s]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None


def _join(inputs: list[Field], offsets: Sequence[Pair]) -> Field:
    rows = [_shift(f.height, int(by[0])) for f, by in zip(inputs, offsets, strict=True) if f.height]
    columns = [_shift(f.width, int(by[1])) for f, by in zip(inputs, offsets, strict=True) if f.width]
    (height, one), (width, other) = _union(rows), _union(columns)
    if height is None or width is None:
        return WHOLE._replace(aligned=False)
    return Field(height, width, one and other and all(field.aligned for field in inputs))


def _shift(source: FieldAxis, by: int) -> FieldAxis:
    """The field of a map that lost `by` values at its beginning."""
    if by == 0:
        return source
    return FieldAxis(tuple(source.seen(o + by) for o in range(len(source.ends))), source.advance)


def _union(axes: list[FieldAxis]) -> tuple[FieldAxis | None, bool]:
    """What an output sees through any of the branches; False if strides or centers differ."""
    if all(axis == axes[0] for axis in axes):
        return axes[0], True
    one = axes[0]
    same_stride = all(a.advance * len(one.ends) == one.advance * len(a.ends) for a in axes)
    period = lcm(*(len(axis.ends) for axis in axes))
    if period > LONGEST_PERIOD:
        return None, False
    seen = [[axis.seen(output) for output in range(period)] for axis in axes]
    ends = tuple(_hull(output) for output in zip(*seen, strict=True))
    centers = [sum(low + high for low, high in filter(None, of_axis)) for of_axis in seen]
    aligned = same_stride and all(center == centers[0] for center in centers)
    return FieldAxis(ends, one.advance * period // len(one.ends)), aligned
