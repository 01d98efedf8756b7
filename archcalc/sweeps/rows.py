"""Provide `archcalc.sweep`: the points of a design space as rows for a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from os import PathLike
from typing import Any

from archcalc.analysis.notebook import Rows
from archcalc.analysis.step import OPTIMIZERS
from archcalc.api import Network, named, plain
from archcalc.errors import Diagnostic, UsageError, listed, shown
from archcalc.formats import formats_of
from archcalc.operators.shape import Shape
from archcalc.spec.settings import show_value, split_values
from archcalc.sweeps.evaluation.request import Request, request
from archcalc.sweeps.evaluation.run import Outcome, Refusal
from archcalc.sweeps.evaluation.run import sweep as evaluate
from archcalc.sweeps.evaluation.stream import Chunk
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.space.model import INPUT, Axis, around, make_space
from archcalc.sweeps.space.points import Points, grid
from archcalc.sweeps.space.points import sample as draw
from archcalc.sweeps.space.unread import notes
from archcalc.units import grouped

MOST_ROWS = 1_000_000  # a row takes half a kilobyte of Python's memory


class SweepRows(Rows):
    """One row per point: its values, then its metrics; with `pareto`, `count` equal points.

    Attributes:
        refused: the reasons why points are no networks, with their number and the first point.
        notes: the number of points that set a value that nothing reads.
    """

    refused: list[Refusal]
    notes: list[str]


def sweep(
    network: Network | str | PathLike[str],
    vary: Mapping[str, Any] | None = None,
    /,
    *,
    where: str = "",
    pareto: str | Iterable[str] = (),
    by: str = "",
    top: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    dtype: str = "float32",
    batch: int | None = None,
    optimizer: str | None = None,
    device: str | None = None,
    flops_per_s: int | None = None,
    bytes_per_s: int | None = None,
) -> SweepRows:
    """Return every point of a design space, with the counts of `load` and `analyze`.

    >>> rows = archcalc.sweep("resnet50", {"width": range(16, 129, 8), "input": [96, 224]})

    Args:
        network: a network, or an argument of `load`.
        vary: the values of each variable, and of "input": "16:128:8" (including the last),
            "64,96", or any iterable of values; {} or None: the spec's own [space].
        where: keep the points where this holds: "multiplies <= 600M and peak <= 1MiB".
        pareto: keep the points that no other beats in all these: "params,max:output".
        by: the metric to minimize, or "max:NAME"; `top`: how many of the best points are kept.
        sample: the number of random points (`seed`) to evaluate instead of all.
        dtype: the type of all values, for the metrics in bytes.
        batch, optimizer: those of `training` (1, "sgd"); device, or both rates: of `roofline`.

    Raises:
        ArchError: an unknown name, an invalid value or condition, more than a million rows.
    """
    points = _points(network, vary, _count("sample", sample), _count("seed", seed, 0) or 0)
    means = _means(optimizer, device, batch=batch, flops_per_s=flops_per_s, bytes_per_s=bytes_per_s)
    texts = {"where": where, "by": by, "dtype": dtype, "pareto": _joined(pareto)}
    return _evaluated(_request(points, top, means, **texts))


def _evaluated(asked: Request) -> SweepRows:
    rows = SweepRows()
    if asked.pareto or asked.by:
        outcome = evaluate(asked, lambda points: None)
        rows.extend(_kept(outcome, asked))
    else:
        outcome = _every(asked, rows)
    rows.refused, rows.notes = outcome.refusals(), list(notes(asked.points))
    return rows


def _means(optimizer: Any, device: Any, **counts: Any) -> dict[str, Any]:
    """Return the given options of training and of the roofline."""
    if optimizer not in (None, *OPTIMIZERS):
        help = f"there are {listed(OPTIMIZERS)}"
        raise UsageError(Diagnostic(f"no optimizer is called `{shown(optimizer)}`", help=help))
    if not isinstance(device, str | None):
        raise UsageError(f"`device` must be text, not a {type(device).__name__}")
    found = {name: _count(name, number) for name, number in counts.items()}
    return {"optimizer": optimizer, "device": device, **found}


def _request(points: Points, top: Any, means: Mapping[str, Any], dtype: Any, **texts: Any) -> Request:
    for name, text in {"dtype": dtype, **texts}.items():
        if not isinstance(text, str):
            raise UsageError(f"`{name}` must be text, not a {type(text).__name__}")
    found = _count("top", top)
    if found is not None and found > MOST_ROWS:
        raise _too_many()
    return request(points, formats_of(dtype), top=found, rows=MOST_ROWS, **means, **texts)


def _points(network: Any, vary: Any, count: int | None, seed: int) -> Points:
    if not isinstance(vary, Mapping | None):
        help = "as in {'width': range(16, 129, 8)}"
        raise UsageError(Diagnostic(f"a {type(vary).__name__} says not what to vary", help=help))
    found = network if isinstance(network, Network) else named(network)
    space = (
        around(found, {name: _texts(name, values) for name, values in vary.items()}) if vary else None
    )
    space = space or make_space(found, [])
    return grid(space) if count is None else draw(space, count, seed)


def _texts(name: Any, values: Any) -> list[str]:
    """Return the values of a variable as a user would type them."""
    if not isinstance(name, str):
        raise UsageError(f"a {type(name).__name__} names no variable")
    if isinstance(values, str):
        found = split_values(values)
    elif isinstance(values, range) and len(values) > 1 and values.step > 0:
        found = [f"{values[0]}:{values[-1]}:{values.step}"]
    else:
        items = values if isinstance(values, Iterable) and not isinstance(values, bytes) else [values]
        found = [_text(name, item) for item in items]
    if not found:
        raise UsageError(Diagnostic(f"`{shown(name)}` takes no values", help="name one or more"))
    return found


def _text(name: str, value: Any) -> str:
    """Return a value as a user would type it; an input of several sizes with x between."""
    value = plain(value)
    if isinstance(value, list):
        texts = [_text(name, item) for item in value]
        return "x".join(texts) if name == INPUT else f"[{','.join(texts)}]"
    if isinstance(value, bool | int | str | Fraction):
        return show_value(value)
    if isinstance(value, float):
        return repr(value)
    raise UsageError(f"`{shown(name)}`: a {type(value).__name__} is no value of a variable")


def _count(name: str, number: Any, least: int = 1) -> int | None:
    if number is None:
        return None
    found = plain(number)
    if type(found) is not int or not least <= found < 1 << 62:
        raise UsageError(f"`{name}` must be an integer from {least}, not `{shown(number)}`")
    return found


def _joined(names: Any) -> str:
    words: list[Any] = (
        [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [None]
    )
    if not all(isinstance(word, str) for word in words):
        raise UsageError(Diagnostic("`pareto` must name metrics", help="as in 'params,max:output'"))
    return ",".join(words)


def _every(asked: Request, rows: SweepRows) -> Outcome:
    """Return all kept points, in order, a chunk at a time."""
    axes = asked.points.space.axes

    def write(chunk: Chunk) -> None:
        if len(rows) + chunk.digits[:, chunk.lanes].shape[1] > MOST_ROWS:
            raise _too_many()
        digits = chunk.digits[:, chunk.lanes].T.tolist()
        results = chunk.found.results[: len(MEANING), chunk.lanes].T.tolist()
        for point, found in zip(digits, results, strict=True):
            rows.append(_values(axes, point) | dict(zip(MEANING, found, strict=True)))

    return evaluate(asked, lambda points: None, write)


def _too_many() -> UsageError:
    help = "`where`, `pareto`, `top` and `sample` keep fewer; `archcalc sweep -o DIR` writes all"
    return UsageError(Diagnostic(f"more than {grouped(MOST_ROWS)} rows", help=help))


def _kept(outcome: Outcome, asked: Request) -> Iterable[dict[str, Any]]:
    """Yield the front, or the best."""
    for digits, metrics, count in outcome.kept():
        counted = {"count": count} if asked.pareto else {}
        yield _values(asked.points.space.axes, digits) | metrics | counted


def _values(axes: Iterable[Axis], digits: Iterable[int]) -> dict[str, Any]:
    """Return a point: numbers as Python's, lists and sizes as a user would type them."""
    return {axis.name: _value(axis, digit) for axis, digit in zip(axes, digits, strict=True)}


def _value(axis: Axis, digit: int) -> Any:
    value = axis.values[digit]
    if isinstance(value, Shape | list):
        return axis.text(digit)
    return float(value) if isinstance(value, Fraction) else value
