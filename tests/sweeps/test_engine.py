"""The engine where programs alone do not do: other structures, too many of them, more than 64 bits."""

from __future__ import annotations

import numpy as np
import pytest
from support.formats import FLOAT32

from archcalc.api import Network
from archcalc.errors import UsageError
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.sweeps.evaluation import structures as structures_module
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.stream import reader
from archcalc.sweeps.evaluation.structures import WHERE
from archcalc.sweeps.machine import numpy_machine
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.program.recording import analyzed
from archcalc.sweeps.space.constraints import holds, parse_condition
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid

METRICS = list(MEANING)


def points(layers: str, variables: str, *varied: str) -> Points:
    text = f'input = "8x8x4"\nlayers = [{layers}]\n[vars]\n{variables}\n'
    network = Network(Entry("own", read(Source("own.toml", text)), None), {})
    return grid(make_space(network, varied))


def evaluated(points: Points, where: str = "") -> Engine:
    """The engine, after comparing every point with its plain analysis."""
    names = [*METRICS, "a", "b"]
    engine = Engine(
        points, METRICS, FLOAT32, parse_condition(where, dict.fromkeys(names, 1)) if where else None
    )
    found = engine.evaluate(reader(points, False)(0, points.size))
    for j in range(points.size):
        expected, _ = analyzed(points.space.at(points.digits(j)), FLOAT32)
        assert (found.reasons[j] == 0) == (expected is not None)
        if expected is not None:
            assert found.results[: len(METRICS), j].tolist() == list(expected.values())
    return engine


def test_a_condition_on_a_size_makes_two_structures() -> None:
    engine = evaluated(points('"if channels != 2*a: conv {2*a}", "conv 3"', "a = 1", "a=1:6"))
    assert (engine.structures.recorded, engine.structures.enumerated) == (2, [])


def test_a_repeat_of_other_rounds_is_enumerated() -> None:
    engine = evaluated(points('"{a} x conv {b + channels}"', "a = 1\nb = 2", "a=0:3", "b=1:9"))
    assert (engine.structures.recorded, engine.structures.enumerated) == (4, [0])


def test_a_size_that_is_refused_says_why() -> None:
    engine = evaluated(points('"conv 12 k{a} g{b}"', "a = 1\nb = 1", "a=0:12", "b=0:5"))
    assert {reason.partition("}")[2] for reason in engine.messages.reasons} == {
        "` must be {what}, not {value}",
        " groups do not divide {count} {what}",
        " does not fit the {name} of {padded}",
    }


def test_decimals_are_sizes() -> None:
    engine = evaluated(
        points('"conv {floor(10*a)} | conv {b}"', "a = 0.5\nb = 1", "a=0.25:1:0.25", "b=1:3")
    )
    assert (engine.structures.recorded, engine.structures.enumerated) == (1, [])


def test_decimals_that_give_no_size_are_refused_alike() -> None:
    """40·a is a size at two of seven values; 1 / (a − 0.5) has two signs, and none at 0.5."""
    engine = evaluated(points('"conv {40*a} | conv {b}"', "a = 0.5\nb = 1", "a=0.45:0.51:0.01", "b=1:2"))
    assert (engine.structures.recorded, engine.structures.enumerated) == (2, [])
    evaluated(
        points(
            '"conv {4 + floor(1 / (a - 0.5))} | conv {b}"', "a = 1.0\nb = 1", "a=0:1.25:0.25", "b=1:2"
        )
    )


def test_decimals_of_many_kinds_agree() -> None:
    """Decimals as arguments of blocks, rates, repeats, items of lists, conditions."""
    evaluated(points('"dropout {a/2} | {2*a} x conv {b}"', "a = 0.5\nb = 3", "a=0.25:2:0.25", "b=1:2"))
    evaluated(points('"if a > 0.7: conv {b}", "conv 3"', "a = 0.5\nb = 3", "a=0.1:1.3:0.1", "b=1:2"))
    evaluated(points('"conv {[b, 4, 5][a]}"', "a = 1.0\nb = 3", "a=0:3:0.5", "b=1:2"))
    evaluated(points('"conv {round_to(channels*a*b, 4)}"', "a = 1.0\nb = 3", "a=0.01:2:0.37", "b=1:9"))
    evaluated(points('"conv {max(b, 2*a)} k{floor(a)}"', "a = 1.0\nb = 3", "a=0:3:0.5", "b=1:2"))


def test_a_division_by_zero_is_refused_where_it_happens() -> None:
    engine = evaluated(points('"conv {12 // a} | conv {b % a + 1}"', "a = 1\nb = 1", "a=0:3", "b=1:3"))
    assert [reason for reason in engine.messages.reasons if "zero" in reason] == [
        "`12 // a` divides by zero"
    ]


def test_more_than_64_bits_are_exact() -> None:
    """Three layers of b channels: 2·b² + … parameters, beyond 2^63 for b = 4·10^9."""
    engine = evaluated(points('"3 x conv {b}"', "b = 1", "b=1:4000000001:1000000000"))
    assert engine.messages.notes == ["64 bits do not suffice here: exact integers, point by point"]
    found = engine.evaluate(reader(engine.points, False)(0, 5))
    assert found.results[0, 4] == (4 + 2 * 4_000_000_001 + 3) * 4_000_000_001
    assert found.results[0, 4] > 2**64


def test_what_building_refuses_beyond_64_bits_is_refused() -> None:
    engine = evaluated(points('"conv {b*b*b // (b*b)}"', "b = 1", "b=1:4000001:2000000"))
    found = engine.evaluate(reader(engine.points, False)(0, 3))
    told = [engine.messages.reasons[r - 1] if r else "" for r in found.reasons.tolist()]
    assert told == ["", "", "`b*b*b // (b*b)` goes beyond 64 bits"]  # 4·10^6 cubed is 6.4·10^19


def test_too_many_structures_are_slower_and_as_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures_module, "MOST_STRUCTURES", 2)
    engine = evaluated(points('"{a} x conv {b} k3"', "a = 1\nb = 2", "a=0:5", "b=1:3"))
    assert engine.structures.recorded == 2
    assert engine.messages.notes == ["more than 2 structures: the rest is analyzed point by point"]


@pytest.mark.parametrize("most", [1_000, 1])
def test_a_condition_is_a_result(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures_module, "MOST_STRUCTURES", most)
    space = points('"{a} x conv {b} k3 half"', "a = 1\nb = 2", "a=1:3", "b=1:9")
    engine = evaluated(space, "parameters <= 500 and not b == 3 or a + 1 > 2*b and output >= 8")
    found = engine.evaluate(reader(space, False)(0, space.size))
    assert engine.wanted[-1] == WHERE
    for j in range(space.size):
        a, b = (int(space.space.axes[i].values[d]) for i, d in enumerate(space.digits(j)))
        parameters = (4 * 9 + 1) * b + (a - 1) * (9 * b + 1) * b
        assert found.results[0, j] == parameters
        assert bool(found.results[-1, j]) == ((parameters <= 500 and b != 3) or a + 1 > 2 * b)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x <= 1K", 1),
        ("x > 1.5K", 0),
        ("x == 1_000", 1),
        ("x < 1KiB", 1),
        ("0 < x <= 1000 < y", 1),
        ("y // (x - 999) == 2000", 1),
        ("x == 1000 or y // (x - 1000) == 0", 0),  # a division by 0 holds nowhere
        ("not (x >= 1000) or not y", None),
        ("-x < 0 and +y > 0 and x * y - 2 * x == 1998000", 1),
        ("y % 7 == 5", 1),
        ("x <= 1GiB and y <= 2 M", 1),
        ("x < 1000.5 and 0.0005 * y == 1 and -0.5 < 0", 1),
        ("x // 0.3 == 3333 and y % 0.3 * 10 == 2", 1),  # 2000 = 6666 · 0.3 + 0.2
        ("true and not false and 'k' != \"K\"", 1),
    ],
)
def test_conditions(text: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(UsageError, match="is no condition"):
            parse_condition(text, {"x": 1, "y": 1})
        return
    condition = parse_condition(text, {"x": 1, "y": 1})
    assert holds(condition, {"x": 1000, "y": 2000}.__getitem__) == value


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("multiples <= 3", "--where: unknown name `multiples`", "did you mean `multiplies`?"),
        ("peak <= 3 Kb", "--where: unknown unit `Kb`", "did you mean `KB`?"),
        ("peak <= 3.0005k", "--where: `3.0005k` is no whole number", "metrics are whole numbers"),
        ("peak", "--where: `peak` is no condition", "as in "),
        ("peak <= 'x'", "--where: `peak <= 'x'` is no comparison: one side is text", "as in "),
        ("peak + 'x' <= 3", "--where: `'x'` is no number", "as in "),
        (
            "peak(3) <= 3",
            "--where: `peak(3)` names no block",
            "its path stands in quotes: peak('stage4')",
        ),
        ("peak('a', 'b') <= 3", "names no block", "in quotes"),
        ("field('a') <= 3", "--where: unknown function `field`", "the functions are parameters, "),
        ("'a' == 'b' and 'a' < 'b'", "is no comparison: text is == or != another", "as in "),
        ("peak[0] < 3", "--where: `peak[0]` is no item of a list", "as in "),
        ("peak / 2 <= 3", "--where: `peak / 2` is no number", "as in "),
        ("peak in [3]", "--where: `peak in [3]` is no comparison of numbers", "as in "),
        ("peak <=", "--where: `peak <=` is no expression", ""),
        ("peak <= 99999999999999999999", "is no whole number", "at most 64 bits"),
        ("f(peak) < 3", "--where: unknown function `f`", ""),
        ("max(peak, 3) < 3", "--where: unknown function `max`", ""),
    ],
)
def test_bad_conditions(text: str, message: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_condition(text, dict.fromkeys(METRICS, 1))
    (diagnostic,) = caught.value.diagnostics
    assert message in diagnostic.message
    assert help in diagnostic.help


def test_points_are_grouped_by_their_digits() -> None:
    """By the definition, also where the combinations are more than 64 bits can number."""
    draw = np.random.default_rng(1)
    for lengths in ((2, 3), (1, 1), (200, 300), (1 << 20,) * 5):
        digits = np.array([draw.integers(0, n, 500) for n in lengths], np.int32)
        digits[:, 250:] = digits[:, :250]
        groups: dict[tuple[int, ...], list[int]] = {}
        for lane, point in enumerate(digits.T.tolist()):
            groups.setdefault(tuple(point), []).append(lane)
        found = {tuple(lanes.tolist()) for lanes in numpy_machine.groups(digits)}
        assert found == set(map(tuple, groups.values()))
