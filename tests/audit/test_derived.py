"""The sums that reconcile makes of tools' tables: those that --as tells, and nothing left out."""

from __future__ import annotations

from pathlib import Path

import pytest

import archcalc
from archcalc.analysis.costs import Analysis
from archcalc.audit import derived as module
from archcalc.audit.convention import Convention
from archcalc.audit.conventions import CONVENTIONS
from archcalc.audit.derived import (
    AS_TORCHVISION,
    BY_OPERATOR,
    NO_POOLS,
    WHOLES_END_IN_JOINS,
    View,
    derived,
)
from archcalc.audit.modules import usual_modules
from archcalc.audit.neighbor import Neighbor
from archcalc.audit.operator_tools import BY_OPERATOR as TABLES
from archcalc.audit.operator_tools import UNTOLD, UNTOLD_HERE
from archcalc.audit.readings import Way
from archcalc.audit.recount import recount
from archcalc.audit.tables import ANY, Rules, Tool, ToolCount, sums
from archcalc.audit.terms import OTHERWISE, Ledger
from archcalc.audit.thop_tools import THOP, THOP_2019, THOP_2020
from archcalc.audit.tools import TOOLS
from archcalc.operators import TABLE
from archcalc.spec import catalog

DATA = Path(__file__).parents[1] / "data"
TORCH = [tool for tool in (*TOOLS.values(), THOP_2020, THOP_2019) if tool.library == "torchvision"]
COUNTS = [
    (tool, q) for tool in TORCH for q, count in tool.counts.items() if isinstance(count, ToolCount)
]
CURRENT = COUNTS[:-2]  # those of --as; the other two are old versions of thop
IDS = [f"{tool.name} {tool.version} {quantity}" for tool, quantity in COUNTS]

POOLED = """
input = "9x9x3"
layers = ["conv 4 k3 | bn | leaky | avgpool 2x3 | conv 6 nobias | softmax | gap | linear 10"]
"""


def total(tables: list[Rules], view: View, analysis: Analysis) -> int:
    found, ledger = derived(tables, view), Ledger(analysis)
    assert not found.unknown & ledger.operators
    return found.each * sum(share.factor * ledger.amount(share.term) for share in found.rule)


@pytest.mark.parametrize(("tool", "quantity"), COUNTS, ids=IDS)
def test_every_operator_is_in_every_table_or_untold(tool: Tool, quantity: str) -> None:
    """Under each view of the code: a rule, a 0 that is written, or an operator named as untold."""
    for view in (AS_TORCHVISION, NO_POOLS, WHOLES_END_IN_JOINS):
        found = derived(sums(tool, quantity), view)
        assert found.unknown == {*UNTOLD.split(), *OTHERWISE}


def test_every_operator_is_in_every_table_by_operator() -> None:
    for rules in TABLES:
        assert ANY in rules or set(TABLE) - set(rules) == {*UNTOLD.split(), *UNTOLD_HERE.split()}
        assert set(rules) <= {*TABLE, "input", "side outputs", ANY}


def test_a_trial_operator_is_unknown_to_every_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A norm of which no table has heard: no sum of a tool is offered for a network with it."""
    monkeypatch.setitem(TABLE, "trialnorm", "normalization")
    told = [sums(tool, quantity) for tool, quantity in COUNTS if ANY not in sums(tool, quantity)[0]]
    for tables in told:
        assert "trialnorm" in derived(tables, NO_POOLS).unknown
        assert "trialnorm" in derived(tables, {**NO_POOLS, "trialnorm": "TrialNorm"}).unknown
    for rules in TABLES:
        view = {**BY_OPERATOR, "trialnorm": "trialnorm"}
        assert ANY in rules or "trialnorm" in derived([rules], view).unknown
    way = Way("multiplies", (Convention("trial", "", "tool", unknown=frozenset({"relu"})),), (), 1, 1)
    assert not Neighbor(catalog.find("vgg16"), {}).ledger.knows(way)
    assert Neighbor(catalog.find("mobilenet_v2"), {}).ledger.knows(way)  # relu6 throughout


@pytest.mark.parametrize(("tool", "quantity"), CURRENT, ids=IDS[: len(CURRENT)])
@pytest.mark.parametrize(
    "name", ["lenet5", "unet", "allconv", "odd.toml", "norms.toml", "vgg16", "resnet18"]
)
def test_sums_are_those_by_layer(name: str, tool: Tool, quantity: str) -> None:
    """Of code of one module an operator: what is added up by terms is what --as adds up by layer."""
    network = archcalc.load(str(DATA / name) if name.endswith(".toml") else name)
    source = network.spec.source._replace(text=network.spec.source.text + "# a file of one's own")
    analysis = network.analyze()
    view = {**usual_modules(), "flatten": "Flatten"}
    told = recount(tool.name, quantity, network.name, source, analysis)
    assert total(sums(tool, quantity), view, analysis) == told.total


def test_old_versions_of_thop_by_hand(tmp_path: Path) -> None:
    """conv: 7·7·4 outputs of 27 products and a bias; pool of 2×3: 3×2×4 outputs; 1×1 conv."""
    path = tmp_path / "pooled.toml"
    path.write_text(POOLED)
    analysis = archcalc.load(str(path)).analyze()
    maps, pooled, wide = 7 * 7 * 4, 3 * 2 * 4, 3 * 2 * 6
    softmax = 3 * wide - 3 * 2
    both = maps * 28 + maps + wide * 4 + softmax
    view = dict(NO_POOLS)
    assert total(sums(THOP_2020, "flops"), view, analysis) == both + 2 * maps + pooled + 60
    assert total(sums(THOP_2019, "flops"), view, analysis) == both + 4 * maps + pooled * (2 + 1) + 110


def test_thop_is_told_once() -> None:
    """The version that --as knows, and reconcile's: a transposed conv, an upsampling, a softmax."""
    (thop,) = (c for c in CONVENTIONS["multiplies"] if c.name == "thop 0.1.1")
    assert thop.rule == derived(sums(THOP, "flops"), AS_TORCHVISION).rule
    terms = {share.term.name: share.factor for share in thop.rule}
    assert terms["outputs × window × channels of deconv"] == terms["output values of upsample"] == 1
    assert module.derived([{ANY: "0"}], BY_OPERATOR).rule == ()


@pytest.mark.parametrize(
    ("input", "pool", "counted"),
    [
        ("10x8x4", "3x4", 10 * 8 * 4 + 3 * 4 * 4),  # windows of 10/3 × 8/4, and one more, an output
        ("10x8x4", "10x8", 2 * 10 * 8 * 4),
        ("11x13x3", "3x3", 11 * 13 * 3 + 3 * 3 * 3 - 1),  # (11/3 · 13/3 + 1) · 27 = 455.99… in doubles
    ],
)
def test_thop_divides_in_doubles_for_an_adaptive_pool(
    tmp_path: Path, input: str, pool: str, counted: int
) -> None:
    """thop 0.1.1 itself prints 455 for the last."""
    path = tmp_path / "adaptive.toml"
    path.write_text(f'input = "{input}"\nlayers = ["adaptivepool {pool}"]\n')
    assert total(sums(THOP, "flops"), NO_POOLS, archcalc.load(str(path)).analyze()) == counted


def test_a_largest_value_pool_is_another_module(tmp_path: Path) -> None:
    path = tmp_path / "adaptive.toml"
    path.write_text('input = "10x8x4"\nlayers = ["adaptivepool 3x4 max"]\n')
    assert (
        derived(sums(THOP, "flops"), NO_POOLS).unknown
        & Ledger(archcalc.load(str(path)).analyze()).operators
    )
