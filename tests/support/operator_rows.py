"""The rows worked out by hand in `operators/rows/`, and what archcalc says of the same operators."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any

from archcalc.analysis.costs import count
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

Row = tuple[Operator, list[tuple[int, int, int]], tuple[int, int, int], dict[str, int]]
FILES = sorted((Path(__file__).parents[1] / "operators" / "rows").glob("*.py"))
ROWS: list[Row] = [row for path in FILES for row in run_path(str(path))["ROWS"]]


def shape_of(sizes: tuple[int, int, int]) -> Shape:
    """Return a map or vector of plain sizes; a row that means another tensor says `Shape`."""
    return sizes if isinstance(sizes, Shape) else Shape(*sizes)


def costs_of(operator: Operator, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    """Return all that is not zero: weights by role, the census, connections, the headline."""
    costs = count(operator, inputs)
    found: dict[str, Any] = {"headline": costs.multiplies, "connections": costs.connections}
    for weight in operator.weights(*inputs):
        found[weight.role] = found.get(weight.role, 0) + weight.size
    found.update(costs.census._asdict())
    return {name: value for name, value in found.items() if value}
