"""Symbols are integers: recorded programs against Python's own arithmetic, at any point."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archcalc.arithmetic import ceil_div, maximum, minimum, product, recorded, require
from archcalc.errors import ShapeError
from archcalc.operators.shape import Shape
from archcalc.symbols import Int, Program, Symbol

# operation: on symbols; on plain integers, from the textbook
OPERATIONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[int, int], int]]] = {
    "+": (operator.add, lambda a, b: a + b),
    "-": (operator.sub, lambda a, b: a - b),
    "*": (operator.mul, lambda a, b: a * b),
    "//": (operator.floordiv, lambda a, b: floor(Fraction(a, b)) if b else 0),
    "%": (operator.mod, lambda a, b: a - b * floor(Fraction(a, b)) if b else 0),
    "min": (minimum, lambda a, b: a if a < b else b),
    "max": (maximum, lambda a, b: b if a < b else a),
    "ceil_div": (ceil_div, lambda a, b: ceil(Fraction(a, b)) if b else 0),
    "<": (operator.lt, lambda a, b: int(a < b)),
    "<=": (operator.le, lambda a, b: int(a <= b)),
    ">": (operator.gt, lambda a, b: int(a > b)),
    ">=": (operator.ge, lambda a, b: int(a >= b)),
    "==": (operator.eq, lambda a, b: int(a == b)),
    "!=": (operator.ne, lambda a, b: int(a != b)),
}
NAMES = "xyz"

Tree = Any  # a name, an integer, or (operation, left, right)
numbers = st.integers(-6, 9) | st.sampled_from([0, 1, -1]) | st.integers(-(2**70), 2**70)
trees: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(NAMES) | numbers,
    lambda inner: st.tuples(st.sampled_from(sorted(OPERATIONS)), inner, inner),
    max_leaves=12,
)
anywhere = st.fixed_dictionaries(dict.fromkeys(NAMES, numbers))


def on_integers(tree: Tree, point: Mapping[str, int]) -> int:
    if isinstance(tree, tuple):
        name, left, right = tree
        return OPERATIONS[name][1](on_integers(left, point), on_integers(right, point))
    return point[tree] if isinstance(tree, str) else int(tree)


class Recording:
    """A tree run on symbols. Its numbers stay ints, or become constants or further variables."""

    def __init__(self, tree: Tree, point: Mapping[str, int], numbers_as: str) -> None:
        self.program, self.point = Program(), dict(point)
        self.symbols = {name: self.program.variable(name, value) for name, value in point.items()}
        self.numbers_as = numbers_as
        self.result = self.run(tree)

    def run(self, tree: Tree) -> Int:
        if not isinstance(tree, tuple):
            return self.leaf(tree)
        left, right = self.run(tree[1]), self.run(tree[2])
        plain = isinstance(left, int) and isinstance(right, int)  # nothing to record
        result: Int = OPERATIONS[tree[0]][1 if plain else 0](left, right)
        return result

    def leaf(self, tree: str | int) -> Int:
        if isinstance(tree, int) and self.numbers_as == "int":
            return tree
        if isinstance(tree, int) and self.numbers_as == "constant":
            return self.program.constant(tree)
        if str(tree) not in self.symbols:
            self.point[str(tree)] = int(tree)
            self.symbols[str(tree)] = self.program.variable(str(tree), int(tree))
        return self.symbols[str(tree)]

    def at(self, point: Mapping[str, int]) -> int:
        evaluation = self.program.evaluate({**self.point, **point}, [self.result])
        assert evaluation.valid and evaluation.same_structure
        return evaluation.results[0]


@pytest.mark.parametrize("numbers_as", ["int", "constant", "variable"])
def test_program_computes_what_python_does(numbers_as: str) -> None:
    """Whether numbers are folded or stay in the program: the value is that of plain integers."""

    @settings(max_examples=250, deadline=None, database=None)
    @given(trees, anywhere, anywhere)
    @example(("//", "x", "y"), {"x": 7, "y": 2, "z": 0}, {"x": 7, "y": 0, "z": 0})
    def agree(tree: Tree, a: dict[str, int], b: dict[str, int]) -> None:
        recording = Recording(tree, a, numbers_as)
        assert recorded(recording.result) == recording.at(a) == on_integers(tree, a)
        assert recording.at(b) == on_integers(tree, b)
        assert recording.program.guards == recording.program.requirements == []

    agree()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_pair_of_small_operands(name: str) -> None:
    """Both orders of symbol and int, and the same symbol twice: signs, zeros, neutral numbers."""
    rule, truth = OPERATIONS[name]
    for a in range(-4, 5):
        for b in range(-4, 5):
            program = Program()
            x, y = program.variable("x", a), program.variable("y", b)
            results = [
                rule(x, y),
                rule(x, b),
                rule(a, y),
                rule(program.constant(a), program.constant(b)),
            ]
            assert [recorded(r) for r in results] == [truth(a, b)] * 4
            assert program.evaluate({"x": a, "y": b}, results).results == (truth(a, b),) * 4
            assert program.evaluate({"x": b, "y": a}, [rule(x, y), rule(x, x)]).results == (
                truth(b, a),
                truth(b, b),
            )


def test_division_by_zero_is_total() -> None:
    program = Program()
    x, zero = program.variable("x", 7), program.constant(0)
    y = program.variable("y", 2)
    assert [ceil_div(zero, 0), ceil_div(program.constant(7), 0), zero // 0, 7 % zero] == [0] * 4
    results = [x // y, x % y, ceil_div(x, y), x // zero, zero % zero, 7 // y]
    assert program.evaluate({"x": 7, "y": 0}, results).results == (0, 0, 0, 0, 0, 0)
    assert program.evaluate({"x": 7, "y": -2}, results).results == (-4, -1, -3, 0, 0, -4)


def test_folding() -> None:
    """What is known is not recorded, and what is equal is recorded once."""
    program = Program()
    x, y = program.variable("x", 5), program.variable("y", 3)
    assert x + 0 is x and 0 + x is x and x - 0 is x and x * 1 is x and 1 * x is x and x // 1 is x
    zeros = [x * 0, 0 * x, x % 1, program.constant(3) - program.constant(3)]
    assert zeros == [0] * 4 and not any(isinstance(zero, Symbol) for zero in zeros)
    assert minimum(x, x) is x and maximum(x, x) is x
    assert [x - x, x < x, x <= x, x == x, x != x] == [0, 0, 1, 1, 0]
    assert x + y is y + x and x * 2 is 2 * x and minimum(x, y) is minimum(y, x)
    assert x - y is not y - x and x // y is not y // x and (x < y) is not (y < x)
    assert (x < y) is (y > x) and (x <= y) is (y >= x)
    assert program.constant(6) + program.constant(7) == 13
    assert product([]) == 1 and product([x]) is x
    operations = [name for name, _, _ in program.instructions]
    assert operations.count("+") == operations.count("min") == 1


def test_constants_are_known() -> None:
    program = Program()
    assert program.constant(4).known == 4
    assert program.variable("x", 4).known is None
    assert (-program.constant(4), -program.variable("y", 4) + 4) == (-4, 0)
    assert repr(program.constant(4)) == "Symbol(0, value=4)"
    assert program.point == {"x": 4, "y": 4}
    assert [program.symbol(i).index for i in range(3)] == [0, 1, 2]


def test_a_condition_is_a_guard() -> None:
    program = Program()
    x, y = program.variable("x", 5), program.variable("y", 3)
    assert x > y
    assert not x == y  # noqa: SIM201
    assert bool(x - 5) is False
    assert [guard.outcome for guard in program.guards] == [1, 0, 0]
    point = {"x": 5, "y": 3}
    assert program.evaluate(point, []).same_structure
    assert program.evaluate({"x": 5, "y": 4}, []).same_structure
    assert not program.evaluate({"x": 5, "y": 5}, []).same_structure  # neither greater nor unequal
    assert not program.evaluate({"x": 6, "y": 3}, []).same_structure  # x - 5 is true now
    assert program.evaluate({"x": 6, "y": 3}, []).valid  # but nothing is refused


@pytest.mark.parametrize(
    "fix",
    [
        int,
        operator.index,
        lambda x: len(range(x)),
        lambda x: len([0] * int(x)),
        lambda x: [10, 11, 12, 13][x] - 10,
        lambda x: x.decide() if (x == 3) else None,
    ],
)
def test_an_index_fixes_the_value(fix: Callable[[Symbol], int]) -> None:
    program = Program()
    x = program.variable("x", 3)
    assert fix(x) == 3
    assert program.evaluate({"x": 3}, []).same_structure
    assert not program.evaluate({"x": 4}, []).same_structure


def test_a_guard_is_noted_once_and_none_for_what_is_known() -> None:
    program = Program()
    x, five = program.variable("x", 5), program.constant(5)
    assert [int(x), int(x), int(five), bool(five), five.decide()] == [5, 5, 5, True, 5]
    assert bool(program.constant(0)) is False
    assert len(program.guards) == 1


def test_two_programs_do_not_mix() -> None:
    x, y = Program().variable("x", 1), Program().variable("y", 1)
    for rule, _ in OPERATIONS.values():
        with pytest.raises(ValueError, match=r"^symbols of two programs do not mix$"):
            rule(x, y)


def test_a_name_is_used_once() -> None:
    program = Program()
    program.variable("x", 1)
    with pytest.raises(ValueError, match=r"^the program has a variable x already$"):
        program.variable("x", 2)


@pytest.mark.parametrize("other", [Fraction(3, 4), 0.75, "3", None])
@pytest.mark.parametrize("name", [n for n in OPERATIONS if n not in ("==", "!=")])
def test_only_integers_take_part(name: str, other: Any) -> None:
    """A width of 3/4 is never cut off to 0."""
    x = Program().variable("x", 64)
    for operands in ((x, other), (other, x)):
        with pytest.raises(TypeError):
            OPERATIONS[name][0](*operands)


def test_nothing_but_integers_is_recorded() -> None:
    with pytest.raises(TypeError):
        Program().constant(Fraction(3, 4))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Program().variable("x", 0.5)  # type: ignore[arg-type]
    assert Program().constant(True).known == 1
    x = Program().variable("x", 3)
    assert (x == "window") is False and (x != None) is True  # noqa: E711


def test_a_requirement_holds_where_it_is_recorded_and_refuses_elsewhere() -> None:
    program = Program()
    x, g = program.variable("x", 12), program.variable("g", 4)
    require(x % g == 0, "{g} groups do not divide {x} channels", "g", g=g, x=x)
    assert [program.evaluate({"x": 12, "g": g}, []).valid for g in range(1, 7)] == [1, 1, 1, 1, 0, 1]
    assert program.evaluate({"x": 12, "g": 5}, []).same_structure  # a refusal is no decision
    require(program.constant(3) > 2, "three is more than two")
    require(True, "nothing to refuse")
    assert len(program.requirements) == 1


def test_a_refusal_shows_numbers() -> None:
    program = Program()
    x, y = program.variable("x", 5), program.variable("y", 7)
    seen: dict[str, object] = {}

    def help(**values: object) -> str:
        seen.update(values)
        return "another way"

    with pytest.raises(ShapeError) as caught:
        require(
            x == y, "{x} is not {y} on {map}", "k", help, x=x, y=7, map=Shape(x, y, 3), pair=(x, (y,))
        )
    error = caught.value
    assert (error.message, error.field, error.help) == ("5 is not 7 on 5×7×3", "k", "another way")
    assert seen == {"x": 5, "y": 7, "map": Shape(5, 7, 3), "pair": (5, (7,))}
    assert isinstance(seen["map"], Shape)
    assert program.requirements[0].message().message == "5 is not 7 on 5×7×3"
    assert program.guards == []


def test_a_refusal_of_integers() -> None:
    with pytest.raises(ShapeError) as caught:
        require(1 > 2, "{a} is no {b}", a="a", b=2)
    assert (caught.value.message, caught.value.field, caught.value.help) == ("a is no 2", "", "")
    require(2 > 1, "{missing} is not looked at")


def test_checks_stand_in_the_order_of_the_run() -> None:
    """A later one means nothing where an earlier one fails; the same condition is checked once."""
    program = Program()
    x, y = program.variable("x", 4), program.variable("y", 2)
    require(x >= 1, "{x} is not positive", x=x)
    assert x > y
    require(x % y == 0, "{y} does not divide {x}", x=x, y=y)
    require(x >= 1, "{x} is not positive", x=x)
    assert x > y
    kinds = [type(check).__name__ for check in program.checks]
    assert kinds == ["Requirement", "Guard", "Requirement"]
    assert [r.template for r in program.requirements] == [
        "{x} is not positive",
        "{y} does not divide {x}",
    ]


def test_what_is_fixed_is_told_apart_from_what_is_compared() -> None:
    program = Program()
    x, y = program.variable("x", 4), program.variable("y", 2)
    assert x == 4 and [0, 1, 2][y] == 2
    assert program.fixed == [y.index]
