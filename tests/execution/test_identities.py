"""Every identity of the courses holds, and none of them would hold of anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from archcalc.cli import commands
from archcalc.errors import Finding
from archcalc.execution import identities as module
from archcalc.execution.fast.operators import KERNELS
from archcalc.execution.identities import IDENTITIES, identities
from archcalc.execution.sides import Sides


def test_all_hold() -> None:
    found = list(identities())
    assert [i.claim for i in found if not i.holds] == []
    assert len(found) == len(IDENTITIES) >= 20
    assert all(i.largest > 0 for i in found)


@pytest.mark.parametrize("claim", IDENTITIES)
def test_each_can_fail(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One value of one side changed by a millionth of the largest."""
    execute = IDENTITIES[claim]

    def off() -> Sides:
        left, right, values, others = execute()
        changed = values.astype(float)
        changed.flat[0] += 1e-6 * abs(others).max()
        return Sides(left, right, changed, others)

    monkeypatch.setattr(module, "IDENTITIES", {claim: off})
    (identity,) = identities()
    assert not identity.holds


@pytest.mark.parametrize(
    ("claim", "left", "right"),
    [
        ("two 3×3 see what a 5×5 sees", "25 pixels", "25 pixels"),
        ("three 3×3 see what a 7×7 sees", "49 pixels", "49 pixels"),
        ("a 5×5 on 28×28×192 takes 120,422,400 multiplies", "120,422,400", "28·28·32·5·5·192"),
        ("a 1×1 bottleneck of 16 leaves 12,443,648 of them", "12,443,648", "28·28·16·192"),
    ],
)
def test_what_was_executed(claim: str, left: str, right: str) -> None:
    sides = IDENTITIES[claim]()
    assert left in sides.left
    assert right in sides.right


@pytest.fixture
def wrong_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch norm that is off by a millionth."""
    right = KERNELS["bn"]

    def off(operator: Any, inputs: Any, weights: Any, out: Any, scratch: Any) -> None:
        right(operator, inputs, weights, out, scratch)
        out *= 1 + 1e-6

    monkeypatch.setitem(KERNELS, "bn", off)


@pytest.mark.usefixtures("wrong_norm")
def test_a_wrong_operator_breaks_its_identities() -> None:
    broken = [identity.claim for identity in identities() if not identity.holds]
    assert len(broken) == 3
    assert all("batch norm" in claim for claim in broken)


def test_the_command() -> None:
    result = CliRunner().invoke(commands, ["run", "--identities", "--format", "json"])
    assert result.exit_code == 0
    (document,) = json.loads(result.output)["networks"]
    assert [identity["holds"] for identity in document["identities"]] == [True] * len(IDENTITIES)


@pytest.mark.usefixtures("wrong_norm")
def test_the_command_fails_if_one_does() -> None:
    result = CliRunner().invoke(commands, ["run", "--identities"])
    assert isinstance(result.exception, Finding)
    assert "NOT" in result.output
