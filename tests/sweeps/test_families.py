"""Every bundled family over a space of its variables: what `analyze` says of each point, valid or not.

The engine's three executors (exact Python, NumPy, the compiled kernel) against the plain analysis, which
knows no symbols. The test of 1,000 points a family has its own command: see the README.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.formats import FLOAT32

import archcalc
from archcalc.api import Network
from archcalc.spec.bundle import families
from archcalc.spec.settings import show_value
from archcalc.sweeps.evaluation import by_rows, run, stream
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import sweep
from archcalc.sweeps.evaluation.stream import reader
from archcalc.sweeps.machine import numpy_machine
from archcalc.sweeps.machine.vector_machine import VectorMachine
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.program.recording import analyzed
from archcalc.sweeps.space.model import Space, make_space
from archcalc.sweeps.space.points import grid, sample

ALL = 32  # points of a space that are all compared
FEW = ("inception", "lenet5", "resnet", "shufflenet_v2", "vgg", "vit")
SLOW = ("nasnet",)  # ten seconds
NAMES = [path.replace("\\", "/").rpartition("/")[2].removesuffix(".toml") for path in families()]


def varied(network: Network) -> list[str]:
    """Every variable of a network, over values around its own, some of which it cannot have."""
    texts = []
    for name, value in network.values.items():
        variable = network.spec.variables[name]
        if isinstance(value, bool):
            texts.append(f"{name}=false,true")
        elif variable.choices:
            texts.append(f"{name}={','.join(map(show_value, variable.choices))}")
        elif type(variable.default) is int and isinstance(value, int):
            texts.append(f"{name}={value // 2}:{value * 2 + 4}:{max(value // 4, 1)}")
        elif isinstance(value, list):
            texts += items(name, value)
        else:
            texts.append(f"{name}=0.25:1.5:0.25")
    side = network.graph.input.extents[-1]
    if network.graph.inputs > 1:  # the others would stay as they are
        return texts
    return [*texts, f"input={max(side // 4, 1)}:{2 * side}:{max(side // 8, 1)}"]


def items(name: str, values: list[Any]) -> list[str]:
    """The first and last count as repeats, which fold; larger numbers each on its own."""
    if not all(type(value) is int for value in values):
        return []
    if max(values) < 40:
        return [f"{name}[{i}]={max(v // 2, 1)}:{v + 5}" for i, v in enumerate(values) if i in (0, 2)]
    return [f"{name}[{i}]={v // 2}:{v + 8}:{max(v // 4, 1)}" for i, v in enumerate(values)]


class Exact:
    """An executor that runs each point on Python's integers."""

    @staticmethod
    def run(code: Any, inputs: Any, digits: Any) -> Any:
        from archcalc.sweeps.machine import instructions

        points = [[int(v[digits[a, j]]) for a, v in inputs] for j in range(digits.shape[1])]
        return numpy_machine.table([instructions.run(code, point) for point in points]).T  # type: ignore[arg-type]


def agree(space: Space, count: int) -> tuple[int, int]:
    """Compare `count` random points, or all of few; how many are valid, and how many are refused."""
    points = grid(space) if space.size <= ALL else sample(space, count, seed=5)
    engine = Engine(points, list(MEANING), FLOAT32)
    digits, reasons = reader(points, False)(0, points.size), engine.messages.reasons
    first = engine.evaluate(digits)
    for engine.executor in (VectorMachine(after=0), Exact):
        other = engine.evaluate(digits)
        assert (other.reasons == first.reasons).all()
        valid = other.reasons == 0
        assert (other.results[:, valid] == first.results[:, valid]).all()
    for j in range(points.size):
        expected, refusal = analyzed(space.at(points.digits(j)), FLOAT32)
        told = reasons[first.reasons[j] - 1] if first.reasons[j] else ""
        at = space.texts(points.digits(j))
        if expected is None:
            assert re.fullmatch(re.sub(r"\\{.*?\\}|[0-9]+", ".*", re.escape(told)), refusal), (at, told)
        else:
            assert (told, first.results[:, j].tolist()) == ("", list(expected.values())), at
    valid = int((first.reasons == 0).sum())
    return valid, points.size - valid


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.sweep if n in SLOW else ()) for n in NAMES]
)
def test_every_point_is_what_analyze_says(name: str) -> None:
    network = archcalc.load(name)
    valid, _ = agree(make_space(network, varied(network)), 8)
    assert valid


@pytest.mark.sweep
@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_points(name: str) -> None:
    network = archcalc.load(name)
    valid, _ = agree(make_space(network, varied(network)), 1_000)
    assert valid


def sizes(network: Network) -> list[str]:
    """Some sizes of a network and its input, as a grid that has rows."""
    side = network.graph.input.extents[-1]
    texts = [f"input={max(side // 2, 1)}:{side + side // 2}:{max(side // 40, 1)}"]
    for name, value in network.values.items():
        if type(value) is int and type(network.spec.variables[name].default) is int and value > 3:
            texts.append(f"{name}={value}:{value * 2}:{max(value // 9, 1)}")
        elif isinstance(value, list) and all(type(item) is int and item >= 16 for item in value):
            texts.append(f"{name}[0]={value[0]}:{2 * value[0]}:{max(value[0] // 8, 1)}")
    return texts[:3]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FEW else pytest.mark.sweep) for n in NAMES]
)
def test_a_grid_by_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row, in small boxes some of which are left out, against point by point."""
    network = archcalc.load(name)
    points = grid(make_space(network, sizes(network)))
    monkeypatch.setattr(stream, "MANY", 0)
    monkeypatch.setattr(by_rows, "CHUNK", 3_000)
    wide = (f"multiplies <= {network.analyze().multiplies}", "", "max:params", 9)
    for words in (("", "params,max:output", "", None), wide):
        asked = request(points, FLOAT32, *words, 12)
        rowwise = sweep(asked, lambda points: None)
        with monkeypatch.context() as patched:
            patched.setattr(run, "layout", lambda engine: None)
            plainly = sweep(asked, lambda points: None)
        assert list(rowwise.rows()) == list(plainly.rows())
        assert rowwise.collected.kept == plainly.collected.kept
        assert rowwise.collected.seen + rowwise.skipped == plainly.collected.seen
        if not rowwise.skipped:
            assert rowwise.refusals() == plainly.refusals()
