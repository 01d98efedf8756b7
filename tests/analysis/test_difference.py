"""Layers of two networks are aligned by what they are; the rows sum to both totals."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

import archcalc
from archcalc.analysis.difference import Difference, difference
from archcalc.analysis.sequences import matches, settled

INPUT, END = "32x32x16 | ", " | avgpool 32 | flatten | linear 9"
BASE = "conv 16 k3 half | relu | conv 32 k3 half | relu"


def diff(before: str, after: str) -> Difference:
    found = difference(archcalc.load(before).analyze(), archcalc.load(after).analyze())
    for measure in ("parameters", "multiplies"):
        sums = [sum(getattr(row, measure + end) for row in found.layers) for end in ("_before", "")]
        assert sums == [getattr(found.before, measure), getattr(found.after, measure)]
    assert [row.path for row in found.layers if row.path] == [x.path for x in found.after.layers[1:]]
    befores = sorted(row.path_before for row in found.layers if row.path_before)
    assert befores == sorted(x.path for x in found.before.layers[1:])
    return found


@pytest.mark.parametrize(
    ("before", "after", "differing"),
    [
        (BASE, BASE, []),
        (BASE, BASE.replace("relu | ", "relu | conv 16 k1 | ", 1), [("new", None, "conv2")]),
        (BASE.replace("relu | ", "relu | conv 16 k1 | ", 1), BASE, [("gone", "conv2", None)]),
        (BASE, BASE.replace("conv 16 k3", "conv 16 k5"), [("changed", "conv", "conv")]),
        (BASE, f"first = {BASE}", []),
        ("conv 16 k3 half | " * 2 + "relu", "conv 16 k3 half | " * 3 + "relu", [("new", None, "conv3")]),
        (
            "conv 16 k3 half | conv 16 k5 half | relu",
            "conv 16 k5 half | conv 16 k3 half | relu",
            [("moved", "conv", "conv2")],
        ),
        (  # what is read changes with what is put in
            "conv 16 k3 half | conv 32 k3 half",
            "conv 16 k3 half | conv 24 k3 half | conv 32 k3 half",
            [("new", None, "conv2"), ("changed", "conv2", "conv3")],
        ),
        (
            "conv 16 k3 half | conv 32 k3 half | conv 32 k3 half",
            "conv 32 k3 half | conv 64 k3 half | conv 32 k3 half",
            [("changed", f"conv{n}", f"conv{n}") for n in ("", "2", "3")],
        ),
    ],
)
def test_what_differs(before: str, after: str, differing: list[tuple[str, str, str]]) -> None:
    rows = diff(INPUT + before + END, INPUT + after + END).layers
    assert [(r.status, r.path_before, r.path) for r in rows if r.status != "same"] == differing


def test_other_networks() -> None:
    more = [row.path for row in diff("vgg16", "vgg19").layers if row.status == "new"]
    # 19 − 16 convs, each with its relu: four in a stage that had three
    assert more == [f"stage{stage}/{layer}4" for stage in (3, 4, 5) for layer in ("conv", "relu")]
    assert diff("resnet152", "resnet101").count("gone") == 17 * 10  # 8 + 36 − 4 − 23 blocks of 10 layers
    strided = diff("resnet50", "resnet50:stride=1x1")
    assert strided.count("new") == strided.count("gone") == 0
    diff("vgg16", "mobilenet_v2")
    diff("lenet5", "vit_b_16")


def test_a_run_begins_where_a_block_does() -> None:
    """A ResNet-152 has 8 and 36 blocks where a ResNet-101 has 4 and 23; of ten layers each."""
    blocks = [f"stage2/bottleneck{n}" for n in range(5, 9)]
    blocks += [f"stage3/bottleneck{n}" for n in range(24, 37)]
    expected = [block for block in blocks for _ in range(10)]
    for before, after, status in (("resnet101", "resnet152", "new"), ("resnet152", "resnet101", "gone")):
        rows = [row for row in diff(before, after).layers if row.status != "same"]
        assert {row.status for row in rows} == {status}
        paths = [row.path or row.path_before or "" for row in rows]
        assert ["/".join(path.split("/")[:2]) for path in paths] == expected


def test_alive() -> None:
    """A conv holds what it reads and what it makes."""
    rows = diff(INPUT + "conv 16 k3 half" + END, INPUT + "conv 24 k3 half" + END).layers
    assert (rows[0].alive_before, rows[0].alive) == (32 * 32 * (16 + 16), 32 * 32 * (16 + 24))
    (new,) = (
        row
        for row in diff(
            INPUT + BASE + END, INPUT + BASE.replace("relu | ", "relu | conv 8 | ", 1) + END
        ).layers
        if row.status == "new"
    )
    assert (new.alive_before, new.alive) == (0, 32 * 32 * (16 + 8))


@pytest.mark.parametrize("seed", range(60))
def test_a_run_slides_to_where_it_is_cheapest(seed: int) -> None:
    chance = random.Random(seed)
    a, b = ([chance.randrange(3) for _ in range(chance.randrange(20))] for _ in range(2))
    found = matches(a, b)
    prices = [chance.randrange(9) for _ in range(len(b) + 1)]
    slid = settled(found, b, (len(a), len(b)), lambda start, stop: prices[start] + prices[stop])
    assert len(slid) == len(found)
    assert all(a[i] == b[j] for i, j in slid)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(slid))


def longest(a: list[int], b: list[int]) -> int:
    """The longest common subsequence, by its recurrence."""
    row = [0] * (len(b) + 1)
    for x in a:
        old = row[:]
        for j, y in enumerate(b):
            row[j + 1] = old[j] + 1 if x == y else max(old[j + 1], row[j])
    return row[-1]


@pytest.mark.parametrize("seed", range(40))
def test_as_many_matches_as_there_are(seed: int) -> None:
    chance = random.Random(seed)
    a, b = ([chance.randrange(4) for _ in range(chance.randrange(30))] for _ in range(2))
    found = matches(a, b)
    assert all(a[i] == b[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    assert len(found) == longest(a, b)
