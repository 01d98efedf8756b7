"""Repeats whose count varies: three rounds stand for any number of them, or each is recorded anew."""

from __future__ import annotations

import pytest
from support.formats import FLOAT32

import archcalc
from archcalc.api import Network
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.sweeps.evaluation import by_rows, run, stream
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import sweep
from archcalc.sweeps.evaluation.stream import reader
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.program.recording import analyzed
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid

BLOCKS = """
[block.res]
args = "c"
add.main = ["conv {c} k3 half | bn | relu", "conv {channels} k3 half | bn"]
add.skip = "@in"
then = "relu"

[block.dense]
args = "c"
concat.old = "@in"
concat.new = "conv {c} k3 half"

[block.wide]
args = "c m"
layers = ["conv {c} | relu", "{m} x res {c}", "conv {2*c} | conv {c}"]

[block.outer]
args = "@from"
layers = ["conv {channels} k3 half", "add @from"]

[block.gated]
args = "c"
mul.map = "conv {c} k5 half"
mul.gate = "gap | linear {c}"
"""


def compared(layers: str, *varied: str, blocks: str = BLOCKS, input: str = "8x8x4") -> Engine:
    """The engine, after comparing every point with its plain analysis."""
    text = f'input = "{input}"\nlayers = [{layers}]\n[vars]\nn = 2\nc = 4\n{blocks}\n'
    network = Network(Entry("own", read(Source("own.toml", text)), None), {})
    points = grid(make_space(network, varied))
    engine = Engine(points, list(MEANING), FLOAT32)
    found = engine.evaluate(reader(points, False)(0, points.size))
    for j in range(points.size):
        expected, _ = analyzed(points.space.at(points.digits(j)), FLOAT32)
        assert (found.reasons[j] == 0) == (expected is not None), points.digits(j)
        if expected is not None:
            assert found.results[:, j].tolist() == list(expected.values()), points.digits(j)
    return engine


@pytest.mark.parametrize(
    ("layers", "structures"),
    [
        ('"conv {c}", "{n} x conv {c} k3 half | bn | relu"', 4),  # none, one, two, more
        ('"conv {c}", "{n} x res {c}", "conv 3"', 4),
        ('"conv {c} s2", "{n+3} x res {c}", "gap | linear 3"', 1),
        ('"{n} x res {channels}", "2 x conv {c} k3 p1", "side = {n+1} x conv {c} k3 half | relu"', 4),
        ('"conv {c}", "{n} x gated {c}"', 4),  # sees all from its first round on
        ('"conv {c}", "before = relu", "{n} x conv {c} k3 half | relu", "add @before"', 4),
        ('"conv {c}", "{n} x relu", "{n} x dropout"', 4),
        ('"conv {c}", "{n} x reshape {[8, 8, c]}"', 4),
    ],
)
def test_rounds_alike_fold(layers: str, structures: int) -> None:
    """As many structures up to 60 as up to 6: the program has the count for an input."""
    for last in (6, 60):
        engine = compared(layers, f"n=0,1,2,3,4,{last}", "c=3:5:2")
        assert (engine.structures.recorded, engine.structures.enumerated) == (structures, [])


def test_repeats_in_repeats_fold() -> None:
    """n rounds of c rounds: both are symbols, and what the inner rounds add is multiplied."""
    engine = compared('"conv {c}", "{n} x wide 4 {c}"', "n=2:7", "c=1:6")
    assert engine.structures.enumerated == []
    compared('"{n} x wide {c} {n}"', "n=0:7", "c=3:4")
    compared('"{n} x wide {c} {c + 2}"', "n=0:7", "c=3:4")


@pytest.mark.parametrize(
    "layers",
    [
        '"{n} x dense {c}"',  # channels grow
        '"{n} x conv {c} s2 k3 half"',  # maps shrink
        '"{n} x conv {channels + c}"',
        '"conv {c}", "first = conv {c}", "{n} x outer @first"',  # its field is no sum
        '"conv {c}", "many = {n} x conv {c} k3 half", "reuse many"',
        '"conv {c}", "many = {n} x res {c}", "conv {c}", "add @many"',
        '"conv {c}", "{n} x conv {c} k3 half", "upsample 2", "{n} x conv {c} k3 half"',
        '"conv {c}", "adaptavgpool 3", "{n} x conv {c} k3 half"',
        '"conv {c} k3", "{n} x conv {c} k3"',  # refused from some round on
        '"conv {c} k9 half | {n} x res {c} | gap | {n} x linear {c}"',
        '"{n} x res 4", "if n > 4: conv {c}", "if n % 2 == 0: {n} x conv {c}"',
        '"{n // 2} x res 4", "{3*n - 2} x conv 4", "{max(n, c)} x conv 4"',
    ],
)
def test_other_rounds_are_as_right(layers: str) -> None:
    compared(layers, "n=1:9", "c=3:4")
    compared(layers, "n=5:200:65", "c=3:4")


def test_items_of_lists_are_axes() -> None:
    """ResNet-50 with n[0] to n[3]: fewer than 5 ways for each to be few, whatever the counts."""
    network = archcalc.load("resnet50")
    points = grid(make_space(network, ["n[0]=1:9:4", "n[1]=3:99:48", "n[2]=4:40:9", "n[3]=2:8:3"]))
    asked = request(points, FLOAT32, "", "", "", None, 999)
    found = sweep(asked, lambda points: None)
    assert found.engine.structures.enumerated == []
    assert found.engine.structures.recorded <= 4 * 2 * 2 * 3
    for row in list(found.rows())[::17]:
        n = [int(row.values[f"n[{i}]"]) for i in range(4)]
        expected, _ = analyzed(archcalc.load("resnet50", n=n), FLOAT32)
        assert row.metrics == expected


def test_a_thousand_rounds_are_sums() -> None:
    """A round of stage 3 has 256·(4·256)·2 + 9·256² weights and 2·(2·256 + 1024) of its norms."""
    first, last = (archcalc.sweep("resnet50", {"n[2]": [n]})[0] for n in (6, 1000))
    rows = archcalc.sweep("resnet50", {"n[2]": range(1, 1001)})
    round = 2 * 256 * 1024 + 9 * 256**2 + 2 * (2 * 256 + 1024)
    assert rows[5] == first
    assert rows[999] == last
    assert rows[999]["parameters"] == 25_557_032 + 994 * round


def test_blocks_are_counted_with_the_rounds_in_them() -> None:
    """A block around the repeat counts all rounds; one round has a name of its own, and is recorded."""
    network = archcalc.load("resnet50")
    points = grid(make_space(network, ["n[2]=1:40:13"]))
    where = "params('stage3') > 0 and params('stage3/bottleneck12') >= 0"
    for text in (where, "params('stage3') > 0", "multiplies('conv2') > 0 or stored('stage3') > 0"):
        asked = request(points, FLOAT32, text, "", "", None, 99)
        for row in sweep(asked, lambda points: None).rows():
            alone = archcalc.load("resnet50", n=[3, 4, int(row.values["n[2]"]), 3])
            expected, _ = analyzed(alone, FLOAT32, asked.others)
            assert row.metrics == expected


@pytest.mark.parametrize(
    ("name", "varied"),
    [
        ("mobilenet_v1", ["width=0.25:1.4:0.05", "input=96:224:8", "classes=10:1000:330"]),
        ("resnet50", ["n[2]=5:40", "n[3]=5:30", "input=64:256:64"]),
    ],
)
def test_decimals_and_repeats_go_by_rows(
    name: str, varied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One program holds everywhere, so that a grid runs row by row; it keeps what single points do."""
    points = grid(make_space(archcalc.load(name), varied))
    monkeypatch.setattr(stream, "MANY", 0)
    monkeypatch.setattr(by_rows, "CHUNK", 1_000)
    for words in (("", "params,max:output", "", None), ("multiplies <= 1G", "", "max:params", 9)):
        asked = request(points, FLOAT32, *words, 12)
        assert run.prepare(asked, False).grid is not None
        rowwise = sweep(asked, lambda points: None)
        with monkeypatch.context() as patched:
            patched.setattr(run, "layout", lambda engine: None)
            plainly = sweep(asked, lambda points: None)
        assert list(rowwise.rows()) == list(plainly.rows())
        assert rowwise.collected.kept == plainly.collected.kept
