"""Expressions on symbols give what they give on integers, errors included, or decide by a guard."""

from __future__ import annotations

import pytest

from archcalc.arithmetic import recorded
from archcalc.errors import ArchError
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse
from archcalc.symbols import Program

# expressions of x and y with their values by hand at (x, y)
VALUES = [
    ("x // y", 7, 2, 3),
    ("x % y", 7, 2, 1),
    ("round_to(x, y)", 20, 8, 24),  # 2.5 multiples, half up
    ("round_to(x, y)", 17, 16, 16),  # 16 is more than 90 % of 17
    ("round_to(x, 8)", 11, 1, 16),  # 8 is under 90 % of 11
    ("[x, y][0] + sum([x, y])", 7, 2, 16),
    ("x if x > y else y", 7, 2, 7),
    ("min(x, y) * max(x, 3) - ceil(x)", 7, 2, 7),
]


@pytest.mark.parametrize(("text", "x", "y", "value"), VALUES)
def test_values(text: str, x: int, y: int, value: int) -> None:
    program = Program()
    symbols = {"x": program.variable("x", x), "y": program.variable("y", y)}
    result = evaluate(parse(text), symbols.__getitem__)
    assert recorded(result) == evaluate(parse(text), {"x": x, "y": y}.__getitem__) == value


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [("x // y", 7, 0), ("x % y", 7, 0), ("round_to(x, 8)", 0, 1), ("round_to(x, y)", 5, 0)],
)
def test_errors(text: str, x: int, y: int) -> None:
    """Where integers are refused, symbols are; and a program recorded elsewhere does not hold there."""

    def refusal(values: dict[str, object]) -> str:
        with pytest.raises(ArchError) as caught:
            evaluate(parse(text), values.__getitem__)  # type: ignore[arg-type]
        return str(caught.value)

    program = Program()
    at_fault: dict[str, object] = {"x": program.variable("x", x), "y": program.variable("y", y)}
    assert refusal(at_fault) == refusal({"x": x, "y": y})
    program = Program()
    elsewhere = {"x": program.variable("x", 8), "y": program.variable("y", 4)}
    evaluate(parse(text), elsewhere.__getitem__)
    assert program.evaluate({"x": 8, "y": 2}, []).same_structure
    assert not program.evaluate({"x": x, "y": y}, []).same_structure
