"""Fields behind what moves, joins and stretches, held against what a poisoned pixel really reaches."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from archcalc.analysis.field import Field, receptive_fields
from archcalc.execution import reference
from archcalc.execution.weights import slots
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read

Place = tuple[int, ...]


def graph_of(input: str, *lines: str) -> Graph:
    return build(read(Source("net.toml", f'input = "{input}"\nlayers = {list(lines)!r}')), {})


def outputs_of(graph: Graph, image: Any) -> Any:
    """The last map by the definitions, with weights of 1."""
    weights: dict[str, dict[str, Any]] = {}
    for slot in slots(graph):
        weights.setdefault(slot.node.path, {})[slot.name] = np.ones(slot.shape, np.float32)
    values = [image]
    for node in graph.nodes[1:]:
        inputs = [values[i] for i in node.inputs]
        values.append(reference.run(node.operator, inputs, weights.get(node.path, {})))
    return values[graph.output]


def reached(graph: Graph) -> dict[Place, set[Place]]:
    """For every place of the last map the pixels whose NaN reaches it."""
    image = np.ones((1, *map(int, graph.input)), np.float32)
    seen: dict[Place, set[Place]] = {}
    for pixel in product(*map(range, image.shape[1:-1])):
        poisoned = image.copy()
        poisoned[0, *pixel] = np.nan
        y = np.isnan(outputs_of(graph, poisoned)[0]).any(-1)
        for place in product(*map(range, y.shape)):
            seen.setdefault(place, set()).update([pixel] if y[place] else [])
    return seen


def box(field: Field, place: Place, sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """The first and last pixel that the field says, along each axis, as far as they are in the image."""
    ends = []
    for axis, output, size in zip(field.axes, place, sizes, strict=False):
        assert axis
        first, last = axis.seen(output) or (0, -1)
        ends.append((max(first, 0), min(last, size - 1)))
    return ends


CASES = [
    # what is sliced begins later; what is laid behind is seen from where it stands
    ("9x7x1", "slice 4 from=3 axis=height"),
    ("9x7x1", "conv 1 k3 | slice 3 from=2 axis=width | conv 1 k2"),
    ("12x1", "slice 7 from=4 axis=length | maxpool 2"),
    ("5x4x4x1", "slice 3 from=1 axis=frames"),
    ("6x5x1", "a = conv 1 k3", "@in | slice 4 axis=height | slice 3 from=1 axis=width | add @a"),
    ("6x5x1", "concat @in axis=height"),
    ("6x5x1", "a = slice 2 axis=height", "@in | slice 3 from=3 axis=height | concat @a axis=height"),
    ("9x1", "a = conv 1 k3 s2", "@in | concat @a axis=length | conv 1 k2"),
    ("4x3x3x1", "concat @in @in axis=frames"),
    # what has one place along an axis goes with every output
    ("6x5x1", "a = conv 1 k6x1", "@in | add @a"),
    ("6x5x1", "a = maxpool 6x1", "@in | maxpool 1x5 | mul @a | conv 1 k2"),
    ("7x1", "a = conv 1 k7", "@in | sub @a"),
    ("4x3x3x1", "a = conv 1 k4x1x1", "@in | add @a"),
    # what leaves at the end comes in at the beginning
    ("6x5x1", "roll 2"),
    ("6x5x1", "conv 1 k2 | roll {-2} axis=width | conv 1 k2"),
    ("12x1", "maxpool 2 | roll 4"),
    ("12x1", "maxpool 2 | token 3"),
    ("4x3x3x1", "roll 1 axis=frames | conv 1 k2x1x1"),
    # one place for all of an axis, by itself and joined again
    ("6x5x2", "mean axis=height"),
    ("6x5x2", "a = max axis=width", "@in | mul @a | conv 1 k2"),
    ("4x3x3x1", "conv 1 k2x1x1 | sum axis=frames"),
    ("6x5x2", "mean | conv 1 k3 half"),
    ("6x5x2", "permute 0x1x2 | conv 1 k2"),
]


@pytest.mark.parametrize("case", CASES, ids=" ; ".join)
def test_a_field_is_what_a_poisoned_pixel_reaches(case: tuple[str, ...]) -> None:
    graph = graph_of(*case)
    field = receptive_fields(graph).nodes[graph.output]
    sizes = tuple(map(int, graph.input.extents))
    for place, pixels in reached(graph).items():
        lows, highs = map(min, zip(*pixels, strict=True)), map(max, zip(*pixels, strict=True))
        assert box(field, place, sizes) == list(zip(lows, highs, strict=True)), place


def test_what_does_not_go_on_is_misaligned() -> None:
    """A map behind itself begins again; its own two halves do not."""
    halves = ("a = slice 3 axis=height", "@in | slice 3 from=3 axis=height", "b = relu")
    twice, whole = (
        receptive_fields(graph_of("6x5x1", *lines)).of_network
        for lines in (["concat @in axis=height"], [*halves, "@a | concat @b axis=height"])
    )
    assert (twice.aligned, whole.aligned) == (False, True)
    assert [axis and (axis.size, axis.stride, axis.offset) for axis in whole.axes] == [(1, 1, 0)] * 2
