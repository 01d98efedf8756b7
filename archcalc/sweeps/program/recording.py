"""Build a spec once on symbols: record a program that computes a point's metrics without the graph.

A program is valid where its guards have the same outcomes. If the network is refused, the checks up to
the refusal are recorded: where they have the same outcomes, a point is refused for the same reason.
Each recording is compared with the analysis of its point without symbols, so that what symbols cannot
express is found, not miscounted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from math import lcm
from typing import Any

from archcalc.api import Network
from archcalc.arithmetic import recorded
from archcalc.errors import ArchError
from archcalc.formats import Formats
from archcalc.graph.build import build
from archcalc.graph.folding import UnfoldableError, hides
from archcalc.graph.model import Graph
from archcalc.operators.shape import Shape
from archcalc.rationals import ratio
from archcalc.sweeps.metrics import BlockCount, Count, metrics
from archcalc.sweeps.space.model import INPUT, Axis, Space, settings
from archcalc.symbols import Guard, Int, Program, Requirement
from archcalc.tuples import NamedTuple

LARGEST_DENOMINATOR = 1 << 31  # of the values of one axis


class SizeInput(NamedTuple):
    """An input of the programs, with its value for every digit of its axis.

    A decimal is an integer over a denominator that all values of the axis share.
    """

    name: str
    axis: int
    values: Sequence[int]
    denominator: int = 1


class Recording(NamedTuple):
    """A program with its checks in order.

    Attributes:
        results: the metrics; None if the network is refused where the checks have the same outcomes.
        refusal: the reason in that case, as a template.
        variables: those of the spec by name, sizes as symbols.
    """

    program: Program
    checks: tuple[Requirement | Guard, ...]
    results: dict[str, Int] | None
    refusal: str
    variables: dict[str, Any]


class MetricsAsked(NamedTuple):
    """What is counted at every point: the metrics, in these data types, and other counts."""

    formats: Formats
    others: tuple[Count, ...] = ()

    def on_symbols(self, graph: Graph) -> None:
        """Refuse a graph whose counts symbols cannot express.

        Raises:
            UnfoldableError: a count needs repeats that are built with all rounds.
            UnsupportedError: a count depends on the order of sizes, as the arena's layout does.
        """
        for count in self.others:
            if isinstance(count, BlockCount):
                folded = hides(graph.folds, count.layers.path)
            else:
                folded = count.metric == "training" and bool(graph.folds)
            if folded:
                raise UnfoldableError
            if count.metric == "arena":
                raise UnsupportedError


class UnsupportedError(Exception):
    """Symbols cannot express the result: axes are enumerated, or points are analyzed one by one."""


def columns(axis: Axis, number: int) -> tuple[SizeInput, ...] | None:
    """Return the numbers that an axis varies; None for texts, booleans and lists."""
    if axis.variable == INPUT:
        shapes: Sequence[Shape] = axis.values
        if len({shape.rank for shape in shapes}) > 1:
            return None
        *sides, channels = zip(*shapes, strict=True)
        named = dict(zip(shapes[0].axes, sides, strict=True))
        if named.get("height") == named.get("width", ()):
            del named["width"]
        found = {**named, **({"channels": channels} if len(set(channels)) > 1 else {})}
        return tuple(SizeInput(f"input {name}", number, values) for name, values in found.items())
    if isinstance(axis.values, range) or all(type(value) is int for value in axis.values):
        return (SizeInput(axis.name, number, axis.values),)
    if all(type(value) is int or isinstance(value, Fraction) for value in axis.values):
        common = lcm(*(value.denominator for value in axis.values))
        if common <= LARGEST_DENOMINATOR:
            return (SizeInput(axis.name, number, [int(v * common) for v in axis.values], common),)
    return None


def record(
    space: Space, digits: Sequence[int], sizes: Mapping[int, Sequence[SizeInput]], asked: MetricsAsked
) -> Recording:
    """Return the program of the point with these digits; the axes in `sizes` are its variables.

    Repeats are folded if possible.

    Raises:
        UnsupportedError: the program disagrees with the analysis of the point.
    """
    with suppress(UnfoldableError):
        return _record(space, digits, sizes, asked, True)
    return _record(space, digits, sizes, asked, False)


def _record(
    space: Space,
    digits: Sequence[int],
    sizes: Mapping[int, Sequence[SizeInput]],
    asked: MetricsAsked,
    folds: bool,
) -> Recording:
    program = Program()
    values = [_value(program, space.axes[i], digit, sizes.get(i)) for i, digit in enumerate(digits)]
    changed, input = settings(space.network, zip(space.axes, values, strict=True))
    variables: dict[str, Any] = {**space.network.values, **changed}
    if not sizes:  # nothing varies: only a refusal is recorded, for the template of its reason
        results, refusal = analyzed(space.at(digits), *asked)
        if results is not None:
            return Recording(program, (), results, refusal, variables)
    results, refusal = _run(space.network, variables, input, asked, folds)
    expected, refused = analyzed(space.at(digits), *asked)
    found = None if results is None else {name: recorded(value) for name, value in results.items()}
    if found != expected or refusal != refused:
        raise UnfoldableError if program.folded else UnsupportedError
    if program.folded and results is not None:
        _require_elsewhere(space, digits, sizes, asked, program, results)
    checks = tuple(program.checks)
    for i, check in enumerate(checks):
        if isinstance(check, Requirement) and not program.symbol(check.condition).value:
            checks = (*checks[:i], Guard(check.condition, 0))  # where it holds, the build would continue
            refusal = check.template
            break
    else:
        if program.folded and results is None:  # what is missing may be in rounds that are not built
            raise UnfoldableError
    return Recording(program, checks, results, refusal, variables)


def _require_elsewhere(
    space: Space,
    digits: Sequence[int],
    sizes: Mapping[int, Sequence[SizeInput]],
    asked: MetricsAsked,
    program: Program,
    results: Mapping[str, Int],
) -> None:
    """Check a program with folded repeats at a second point: two values further on all axes.

    If that point has another structure, the axes that count rounds are moved one by one. The rounds
    themselves prove that they fold; this check would find an error in the proof.

    Raises:
        UnfoldableError: the program is wrong at such a point.
    """
    axes = [axis for axis, inputs in sizes.items() if not inputs[0].name.startswith(INPUT)]
    counts = inputs_read(program, program.folded)
    for moved in (axes, *([axis] for axis in axes if sizes[axis][0].name in counts)):
        other = list(digits)
        for axis in moved:
            other[axis] = min(digits[axis] + 2, len(space.axes[axis].values) - 1)
        point = {c.name: c.values[other[i]] for i, own in sizes.items() for c in own}
        there = program.evaluate(point, list(results.values()))
        if not (there.valid and there.same_structure):
            continue
        expected, _ = analyzed(space.at(other), *asked)
        if expected is None or list(expected.values()) != list(there.results):
            raise UnfoldableError
        if moved is axes:
            return


def inputs_read(program: Program, instructions: Sequence[int]) -> set[str]:
    """Return the names of the inputs on which instructions of a program depend."""
    waiting, seen, names = list(instructions), set[int](), set[str]()
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        name, a, b = program.instructions[index]
        if name == "input":
            names.add(program.inputs[a])
        elif name != "constant":
            waiting += [a, b]
    return names


def analyzed(
    network: Network, formats: Formats, others: Sequence[Count] = ()
) -> tuple[dict[str, Int] | None, str]:
    """Return the metrics of a network without symbols, or the reason of its refusal."""
    try:
        return metrics(network.graph, formats, others), ""
    except ArchError as error:
        return None, error.diagnostics[0].message


def _value(program: Program, axis: Axis, digit: int, sizes: Sequence[SizeInput] | None) -> Any:
    """Return the value on an axis, with symbols in place of its sizes."""
    value = axis.values[digit]
    if sizes is None:
        return value
    found = {c.name: ratio(program.variable(c.name, c.values[digit]), c.denominator) for c in sizes}
    if axis.variable != INPUT:
        return found[axis.name]
    sides = [
        found[name if name in found else "input height"] for name in map("input {}".format, value.axes)
    ]
    return Shape(*sides, found.get("input channels", value.channels))


def _run(
    network: Network,
    variables: dict[str, Any],
    input: tuple[Any, ...] | None,
    asked: MetricsAsked,
    folds: bool,
) -> tuple[dict[str, Int] | None, str]:
    shape = None if input is None else Shape(*input)
    try:
        graph = build(network.spec, variables, shape, network.variant, folds=folds)
        asked.on_symbols(graph)
        return metrics(graph, *asked), ""
    except ArchError as error:
        return None, error.diagnostics[0].message
