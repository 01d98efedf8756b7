"""Spaces: which values, which points, and that a sample has each point once and any as likely."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import prod
from pathlib import Path

import pytest

import archcalc
from archcalc.errors import ArchError, UsageError
from archcalc.operators.shape import Shape
from archcalc.spec.catalog import Entry
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.sweeps.machine import shuffle
from archcalc.sweeps.space.model import Space, make_space
from archcalc.sweeps.space.points import grid, read_points, sample

RESNET = archcalc.load("resnet50")


def values(*varied: str, network: str = "resnet50") -> list[list[object]]:
    space = make_space(archcalc.load(network), varied)
    return [list(axis.values) for axis in space.axes]


def space_of(*lengths: int) -> Space:
    """A space with axes of these lengths, over the items of a list."""
    names = [f"x{i}" for i in range(len(lengths))]
    declared = "\n".join(f"{name} = 1" for name in names)
    used = "".join(f"conv {{{name}}} | " for name in names)
    text = f'input = "1x1x1"\nlayers = "{used}relu"\n[vars]\n{declared}\n'
    network = archcalc.Network(Entry("", read(Source("x", text)), None), {})
    return make_space(network, [f"{n}=1:{length}" for n, length in zip(names, lengths, strict=True)])


def test_ranges_hold_their_last_value_if_the_step_meets_it() -> None:
    assert values("width=16:64:16") == [[16, 32, 48, 64]]
    assert values("width=16:63:16") == [[16, 32, 48]]
    assert values("width=7:9") == [[7, 8, 9]]
    assert values("width=7:7") == [[7]]


def test_decimals_are_exact() -> None:
    found = values("width=0.1:0.3:0.1", network="mobilenet_v1")
    assert found == [[Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]]
    assert values("width=0.5,1:2:0.5", network="mobilenet_v1") == [
        [Fraction(1, 2), 1, Fraction(3, 2), 2]
    ]


def test_items_inputs_lists_and_words() -> None:
    found = values("n[2]=1,6", "input=96x96x3,128x64x3", "unit=basic,bottleneck", "bias=false,true")
    assert found == [
        [1, 6],
        [Shape(96, 96, 3), Shape(128, 64, 3)],
        ["basic", "bottleneck"],
        [False, True],
    ]
    assert values("n=[2,2,2,2],[3,4,6,3]") == [[[2, 2, 2, 2], [3, 4, 6, 3]]]
    assert values("input=64:128:64") == [[Shape(64, 64, 3), Shape(128, 128, 3)]]
    assert values("input=8:16:8", network="m5") == [[Shape(8, 1), Shape(16, 1)]]
    assert values("input=8:16:8", network="r3d_18") == [[Shape(16, 8, 8, 3), Shape(16, 16, 16, 3)]]


def test_points_count_like_digits() -> None:
    space = make_space(RESNET, ["width=1:3", "groups=1:2", "bias=false,true"])
    points = grid(space)
    assert space.size == points.size == 12
    assert [points.digits(i) for i in range(12)] == list(product(range(3), range(2), range(2)))
    assert space.texts((2, 0, 1)) == {"width": "3", "groups": "1", "bias": "true"}


def test_a_point_is_the_network_one_would_load() -> None:
    space = make_space(RESNET, ["n[1]=4,8", "input=96x96x3,128x128x3", "width=64,128"])
    there = space.at((1, 0, 1)).analyze()
    alone = archcalc.load("resnet50", n=[3, 8, 6, 3], width=128, input="96x96x3").analyze()
    assert there.total == alone.total


def test_a_sweep_keeps_what_the_caller_set() -> None:
    network = archcalc.load("resnet50", n="2,2,2,2", input="64x64x3", bias=True)
    there = make_space(network, ["n[0]=3,5"]).at((1,))
    assert there.values["n"] == [5, 2, 2, 2]
    assert (there.values["bias"], there.graph.input) == (True, Shape(64, 64, 3))


@pytest.mark.parametrize(
    ("varied", "message"),
    [
        (["widht=1"], "unknown variable `widht`"),
        (["width"], "`width` names no values"),
        (["width="], "`width=` names no values"),
        ([], "nothing to vary"),
        (["width=128:16"], "`width=128:16` is an empty range"),
        (["width=16:128:0"], "`width`: a step of `0`"),
        (["width=16:128:-8"], "`width`: a step of `-8`"),
        (["width=16::8"], "`width` must be an integer, not `16::8`"),
        (["width=1.5"], "`width` must be an integer, not `1.5`"),
        (["width=99999999999999999999"], "`width` goes beyond 64 bits"),
        (["width=1:999999999"], "`width` takes too many values"),
        (["width=8,8"], "`width` takes `8` twice"),
        (["width=8,4:12:4"], "`width` takes `8` twice"),
        (["width=8", "width=16"], "`width` is varied twice"),
        (["n=[1,1,1,1]", "n[0]=1:3"], "`n` is varied twice"),
        (["n[0]=1:3", "n=[1,1,1,1]"], "`n` is varied twice"),
        (["n[4]=1"], "`n` has 4 items, counted from 0: no `n[4]`"),
        (["width[0]=1"], "`width` is no list: it has no items"),
        (["unit=basic,wide"], "`unit` cannot be `wide`"),
        (["input=96x"], "`96x` is no input size"),
        (["input=3x224x224"], "an input of 224 channels; resnet50 has 3"),
        (["bias=1:2"], "`bias` must be true or false, not `1:2`"),
    ],
)
def test_what_is_no_space(varied: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_space(RESNET, varied)
    assert caught.value.diagnostics[0].message == message


SPEC = """input = "8x8x3"
layers = "conv {c} | conv {n[0]}"
[vars]
c = 4
n = [2, 3]
[space]
"""


def own(lines: str) -> archcalc.Network:
    entry = Entry("", read(Source("my.toml", SPEC + lines)), None)
    return archcalc.Network(entry, {})


def test_a_spec_has_a_space_of_its_own() -> None:
    space = make_space(own('c = "4:12:4"\ninput = ["8x8x3", "9x9x3"]\n"n[0]" = [1, 2]'), [])
    assert [(axis.name, list(axis.values)) for axis in space.axes] == [
        ("c", [4, 8, 12]),
        ("input", [Shape(8, 8, 3), Shape(9, 9, 3)]),
        ("n[0]", [1, 2]),
    ]
    assert len(make_space(own('c = "4:12:4"'), ["c=1,2"]).axes[0].values) == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('d = "1:2"', "unknown variable `d`"),
        ("c = 4", "`c` needs values to vary over"),
        ("c = []", "`c` needs values to vary over"),
        ('c = "9:8"', "`c=9:8` is an empty range"),
        ('"n[7]" = [1]', "`n` has 2 items, counted from 0: no `n[7]`"),
    ],
)
def test_mistakes_of_a_space_have_their_place(lines: str, message: str) -> None:
    with pytest.raises(ArchError) as caught:
        make_space(own(lines), [])
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == message
    assert diagnostic.span is not None


@pytest.mark.parametrize(
    "lengths", [(7, 11, 13), (100, 100, 110), (1 << 20, 2), (1 << 20, 3), (2,) * 21]
)
def test_a_drawn_space_has_every_point_once(lengths: tuple[int, ...]) -> None:
    """Drawing all samples of a space gives each of its points: what is drawn is a permutation."""
    plan = shuffle.plan(lengths, seed=1)
    count = prod(lengths)
    step = max(count // 20_000, 1)
    drawn = {tuple(shuffle.draw(plan, i)) for i in range(0, count, step)}
    assert len(drawn) == len(range(0, count, step))
    assert all(
        0 <= number < size for state in drawn for number, size in zip(state, plan.sizes, strict=True)
    )


def test_samples_are_random_even_over_a_huge_space() -> None:
    """10^30 points: each digit as often as any other, and pairs of digits as well.

    20,000 draws of 10 values expect 2,000 of each with a standard deviation of 42; 5 of them are 210.
    """
    points = sample(space_of(*[10] * 30), 20_000, seed=3)
    found = [points.digits(i) for i in range(points.size)]
    assert len(set(found)) == 20_000
    for axis in range(30):
        assert all(abs(n - 2_000) < 210 for n in Counter(d[axis] for d in found).values())
    pairs = Counter((d[0], d[29]) for d in found)  # 200 each, a deviation of 14
    assert len(pairs) == 100 and all(abs(n - 200) < 75 for n in pairs.values())


def test_samples_depend_on_their_seed_alone() -> None:
    space = make_space(RESNET, ["width=1:1000", "groups=1:1000", "se=0:1000"])
    first, again, other = sample(space, 100, 1), sample(space, 100, 1), sample(space, 100, 2)
    drawn = [[points.digits(i) for i in range(100)] for points in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert sample(space, 50, 1).digits(49) == first.digits(49)


def test_small_samples_have_no_repeats() -> None:
    space = make_space(RESNET, ["width=1:30", "groups=1:4"])
    points = sample(space, 119, 1)
    assert len({points.digits(i) for i in range(119)}) == 119
    assert sample(space, 120, 1).size == sample(space, 999, 1).size == 120


def test_a_grid_beyond_all_time_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        grid(space_of(*[10] * 30))
    assert caught.value.diagnostics[0][::4] == (
        "a grid of 1.0·10^30 points",
        "--sample N takes N of them",
    )


def test_points_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("width,n,input\n64,[2,2,2,2],64x64x3\n".replace("[2,2,2,2]", '"[2,2,2,2]"'))
    points = read_points(RESNET, str(path))
    assert points.size == 1
    assert points.space.at(points.digits(0)).values["n"] == [2, 2, 2, 2]
    path.write_text("width,groups\n8,1\n16,2\n8,1\n16,1\n\n")
    points = read_points(RESNET, str(path))
    rows = [points.space.texts(points.digits(i)) for i in range(points.size)]
    assert [(r["width"], r["groups"]) for r in rows] == [
        ("8", "1"),
        ("16", "2"),
        ("8", "1"),
        ("16", "1"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "points.csv is empty"),
        ("width\n", "points.csv holds no points"),
        ("widht\n1\n", "row 2 of points.csv: unknown variable `widht`"),
        ("width,groups\n1,1\n\n7\n", "row 4 of points.csv has 1 values for 2 variables"),
        ("width\n1\nx\n", "row 3 of points.csv: `width` must be an integer, not `x`"),
        ("width\n1:2\n", "row 2 of points.csv: `1:2` is a range, not a value"),
        ("width,width\n1,1\n", "`width` is varied twice"),
        ("\udcff", "cannot read points.csv: "),
    ],
)
def test_bad_files(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArchError) as caught:
        read_points(RESNET, "points.csv")
    found = caught.value.diagnostics[0].message
    assert found == message or (message.endswith(": ") and found.startswith(message))


def test_no_such_file() -> None:
    with pytest.raises(UsageError, match=r"^cannot read nowhere.csv: No such file"):
        read_points(RESNET, "nowhere.csv")
