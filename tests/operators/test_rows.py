"""Every operator against rows worked out by hand, with the arithmetic shown: `rows/`."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from archcalc.analysis.costs import count
from archcalc.operators import TABLE
from archcalc.operators.model import Operator, Shape

Row = tuple[Operator, list[tuple[int, int, int]], tuple[int, int, int], dict[str, int]]
FILES = sorted(Path(__file__).with_name("rows").glob("*.py"))
ROWS: list[Row] = [row for path in FILES for row in run_path(str(path))["ROWS"]]


def shape_of(sizes: tuple[int, int, int]) -> Shape:
    """A map or vector of plain sizes; a row that means a sequence says `Tokens`."""
    return sizes if isinstance(sizes, Shape) else Shape(*sizes)


def costs_of(operator: Operator, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    """Everything that is not zero: weights by role, the census, connections, the headline."""
    costs = count(operator, inputs)
    found: dict[str, Any] = {"headline": costs.multiplies, "connections": costs.connections}
    for weight in operator.weights(*inputs):
        found[weight.role] = found.get(weight.role, 0) + weight.size
    found.update(costs.census._asdict())
    return {name: value for name, value in found.items() if value}


@pytest.mark.parametrize(
    "operator, inputs, output, costs",
    ROWS,
    ids=[f"{operator} on {' '.join(str(shape_of(x)) for x in inputs)}" for operator, inputs, *_ in ROWS],
)
def test_row(
    operator: Operator,
    inputs: list[tuple[int, int, int]],
    output: tuple[int, int, int],
    costs: dict[str, int],
) -> None:
    shapes = tuple(map(shape_of, inputs))
    assert operator.output_shape(*shapes) == shape_of(output)
    assert costs_of(operator, shapes) == costs


def test_every_operator_has_a_row() -> None:
    assert {operator.name for operator, *_ in ROWS} == set(TABLE)


def test_weights_fall_under_their_heading() -> None:
    """What training can change, what is only kept, what never changes: of all rows together."""
    for operator, inputs, _, expected in ROWS:
        costs = count(operator, tuple(map(shape_of, inputs)))
        learned = sum(expected.get(role, 0) for role in ("weight", "bias", "position", "scale", "shift"))
        kept = sum(expected.get(role, 0) for role in ("mean", "variance", "fixed"))
        assert costs.parameters == learned
        assert costs.stored_numbers == learned + kept
        assert costs.flops == 2 * expected.get("headline", 0)
