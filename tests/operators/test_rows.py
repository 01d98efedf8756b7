"""Every operator against rows worked out by hand, with the arithmetic shown: `rows/`."""

from __future__ import annotations

import pytest
from support.operator_rows import ROWS, costs_of, shape_of

from archcalc.analysis.costs import count
from archcalc.operators import TABLE
from archcalc.operators.model import Operator


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
