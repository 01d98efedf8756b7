"""Find the smallest input that a network takes, and the positions of maps that nothing reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import prod

from archcalc.analysis.field import Fields
from archcalc.errors import ArchError
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.operators.model import Window
from archcalc.operators.reshaping import Crop
from archcalc.operators.shape import Shape
from archcalc.spec.expressions import Value
from archcalc.spec.model import Spec
from archcalc.symbols import Int, Program
from archcalc.tuples import NamedTuple

LARGEST_SIDE = 2_048  # the largest side that is tried


class Smallest(NamedTuple):
    """The sides, in pixels, of the smallest square inputs (or strips); None if there is none.

    At `legal`, every layer fits. At `sensible`, the center of a value of the last map is also inside
    the image.
    """

    legal: int | None
    sensible: int | None


def smallest_input(
    spec: Spec, values: Mapping[str, Value], variant: str | None, graph: Graph, fields: Fields
) -> Smallest:
    """Return the sides of the smallest inputs of the form that `sized` makes."""
    legal = smallest_legal(spec, values, variant, graph.input)
    field = fields.of_network
    if legal is None or field.is_global or len(field.sides) != graph.input.rank:
        return Smallest(legal, None)
    if any(axis.outputs for axis in field.sides):  # adaptive cells are inside the image at any size
        return Smallest(legal, legal)
    varied = zip(field.sides, _varied(graph.input), strict=True)
    centers = (int(-(-axis.offset // 1)) for axis, is_varied in varied if is_varied)
    return Smallest(legal, max([legal, *(center + 1 for center in centers)]))


def sized(input: Shape, side: Int) -> Shape:
    """Return the input with other sides: a square of `side` pixels, or a strip if one side is 1.

    A volume keeps its frames, and a sequence gets another length.
    """
    varied = zip(input.extents, _varied(input), strict=True)
    return Shape(*(side if is_varied else size for size, is_varied in varied), input.channels)


def _varied(input: Shape) -> list[bool]:
    """Return which axes get another size."""
    return [bool(size > 1) and name != "frames" for name, size in input.named]


def smallest_legal(
    spec: Spec, values: Mapping[str, Value], variant: str | None, input: Shape, least: int = 1
) -> int | None:
    """Return the side of the smallest input, not below `least`, at which every layer fits.

    Returns None if there is none up to the sides of `input` and `LARGEST_SIDE`. The shape rules are
    recorded once, with the side as a symbol, and evaluated at every side.
    """
    varied = zip(input.extents, _varied(input), strict=True)
    largest = min(max([1, *(int(size) for size, is_varied in varied if is_varied)]), _largest(input))
    program = Program()
    side = program.variable("side", largest)
    try:
        build(spec, values, sized(input, side), variant)
    except ArchError:
        return None
    for candidate in range(least, largest + 1):
        found = program.evaluate({"side": candidate}, [])
        if found.valid and (found.same_structure or _fits(spec, values, variant, input, candidate)):
            return candidate
    return None


def _fits(spec: Spec, values: Mapping[str, Value], variant: str | None, input: Shape, side: int) -> bool:
    try:
        build(spec, values, sized(input, side), variant)
    except ArchError:
        return False
    return True


class Unread(NamedTuple):
    """The number of positions of a node's map, out of `of`, that none of its readers reads."""

    node: int
    positions: int
    of: int


def unread(graph: Graph) -> Iterator[Unread]:
    """Yield the maps with positions that all their readers skip, or do not reach, by their strides."""
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            readers[i].append(index)
    for index, node in enumerate(graph.nodes):
        whole = int(node.shape.positions)
        if (
            not readers[index]
            or index in graph.outputs
            or max(node.shape.extents) > _largest(node.shape)
        ):
            continue
        regions = [_read(graph, reader) for reader in readers[index]]
        if all(regions):
            seen = _area([region for region in regions if region])
            if seen < whole:
                yield Unread(index, whole - seen, whole)


Region = tuple[frozenset[int], ...]  # the positions along each axis


def _read(graph: Graph, reader: int) -> Region | None:
    """Return the positions along each axis that a node's window reads of its input; None: all."""
    node = graph.nodes[reader]
    (x, *_), geometry = graph.input_shapes(node), node.operator.geometry(*graph.input_shapes(node))
    if not isinstance(geometry, Window) or isinstance(node.operator, Crop):
        return None  # a crop leaves positions out on purpose
    sizes = zip(x.extents, node.shape.extents, strict=True)
    region = tuple(_positions(geometry, axis, int(n), int(m)) for axis, (n, m) in enumerate(sizes))
    return None if prod(map(len, region)) == x.positions else region


@lru_cache(256)
def _positions(window: Window, axis: int, size: int, outputs: int) -> frozenset[int]:
    """Return the positions along an axis of `size` that the windows of the outputs read.

    Returns all of them, that is nothing unread, if there are too many windows to try.
    """
    stride, before = int(window.stride[axis]), int(window.before[axis])
    step, taps = int(window.dilation[axis]), int(window.kernel[axis])
    least = max(-((step * (taps - 1) - before) // stride), 0)
    inside = range(least, min(outputs, -(-(size + before) // stride)))
    if len(inside) > 2 * LARGEST_SIDE:
        return frozenset(range(size))
    read = bytearray(size)
    for output in inside:
        begin = output * stride - before
        skipped = max(-(begin // step), 0)
        first, end = begin + skipped * step, min(begin + (taps - 1) * step + 1, size)
        if first < end:
            read[first:end:step] = b"\1" * len(range(first, end, step))
    return frozenset(i for i, is_read in enumerate(read) if is_read)


def _area(regions: list[Region]) -> int:
    """Return the number of positions in the union of the regions."""
    distinct = list(dict.fromkeys(regions))
    if len(distinct) == 1:
        return prod(map(len, distinct[0]))
    if len(distinct[0]) == 1:
        return len(frozenset().union(*(positions for (positions,) in distinct)))
    among: Counter[tuple[int, ...]] = Counter()
    for row in frozenset().union(*(rows for rows, *_ in distinct)):
        among[tuple(i for i, (rows, *_) in enumerate(distinct) if row in rows)] += 1
    return sum(count * _area([distinct[i][1:] for i in those]) for those, count in among.items())


def _largest(shape: Shape) -> int:
    """Return the longest side whose positions are tried one by one; a sequence has only one side."""
    return LARGEST_SIDE**2 if shape.is_sequence else LARGEST_SIDE
