"""Conditions and goals may name blocks by their paths, and variables of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.formats import FLOAT32

import archcalc
from archcalc.api import Network
from archcalc.cli import commands
from archcalc.errors import ArchError, UsageError
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import PointRow, sweep
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid

NET = """
input = "8x8x4"
layers = [
  "conv {a}",
  "stem = part {a} {act}",
  "if a < 4: 2 x part 5 {act}",
  "side = inner {w}",
  "{n[1]} x conv 7",
]

[vars]
a = 2
w = 0.5
n = [1, 2]
act = { default = "relu", choices = ["relu", "tanh"] }
extra = false

[block.part]
args = "c f"
layers = ["big = conv {c} k3 half | {f}", "if extra: conv {c}"]

[block.inner]
args = "v"
layers = ["big = conv {floor(8*v)}", "part 3 {act}"]
"""


def network() -> Network:
    return Network(Entry("own", read(Source("own.toml", NET)), None), {})


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


def rows(*varied: str, where: str = "", pareto: str = "", by: str = "") -> list[PointRow]:
    top = 99 if by else None
    asked = request(grid(make_space(network(), varied)), FLOAT32, where, pareto, by, top, 99)
    return list(sweep(asked, lambda points: None).rows())


def values(found: list[PointRow], name: str) -> list[str]:
    return [row.values[name] for row in found]


def test_a_block_is_the_beginning_of_paths() -> None:
    """stem is a 3×3 conv on a channels: 8·8·9·a·a multiplies, 9·a·a + a parameters."""
    found = rows("a=1:6", where="multiplies('stem') <= 8*8*9*16 and params('stem') > 10")
    assert values(found, "a") == ["2", "3", "4"]
    assert [row.metrics["multiplies('stem')"] for row in found] == [576 * a * a for a in (2, 3, 4)]
    assert [row.metrics["parameters('stem')"] for row in found] == [9 * a * a + a for a in (2, 3, 4)]


def test_where_nothing_begins_so_all_that_lie_there_count() -> None:
    """`big` is in stem, in both parts, in side and in side's part; `side/big` is one of them."""
    where = "multiplies('big') > 0 and multiplies('side/big') > 0"
    found = rows("a=2:4:2", "w=0.5:1:0.5", where=where)
    for row in found:
        a, v = int(row.values["a"]), int(float(row.values["w"]) * 8)
        before = 5 if a < 4 else a  # channels that arrive at side
        parts = 9 * a * 5 + 9 * 5 * 5 if a < 4 else 0
        side = before * v
        assert row.metrics["multiplies('side/big')"] == 64 * side
        assert row.metrics["multiplies('big')"] == 64 * (9 * a * a + parts + side + 9 * v * 3)


def test_a_point_without_the_block_has_none_of_it() -> None:
    assert values(rows("a=1:6", where="parameters('part') == 0"), "a") == ["4", "5", "6"]
    found = rows("a=5:6", "extra=true,false", where="weights('stem/conv') == 0")
    assert values(found, "extra") == ["false", "false"]


def test_bytes_of_a_block() -> None:
    """At its peak a conv reads and writes 3 channels of 8×8 float32: 1536 bytes; 768 are its map."""
    where = "peak('stem') == 1536 and weights('stem') == 4*(81 + 3) and stored('stem/big/conv') == 768"
    (found,) = rows("a=3:3", where=where)
    assert found.metrics["peak('stem')"] == 1536


def test_a_block_is_a_goal() -> None:
    best = rows("a=1:9", "w=0.25:1:0.25", by="max:flops('side')")[0]
    assert (best.values["a"], float(best.values["w"])) == ("9", 1)
    front = rows("a=1:9", pareto="max:params('stem'),a")
    assert values(front, "a") == list("987654321")


def test_decimals_text_flags_and_items() -> None:
    spread = ("w=0.25:1.25:0.125", "act=relu,tanh", "n[1]=1:3", "extra=false,true")
    found = rows(*spread, where="0.3 < w <= 0.5 and act != 'relu' and n[1] >= 3 and not extra")
    assert [tuple(row.values.values()) for row in found] == [
        ("0.375", "tanh", "3", "false"),
        ("0.5", "tanh", "3", "false"),
    ]
    found = rows("w=0.25:1.25:0.125", where="w*w - 0.25 == 0 or 3*w // 1 == 3")
    assert list(map(float, values(found, "w"))) == [0.5, 1, 1.125, 1.25]
    assert values(rows("w=0.25:1.25:0.5", by="max:w"), "w") == ["1.25", "0.75", "0.25"]
    assert values(rows("n[1]=1:3", "extra=false,true", by="max:n[1]"), "n[1]") == list("332211")
    assert values(rows("extra=false,true", by="max:extra"), "extra") == ["true", "false"]
    assert values(rows("n=[1,1],[1,2],[1,3]", where="n[1] > 1"), "n") == ["[1,2]", "[1,3]"]


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        ({"where": "params('stme') < 3"}, "no layer or block is called `stme`", "did you mean `stem`?"),
        (
            {"where": "params('zzzzzz') < 3"},
            "no layer or block is called `zzzzzz`",
            "`archcalc show SPEC",
        ),
        ({"where": "params('') < 3"}, "no layer or block is called ``", ""),
        ({"where": "n[2] < 3"}, "--where: no `n[2]`", "`n` has 2 items, counted from 0"),
        ({"where": "act < 'u'"}, "--where: `act < 'u'` is no comparison: text is == or != another", ""),
        ({"by": "act"}, "`act` is text: no value is the least", "conditions may name it: --where"),
        ({"by": "n"}, "`n` is a list: no value is the least", "an item is a number: n[0]"),
        ({"by": "field('stem')"}, "--by: unknown name `field('stem')`", ""),
    ],
)
def test_errors(words: dict[str, str], message: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        rows("a=1:3", **words)
    (found,) = caught.value.diagnostics
    assert found.message == message
    assert help in found.help


def test_check_and_solve_name_blocks() -> None:
    """The 5×5 branch: 28·28·b·192 to reduce, 28·28·25·b·32 after that: 777,728 b."""
    for b, code in ((16, 0), (17, 1)):
        where = f"multiplies('5x5') == {777_728 * b} and multiplies('5x5') <= 12.5M"
        assert run("check", "inception", "--bottleneck", str(b), "--where", where).exit_code == code
    words = ("--vary", "bottleneck=1:192", "--where", "multiplies('5x5') <= 12.5M", "--best")
    for best in ("max:bottleneck", "max:params('5x5')"):
        found = run("solve", "inception", *words, best, "--format", "json")
        assert '"bottleneck": "16"' in found.output


def test_a_budget_names_blocks_wherever_they_lie(tmp_path: Path) -> None:
    where = "where = [\"multiplies('big') <= 2K and act == 'relu'\"]"
    text = f"{NET}[budget]\n{where}\n[budget.big]\nmax-multiplies = 3\n"
    (tmp_path / "own.toml").write_text(text)
    found = run("check", str(tmp_path / "own.toml"))
    assert found.exit_code == 1
    assert "big" in found.output


def test_a_folder_has_no_columns_of_blocks(tmp_path: Path) -> None:
    words = ("sweep", "inception", "--vary", "bottleneck=8:32:8", "-o", str(tmp_path / "d"))
    found = run(*words, "--top", "1", "--by", "params('5x5')").exception
    assert isinstance(found, ArchError)
    message = "-o DIR writes no column `parameters('5x5')` of whole numbers to choose by"
    assert found.diagnostics[0].message == message
    assert run(*words, "--top", "1", "--by", "max:bottleneck").exit_code == 0


def test_rows_in_python_have_what_is_asked() -> None:
    (row,) = archcalc.sweep("inception", {"bottleneck": "8:32:8"}, by="max:params('5x5')", top=1)
    assert row["parameters('5x5')"] == (192 + 25 * 32 + 1) * 32 + 32


def test_many_rows_of_a_front_are_evaluated_together() -> None:
    """More than are asked for one by one; every width is in the front, since wider is larger."""
    words = {"width": range(1, 301), "head": ["fc", "gap"]}
    rows = archcalc.sweep("vgg16", words, pareto="params,max:width", where="head == 'gap'")
    assert len(rows) == 300
    for row in rows[::97]:
        network = archcalc.load("vgg16", width=row["width"], head="gap")
        assert row["multiplies"] == network.analyze().multiplies


def test_a_goal_that_hardly_chooses_is_told() -> None:
    """Of 5,000 widths each has fewer parameters than all wider ones."""
    words = ["sweep", "vgg16", "--vary", "width=1:5000", "--pareto", "params,max:width", "--format"]
    result = CliRunner().invoke(commands, [*words, "json"])
    assert result.exit_code == 0
    assert (
        "note: more than half of all points are in the front: its goals hardly choose" in result.stderr
    )
