"""How rows spread: every row in one bin, fronts and shares as a plain list gives them, no row kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.formats import FLOAT32

import archcalc
from archcalc.errors import ArchError
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.machine.histograms import BinCounts, Extremes, integers
from archcalc.sweeps.results import histograms as module
from archcalc.sweeps.results import manifest as manifest_module
from archcalc.sweeps.results import parts as parts_module
from archcalc.sweeps.results.histograms import Bins, Histogram, density, histograms
from archcalc.sweeps.results.manifest import identity
from archcalc.sweeps.results.store import Store, create
from archcalc.sweeps.results.stored import sweep_into
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import grid

SPEC = """input = "8x8x4"
layers = ["conv {a} k3 half", "conv {a} g{b}"]
[vars]
a = 4
b = 1
"""
# 9·4·a + a, and a·a/b + a; 64 outputs of as many products as there are weights
ROWS = [
    (37 * a + a * a // b + a, 64 * (36 * a + a * a // b))
    for a in range(1, 81)
    for b in range(1, 9)
    if a % b == 0
]
NAMES = ("parameters", "multiplies")


@pytest.fixture(params=["csv", "parquet"])
def store(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """All of them in parts of 100 points, read 7 rows at a time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(manifest_module, "PART", 100)
    monkeypatch.setattr(parts_module, "BATCH", 7)
    Path("small.toml").write_text(SPEC)
    return written(request.param)


def written(format: str, where: str = "") -> Store:
    points = grid(make_space(archcalc.load("small.toml"), ["a=1:80", "b=1:8"]))
    asked = request(points, FLOAT32, where, "", "", None, 20)
    store = create("out", identity(points, "float32", where, format), False)
    sweep_into(store, asked, lambda points: None)
    return store


def counted(bins: Bins, values: Sequence[int]) -> list[int]:
    ends = zip(bins.edges, bins.edges[1:], strict=False)
    return [sum(first <= value < end for value in values) for first, end in ends]


@pytest.mark.parametrize("scale", ["auto", "log", "linear"])
def test_counts_are_those_of_a_list(store: Store, scale: Any) -> None:
    found = histograms(store, NAMES, 10, scale)
    for name, values in zip(NAMES, zip(*ROWS, strict=True), strict=True):
        bins, counts = found[name].bins, found[name].counts
        assert counts == counted(bins, values)
        assert sum(counts) == len(ROWS)
        assert bins.edges[0] == min(values)
        assert counts[-1]
        assert len(counts) <= 10
    # 39 to 3,040 + 6,400 parameters: 240 times the least
    assert found["parameters"].bins.log == (scale != "linear")


def test_a_density_and_its_front(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 10)
    for x, y in ((Goal("multiplies", False), Goal("parameters", True)), *_others()):
        found = density(store, x, y, "auto")
        pairs = [(row[NAMES.index(x.name)], row[NAMES.index(y.name)]) for row in ROWS]
        signed = [(a * (-1 if x.most else 1), b * (-1 if y.most else 1)) for a, b in pairs]
        best = {
            pair
            for pair, (a, b) in zip(pairs, signed, strict=True)
            if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in signed)
        }
        assert found.front == sorted(best)
        assert found.cells.sum() == found.rows == len(ROWS)
        assert found.cells.sum(axis=1).tolist() == counted(found.x, [a for a, _ in pairs])
        assert found.cells.sum(axis=0).tolist() == counted(found.y, [b for _, b in pairs])
        assert found.points == []


def _others() -> list[tuple[Goal, Goal]]:
    return [
        (Goal("parameters", True), Goal("multiplies", False)),
        (Goal("parameters", False), Goal("multiplies", False)),
        (Goal("parameters", True), Goal("multiplies", True)),
    ]


def test_few_rows_are_kept_as_they_are(store: Store) -> None:
    found = density(store, Goal("parameters", False), Goal("multiplies", False), "auto")
    assert found.points == ROWS


def test_a_share_stays_below_its_quantile() -> None:
    """1, 2, 2, 7, 7, 7, 7, 7, 7, 7 in bins of one integer."""
    found = Histogram(Bins((1, 2, 3, 4, 5, 6, 7, 8), 1, False), [1, 2, 0, 0, 0, 0, 7])
    assert [found.quantile(percent) for percent in (10, 11, 30, 31, 100)] == [1, 2, 2, 7, 7]
    assert found.cumulative == [1, 3, 3, 3, 3, 3, 10]


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=50),
    st.integers(1, 1000),
    st.integers(0, 10**12),
    st.integers(1, 40),
    st.sampled_from(["auto", "linear", "log"]),
)
def test_every_value_is_in_one_bin(
    numbers: list[int], step: int, shift: int, most: int, scale: Any
) -> None:
    values = [shift + 1 + step * number for number in numbers]
    extent = Extremes()
    for at in range(0, len(values), 7):
        extent.add(integers(values[at : at + 7]))
    assert (extent.least, extent.most, extent.total) == (min(values), max(values), sum(values))
    assert all((value - extent.least) % (extent.step or 1) == 0 for value in values)
    assert extent.step % step == 0
    merged = Extremes()
    for at in range(0, len(values), 7):
        part = Extremes()
        part.add(integers(values[at : at + 7]))
        merged.merge(part.rows, part.least, part.most, part.total, part.step)
        merged.merge(0, 0, 0, 0, 0)
    assert vars(merged) == vars(extent)
    bins = module._bins("peak", extent, most, scale)
    assert list(bins.edges) == sorted(set(bins.edges))
    assert len(bins.edges) - 1 <= most
    counts = BinCounts(bins.edges)
    counts.add(integers(values))
    assert counts.cells.tolist() == counted(bins, values)
    assert sum(counted(bins, values)) == len(values)


def test_bins_of_equal_ratio() -> None:
    """From 1,000 to a million in three: 10,000 and 100,000 lie between, up to the integers' rounding."""
    extent = Extremes()
    extent.add(integers([1_000, 1_001, 10**6]))
    bins = module._bins("peak", extent, 3, "auto")
    assert bins.log
    assert [round(edge, -2) for edge in bins.edges] == [10**3, 10**4, 10**5, 10**6]


def test_sums_and_values_beyond_64_bits() -> None:
    extent = Extremes()
    extent.add(integers([2**62] * 5))
    extent.add(integers([2**70, 2**62 + 6]))
    assert extent.total == 6 * 2**62 + 2**70 + 6
    # 2⁷⁰ − 2⁶² = 255 · 2⁶², which 6 divides
    assert (extent.least, extent.most, extent.step) == (2**62, 2**70, 6)
    bins = module._bins("multiplies", extent, 8, "linear")
    counts = BinCounts(bins.edges)
    counts.add(integers([2**62] * 5))
    counts.add(integers([2**70, 2**62 + 6]))
    assert counts.cells.tolist() == [6, 0, 0, 0, 0, 0, 0, 1]


def test_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewest parameters are 39; the next more than 40."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SPEC)
    assert 40 not in {count for count, _ in ROWS}
    store = written("csv", "parameters == 40")
    with pytest.raises(ArchError, match="out holds no rows"):
        histograms(store, NAMES, 10, "auto")


def test_a_part_that_lost_a_column(store: Store) -> None:
    text = "point,a\n0,1\n"
    if store.format == "parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"point": [0]}), store.file(0))
    else:
        Path(store.file(0)).write_text(text)
    with pytest.raises(ArchError, match="part 0 of out is damaged"):
        histograms(store, NAMES, 10, "auto")


def test_ticks_are_round() -> None:
    from archcalc.units import tick
    from archcalc.views.plot import ticks

    def texts(low: int, high: int, log: bool, in_bytes: bool) -> list[str]:
        places = ticks(Bins((low, high + 1), 1, log), in_bytes)
        assert all(low <= place <= high for place in places)
        assert len(places) <= 7
        return [tick(place, in_bytes) for place in places]

    assert texts(0, 1_000_000, False, False) == ["0", "200 K", "400 K", "600 K", "800 K", "1 M"]
    assert texts(3, 9, False, False) == ["3", "4", "5", "6", "7", "8", "9"]
    assert texts(1000 << 10, 1500 << 10, False, True) == [
        "1 MiB",
        "1.1 MiB",
        "1.2 MiB",
        "1.3 MiB",
        "1.4 MiB",
    ]
    assert texts(1_500_000, 90_000_000, True, False) == ["2 M", "5 M", "10 M", "20 M", "50 M"]
    assert texts(300 << 10, 9 << 20, True, True) == ["512 KiB", "1 MiB", "2 MiB", "4 MiB", "8 MiB"]
    assert texts(1000, 10**9, True, False) == ["1 K", "10 K", "100 K", "1 M", "10 M", "100 M", "1 G"]
    assert texts(2**10, 2**30, True, True) == [
        "1 KiB",
        "8 KiB",
        "64 KiB",
        "512 KiB",
        "4 MiB",
        "32 MiB",
        "256 MiB",
    ]
    assert texts(100, 100, False, False) == ["100"]
    assert tick(500_000, like=10**6) == "0.5 M"
    assert tick(9 << 19, True, like=1 << 20) == "4.5 MiB"
