"""Parse the request of a sweep: points, condition and goals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from archcalc.analysis.devices import roof_of
from archcalc.analysis.step import require_floats
from archcalc.errors import Diagnostic, SpecError, UsageError, shown
from archcalc.formats import Formats
from archcalc.spec.expressions import Expression
from archcalc.sweeps.evaluation.collector import Goal, parse_goals
from archcalc.sweeps.metrics import (
    ALIASES,
    MEANING,
    OTHERS,
    BlockCount,
    Count,
    NetworkCount,
    block_named,
    named_layers,
)
from archcalc.sweeps.space.constraints import blocks_in, parse_condition
from archcalc.sweeps.space.model import INPUT
from archcalc.sweeps.space.points import Points
from archcalc.sweeps.space.unread import MOST_BUILT
from archcalc.tuples import NamedTuple

# the options that only some metrics read, and these metrics
MEANS = {
    "batch": ("training", "roofline"),
    "optimizer": ("training",),
    "device": ("roofline",),
    "flops_per_s": ("roofline",),
    "bytes_per_s": ("roofline",),
}
BOUNDS = {"training": "8GiB", "roofline": "2M"}


class Request(NamedTuple):
    """A request: points, condition and goals; `top` rows are kept, by the goal `by`."""

    points: Points
    formats: Formats
    where: str
    condition: Expression | None
    pareto: tuple[Goal, ...]
    by: Goal | None
    top: int
    others: tuple[Count, ...] = ()  # the further counts that the condition or a goal names


def request(
    points: Points,
    formats: Formats,
    where: str,
    pareto: str,
    by: str,
    top: int | None,
    rows: int,
    **given: Any,
) -> Request:
    """Parse the request of a command line. `rows` are kept if no number is given.

    `given` are the options of `MEANS` that are set.

    Raises:
        UsageError: a name, a unit or a condition is invalid.
    """
    names = _names(points)
    condition = parse_condition(where, names) if where else None
    goals = parse_goals(pareto, names, "--pareto", True) if pareto else ()
    chosen = parse_goals(by, names, "--by", True) if by else ()
    for goal in (*goals, *chosen):
        refuse_order(goal.name, names)
    if len(chosen) > 1:
        raise UsageError(Diagnostic("--by takes one name", help="several go to --pareto"))
    if goals and (chosen or top is not None):
        raise UsageError(Diagnostic("--pareto and --top exclude each other", help="run them in turn"))
    if top is not None and not chosen:
        chosen = (Goal("multiplies", False),)
    named = [block_named(goal.name) for goal in (*goals, *chosen)]
    wanted = [*filter(None, named), *(blocks_in(condition) if condition is not None else ())]
    blocks = [_located(points, metric, path) for metric, path in dict.fromkeys(wanted)]
    asked = {*(condition.names if condition is not None else ()), *(g.name for g in (*goals, *chosen))}
    asked -= points.space.network.values.keys()
    others = [_counted(name, formats, given) for name in OTHERS if name in asked]
    _refuse_unread(asked, given)
    by_one = chosen[0] if chosen else None
    return Request(points, formats, where, condition, goals, by_one, top or rows, (*others, *blocks))


def _counted(name: str, formats: Formats, given: Mapping[str, Any]) -> NetworkCount:
    """Return one of the other metrics, after a check of the options that it needs."""
    batch, optimizer = given.get("batch") or 1, given.get("optimizer") or "sgd"
    if name == "training":
        require_floats(formats)
    if name != "roofline":
        return NetworkCount(name, batch, optimizer)
    rates = [given.get(word) for word in ("device", "flops_per_s", "bytes_per_s")]
    return NetworkCount(name, batch, roof=roof_of(formats.activations, *rates))


def _refuse_unread(asked: Collection[str], given: Mapping[str, Any]) -> None:
    """Refuse options that only metrics read which the request does not name."""
    for word, value in given.items():
        readers = MEANS[word]
        if value is not None and not any(name in asked for name in readers):
            names = " and ".join(f"`{name}`" for name in readers)
            help = f"as in --where '{readers[0]} <= {BOUNDS[readers[0]]}'"
            option = word.replace("_", "-")
            raise UsageError(Diagnostic(f"--{option} counts with {names} only", help=help))


def _names(points: Points) -> dict[str, Any]:
    """Return the names that conditions and goals may use, each with a value from some point."""
    space = points.space
    items = {axis.name: axis.values[0] for axis in space.axes if axis.variable != INPUT}
    own = {**space.network.values, **items, **dict.fromkeys((*MEANING, *ALIASES), 1)}
    return {**dict.fromkeys(OTHERS, 1), **own}


def refuse_order(name: str, names: Mapping[str, Any]) -> None:
    """Refuse a goal that is not a number.

    Raises:
        UsageError: it is text or a list.
    """
    value = names.get(name)
    if isinstance(value, str | list):
        what = "text" if isinstance(value, str) else "a list"
        help = (
            f"an item is a number: {name}[0]" if what == "a list" else "conditions may name it: --where"
        )
        raise UsageError(Diagnostic(f"`{shown(name)}` is {what}: no value is the least", help=help))


def _located(points: Points, metric: str, path: str) -> BlockCount:
    """Return a metric of a block, resolved in the network, or else in the first point that has it.

    Raises:
        UsageError: no point has the block.
    """
    space, step = points.space, -(-points.size // MOST_BUILT)
    places = (space.at(points.digits(number)) for number in range(0, points.size, step))
    refused: UsageError | None = None
    for network in (space.network, *places):
        with suppress(SpecError):
            graph = network.graph
            try:
                return BlockCount(metric, named_layers(graph, path))
            except UsageError as error:
                refused = refused or error
    raise refused or UsageError(f"no point has a block `{shown(path)}`")
