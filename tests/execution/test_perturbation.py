"""Change any fact of any operator by one, and a law fails: nothing that is stated goes unproven.

What an execution can see (shapes, weights, work, which positions an output sees) must fail there. The
rest are conventions (connections, what is stored, which buffers are reused, what a weight layer is), and
those must fail against the rows worked out by hand and the tables that state them by name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import permutations, product
from math import floor
from typing import Any, cast

import numpy as np
import pytest
from support.operator_cases import CASES, arrays_of, weights_of
from support.operator_facts import CONVENTIONS, GEOMETRIES, stated
from support.operator_rows import ROWS, costs_of, shape_of

from archcalc.analysis.costs import Layer, count
from archcalc.errors import Span
from archcalc.execution import reference
from archcalc.execution.fast.operators import KERNELS, prepare, scratch
from archcalc.execution.verify import judge
from archcalc.graph.model import Node
from archcalc.operators import RECURRENT, TABLE, operator_class
from archcalc.operators.model import (
    AxisOrder,
    Cells,
    Extent,
    Grid,
    Operator,
    Regroup,
    Repeat,
    Ring,
    Samples,
    Spread,
    Weight,
    Window,
    Work,
)
from archcalc.operators.shape import Shape

RNG = np.random.default_rng(7)
Shapes = tuple[Shape, ...]
Law = Callable[[Operator, Shapes], bool]
Place = tuple[int, ...]
WITH_AXES = (Window, Spread, Repeat, Grid, Cells, Samples, Ring)
REARRANGED = {"permute": AxisOrder, "reshape": Regroup}
MOVED = ("slice", "roll", "mean", "sum", "max")  # along an axis of positions they move what is seen


# Laws: each says whether the facts of an operator hold on inputs of these shapes.


def verified(operator: Operator, inputs: Shapes) -> bool:
    """What `archcalc run --verify` says of it."""
    shape = operator.output_shape(*inputs)
    node = Node(operator.name, operator, tuple(range(len(inputs))), shape, Span(0, 0))
    layer = Layer(node, inputs, operator.kind(*inputs), count(operator, inputs))
    arrays, weights = arrays_of(operator, inputs), weights_of(operator, inputs)
    fast = np.zeros((1, *map(int, shape)), np.float32)
    if operator.buffer == "view":
        fast = arrays[0].reshape(fast.shape)
    sizes = [(1, *x) for x in inputs]
    room = np.zeros(scratch(operator, sizes[0], fast.shape, *sizes[1:]), np.float32)
    prepared = prepare(operator, weights, fast.shape[-1], np.float32)
    KERNELS[operator.name](operator, arrays, prepared, fast, room)
    return judge(layer, arrays, weights, fast).holds


def weights_are_read(operator: Operator, inputs: Shapes) -> bool:
    """Each row, column, … of each tensor: NaN there comes out somewhere.

    The inputs are negative, as slopes are for negative values alone.
    """
    arrays, weights = arrays_of(operator, inputs), weights_of(operator, inputs)
    if operator.name != "embedding":
        arrays = [-np.ones_like(x) for x in arrays]
    for role, array in weights.items():
        for axis in range(array.ndim):
            for index in range(array.shape[axis]):
                poisoned = array.copy()
                poisoned[(slice(None),) * axis + (index,)] = np.nan
                y = reference.run(operator, arrays, {**weights, role: poisoned})
                if not np.isnan(y).any():
                    return False
    return True


def places_of(sizes: Any) -> Iterator[Place]:
    return product(*map(range, sizes))


def seen_positions(operator: Operator, inputs: Shapes) -> dict[Place, set[Place]]:
    """For every output position the positions of an input whose NaN reaches it.

    The input is the first; of an attention the last, what it attends to, and of a product of matrices
    the other, of which it sees all rows. Tokens of a window that are apart meet with a weight of 0,
    which does not stop NaN; so does a neighbor of what stands on a value. An id becomes another,
    and a deformable window is not deformed.
    """
    arrays, weights = [np.abs(x) for x in arrays_of(operator, inputs)], weights_of(operator, inputs)
    stopped = ("windowattention", "upsample", "resize", "deformconv")
    poison = 1e3 if operator.name in stopped else np.nan
    if operator.name == "deformconv":
        arrays[1][:] = 0
    clean, facts = reference.run(operator, arrays, weights), cast(Any, operator)
    number = len(inputs) - 1 if operator.name in ("attention", "matmul") else 0
    seen: dict[Place, set[Place]] = {}
    for place in places_of(inputs[number].extents):
        poisoned = arrays[number].copy()
        poisoned[0, *place] = (
            (poisoned[0, *place] + 1) % facts.words if operator.name == "embedding" else poison
        )
        with np.errstate(invalid="ignore"):
            others = [*arrays[:number], poisoned, *arrays[number + 1 :]]
            y = reference.run(operator, others, weights)
        for output in places_of(y.shape[1:-1]):
            seen.setdefault(output, set())
        for output in np.argwhere((y[0] != clean[0]).any(axis=-1)).tolist():
            seen[tuple(output)].add(place)
    return seen


def geometry_is_seen(seen: dict[Place, set[Place]], operator: Operator, inputs: Shapes) -> bool:
    geometry = operator.geometry(*inputs)
    everything = set(
        places_of(inputs[-1].extents if operator.name == "attention" else inputs[0].extents)
    )
    if isinstance(geometry, AxisOrder | Regroup):
        y = operator.output_shape(*inputs)
        return all(seen[place] == rearranged(geometry, place, inputs[0], y) for place in seen)
    if operator.name == "matmul":
        rows = set(range(inputs[1].extents[-1]))
        return geometry == "global" and all({p[-1] for p in places} == rows for places in seen.values())
    if isinstance(geometry, WITH_AXES):
        inner = [place for place in seen if not repeats(operator, place, inputs[0])]
        return all(seen[place] == expected_places(geometry, place, inputs[0]) for place in inner)
    if geometry == "global" and operator.name in RECURRENT:  # a step sees those before it
        return everything in seen.values()
    if geometry == "global":
        return all(places == everything for places in seen.values())
    return geometry == "pointwise" and all(len(places) <= 1 for places in seen.values())


def repeats(operator: Any, place: Place, x: Shape) -> bool:
    """Whether a pad fills an output from inside the map: fields are those away from the border."""
    if operator.name != "pad" or not (operator.reflect or operator.edge):
        return False
    sides = zip(place, operator.size, x.extents, strict=True)
    return any(not before <= at < before + n for at, (before, _), n in sides)


def rearranged(geometry: AxisOrder | Regroup, output: Place, x: Shape, y: Shape) -> set[Place]:
    """The positions from which the values of an output are."""
    if isinstance(geometry, AxisOrder):
        kept = {axis: at for axis, at in zip(geometry.axes, output, strict=False) if axis < x.rank}
        return {p for p in places_of(x.extents) if all(p[axis] == at for axis, at in kept.items())}
    number = list(places_of(y.extents)).index(output)
    values = range(number * geometry.after, (number + 1) * geometry.after)
    return {
        p
        for i, p in enumerate(places_of(x.extents))
        if {*values} & {*range(i * geometry.before, (i + 1) * geometry.before)}
    }


def expected_places(geometry: Any, output: Place, x: Shape) -> set[Place]:
    """What a window or grid says that an output sees, as far as it lies inside the map."""
    axes = []
    for axis in range(x.rank):
        if isinstance(geometry, Ring):
            places = [(output[axis] - geometry.shift[axis]) % geometry.inputs[axis]]
        elif isinstance(geometry, Repeat):
            places = [output[axis] // geometry.factor[axis]]
        elif isinstance(geometry, Spread):
            kernel, stride, before, dilation = (sizes[axis] for sizes in geometry)
            taps = [output[axis] + before - tap * dilation for tap in range(kernel)]
            places = [i for i in range(x[axis]) if i * stride in taps]
        elif isinstance(geometry, Samples):  # those less than so many away on both sides
            step, start, unit, taps = (sizes[axis] for sizes in geometry)
            place = Fraction(output[axis] * step + start, unit)
            places = [p for p in range(-9, x[axis] + 9) if abs(p - place) < taps / 2]
            places = places if taps > 1 and place.denominator > 1 else [floor(place)]
        elif isinstance(geometry, Window):
            first = output[axis] * geometry.stride[axis] - geometry.before[axis]
            taps = range(geometry.kernel[axis])
            places = [first + tap * geometry.dilation[axis] for tap in taps]
        elif isinstance(geometry, Cells):  # value p fills [p, p + 1), cell i a share of all
            cell = Fraction(geometry.inputs[axis], geometry.outputs[axis])
            begin, end = output[axis] * cell, (output[axis] + 1) * cell
            places = [p for p in range(x[axis]) if p + 1 > begin and p < end]
        else:
            size, start = geometry.window[axis], geometry.start[axis]
            first = (output[axis] - start) // size * size + start
            places = list(range(first, first + size))
        axes.append([place for place in places if 0 <= place < x[axis]])
    return set(product(*axes))


def geometry_is_listed(operator: Operator, inputs: Shapes) -> bool:
    """By name; a layer that sees each token by itself, and all of a vector, is in no list for both."""
    listed = [kind for kind, names in GEOMETRIES.items() if operator.name in names]
    geometry = operator.geometry(*inputs)
    if operator.name == "linear" and inputs[0].is_sequence:
        return geometry == "pointwise"
    if operator.name in REARRANGED:
        return isinstance(geometry, REARRANGED[operator.name])
    axis = getattr(operator, "axis", "")
    if operator.name in MOVED and axis != "channels":
        whole = operator.name not in ("slice", "roll") and axis in ("positions", "length")
        return geometry == "global" if whole else isinstance(geometry, WITH_AXES)
    if operator.name == "roll":
        return geometry == "pointwise"
    return [geometry] == listed if listed else isinstance(geometry, WITH_AXES)


def rows_hold(operator: Operator, inputs: Shapes) -> bool:
    """The row by hand of this operator on these inputs, if there is one."""
    rows = [
        (shape_of(output), costs)
        for other, shapes, output, costs in ROWS
        if str(other) == str(operator) and tuple(map(shape_of, shapes)) == inputs
    ]
    return all(
        operator.output_shape(*inputs) == output and costs_of(operator, inputs) == costs
        for output, costs in rows
    )


def holds(laws: tuple[Law, ...], operator: Operator, inputs: Shapes) -> bool:
    """Whether all laws hold; an execution that breaks down on what is stated does not hold."""
    try:
        return all(law(operator, inputs) for law in laws)
    except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError):
        return False


# Perturbations: an operator that states one fact wrongly, everything else as it was.


def stating(operator: Operator, fact: str, value: Any) -> Operator:
    liar = copy.copy(operator)
    setattr(liar, fact, lambda *inputs: value)
    return liar


def other_shapes(operator: Operator, inputs: Shapes) -> Iterator[tuple[str, Any]]:
    y = operator.output_shape(*inputs)
    for axis, by in product(range(len(y)), (-1, 1)):
        if y[axis] + by > 0:
            yield "output_shape", Shape(*y[:axis], y[axis] + by, *y[axis + 1 :])
    yield "output_shape", Shape(1, *y)


def other_weights(operator: Operator, inputs: Shapes) -> Iterator[tuple[str, Any]]:
    weights = operator.weights(*inputs)
    for number, weight in enumerate(weights):
        for axis, by in product(range(len(weight.shape)), (-1, 1)):
            sizes = list(weight.shape)
            sizes[axis] += by
            if sizes[axis] > 0:
                changed = weight._replace(shape=tuple(sizes))
                yield "weights", (*weights[:number], changed, *weights[number + 1 :])
        yield "weights", (*weights[:number], *weights[number + 1 :])
    yield "weights", (*weights, Weight("fixed" if operator.name != "rbf" else "weight", (1,)))


def other_work(operator: Operator, inputs: Shapes) -> Iterator[tuple[str, Any]]:
    loops = operator.work(*inputs)
    for number, work in enumerate(loops):
        for by in (-1, 1):
            once = Work(work.kind, (Extent("all", (("steps", work.total + by),)),))
            yield "work", (*loops[:number], once, *loops[number + 1 :])
    for kind in ("products", "additions", "comparisons", "divisions", "exponentials", "powers", "roots"):
        yield "work", (*loops, Work(kind, (Extent("one more", (("step", 1),)),)))


def other_geometry(operator: Operator, inputs: Shapes) -> Iterator[tuple[str, Any]]:
    geometry = operator.geometry(*inputs)
    if isinstance(geometry, AxisOrder):
        yield from (
            ("geometry", AxisOrder(axes))
            for axes in permutations(geometry.axes)
            if axes != geometry.axes
        )
    if isinstance(geometry, Regroup):
        x, y = inputs[0], operator.output_shape(*inputs)
        for field, by in product(geometry._fields, (-1, 1)):
            changed = geometry._replace(**{field: getattr(geometry, field) + by})
            if any(
                rearranged(geometry, place, x, y) != rearranged(changed, place, x, y)
                for place in places_of(y.extents)
            ):
                yield "geometry", changed
    if not isinstance(geometry, WITH_AXES):
        kinds = {"pointwise", "global"} - {geometry}
        yield from (("geometry", kind) for kind in sorted(kinds))
        return
    for field, axis, by in product(geometry._fields, range(inputs[0].rank), (-1, 1)):
        values = list(getattr(geometry, field))
        values[axis] += by
        changed = geometry._replace(**{field: tuple(values)})
        least = (
            -99
            if field in ("before", "start")
            else field in ("window", "inputs", "outputs", "factor", "unit", "taps")
        )
        if values[axis] >= least and tells(geometry, changed, inputs[0]):
            yield "geometry", changed


def tells(geometry: Any, changed: Any, x: Shape) -> bool:
    """Whether the two differ in what they say of a map: the dilation of a single tap says nothing."""
    return any(
        expected_places(geometry, place, x) != expected_places(changed, place, x)
        for place in product(range(1, 4), repeat=x.rank)
    )


PERTURBATIONS = (other_shapes, other_weights, other_work)
NAMES = [f"{operator} on {' '.join(map(str, inputs))}" for operator, inputs in CASES]


@pytest.mark.parametrize(("operator", "inputs"), CASES, ids=NAMES)
def test_what_is_executed(operator: Operator, inputs: Shapes) -> None:
    assert holds((verified, weights_are_read), operator, inputs)
    for perturb in PERTURBATIONS:
        for fact, value in perturb(operator, inputs):
            liar = stating(operator, fact, value)
            assert not holds((verified, weights_are_read), liar, inputs), f"{fact}: {value}"


@pytest.mark.parametrize(("operator", "inputs"), CASES, ids=NAMES)
def test_what_an_output_sees(operator: Operator, inputs: Shapes) -> None:
    seen = seen_positions(operator, inputs)  # whatever the geometry says: no execution reads it
    laws = (partial(geometry_is_seen, seen), geometry_is_listed)
    assert holds(laws, operator, inputs)
    for fact, value in other_geometry(operator, inputs):
        assert not holds(laws, stating(operator, fact, value), inputs), f"{fact}: {value}"


@pytest.mark.parametrize("name", TABLE)
def test_links_are_worked_out_by_hand(name: str) -> None:
    for operator, shapes, *_ in (row for row in ROWS if row[0].name == name):
        inputs = tuple(map(shape_of, shapes))
        assert rows_hold(operator, inputs)
        for by in (-1, 1):
            links = operator.connections(*inputs) + by
            assert not rows_hold(stating(operator, "connections", links), inputs)


VALUES = {"weight_layer": range(4), "stored": (True, False), "buffer": ("fresh", "in place", "view")}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("fact", CONVENTIONS)
def test_conventions_are_tables(name: str, fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, cls = CONVENTIONS[fact], operator_class(name)
    assert stated(fact) == table
    for value in {*VALUES[fact]} - {getattr(cls, fact)}:
        monkeypatch.setattr(cls, fact, value)
        assert stated(fact) != table
