"""Draw the front of a sweep in text: its first two goals, one mark an entry."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import log
from typing import Any

from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.model import Column, Report
from archcalc.sweeps.evaluation.request import Request
from archcalc.sweeps.evaluation.run import Outcome, PointRow
from archcalc.units import grouped

WIDTH, HEIGHT = 56, 12
WIDE = 20  # an axis whose maximum is this many times its minimum is logarithmic


def refuse_undrawn(asked: Request, format: str) -> None:
    """Refuse a drawing of no front, or in a format other than text.

    Raises:
        UsageError: the sweep has fewer than two goals, or its format is not `table`.
    """
    if len(asked.pareto) < 2 or format != "table":
        help = "as in --pareto params,multiplies --plot; `archcalc sweep plot DIR` draws what -o wrote"
        raise UsageError(Diagnostic("--plot draws a front of two goals, as text", help=help))


def drawn(outcome: Outcome) -> Report:
    """Return the drawing: the first goal to the right, the second upwards."""
    x, y = outcome.request.pareto[:2]
    rows = list(outcome.rows())
    xs, ys = ([_value(row, goal.name) for row in rows] for goal in (x, y))
    marks = [[" "] * WIDTH for _ in range(HEIGHT)]
    for column, row in zip(_places(xs, WIDTH), _places(ys, HEIGHT), strict=True):
        marks[row][column] = "•"
    lines = [{"y": "", "marks": f"│{''.join(line)}"} for line in reversed(marks)]
    lines[0]["y"], lines[-1]["y"] = _text(max(ys)), _text(min(ys))
    least, most = _text(min(xs)), _text(max(xs))
    lines.append({"y": "", "marks": f"└{'─' * WIDTH}"})
    lines.append({"y": "", "marks": f" {least}{most:>{WIDTH - len(least)}}" if least != most else least})
    told = [f"{grouped(len(rows))} entries: {x} to the right, {y} upwards"]
    ratios = [goal.name for goal, values in ((x, xs), (y, ys)) if _in_ratios(values)]
    told += [f"of equal ratio: {', '.join(ratios)}"] if ratios else []
    columns = (Column("y", y.name, "text"), Column("marks", "", "math"))
    return Report("The front", columns, tuple(lines), None, tuple(told), list, "sweep")


def _value(row: PointRow, name: str) -> Any:
    return row.metrics[name] if name in row.metrics else Fraction(row.values[name])


def _in_ratios(values: Sequence[Any]) -> bool:
    return bool(0 < min(values) * WIDE <= max(values))


def _places(values: Sequence[Any], count: int) -> list[int]:
    """Return for each value one of `count` places, 0 for the minimum."""
    scale = log if _in_ratios(values) else float
    low, high = scale(min(values)), scale(max(values))
    return [round((scale(v) - low) / ((high - low) or 1) * (count - 1)) for v in values]


def _text(value: Any) -> str:
    return grouped(int(value)) if value == int(value) else f"{float(value):g}"
