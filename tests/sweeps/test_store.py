"""Directories of sweeps: every point once, whatever interrupts; nothing of another sweep mixed in."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.stores import EXPECTED, SPEC, fresh, parameters, points, rows, sweep

import archcalc
from archcalc.errors import ArchError
from archcalc.sweeps.evaluation import stream
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.results.store import Store, open_store
from archcalc.sweeps.results.stored import summarize
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid, sample


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fresh(monkeypatch)
    return tmp_path


def swept(
    points: Points, format: str, where: str = "", resume: bool = False, progress: Any = None
) -> Store:
    return sweep(format, points, where, resume, progress or (lambda points: None))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_every_network_is_a_row(format: str) -> None:
    store = swept(points(), format)
    assert rows(store) == EXPECTED
    counts = store.counts()
    assert sum(count["points"] for count in counts.values()) == 640
    assert sum(count["networks"] for count in counts.values()) == len(EXPECTED)
    refused = [count["refused"] for count in counts.values()]
    assert {reason for one in refused for reason in one} == {
        "{groups} groups do not divide {count} {what}"
    }
    assert len(os.listdir("out")) == 1 + 2 * 7
    assert not [name for name in os.listdir("out") if name.endswith(".new")]


def test_only_what_satisfies_is_written() -> None:
    store = swept(points(), "parquet", "parameters <= 500 and b >= 2")
    assert rows(store) == [row for row in EXPECTED if row[3] <= 500 and row[2] >= 2]


def test_words_and_inputs_stand_as_one_types_them() -> None:
    space = make_space(
        archcalc.load("vgg11"), ["head=fc,gap", "input=64x64x3,96x64x3", "classes=10,100"]
    )
    store = swept(grid(space), "parquet")
    found = list(store.rows(0, range(5)))
    assert [row["head"] for row in found] == ["fc"] * 4 + ["gap"]
    assert [row["input"] for row in found] == ["64x64x3", "64x64x3", "96x64x3", "96x64x3", "64x64x3"]
    assert [row["classes"] for row in found[:2]] == [10, 100]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_interrupted_sweep_goes_on(format: str) -> None:
    """Stopped ten times at random moments by what Ctrl-C raises, and once while a part is written."""
    source = random.Random(4)

    def stop(points: int) -> None:
        if source.random() < 0.2:
            raise KeyboardInterrupt

    for i in range(10):
        with pytest.raises(KeyboardInterrupt):
            swept(points(), format, resume=i > 0, progress=stop)
    Path(f"out/part-000000003.{format}.new").write_text("half")
    store = swept(points(), format, resume=True)
    assert rows(store) == EXPECTED
    assert not [name for name in os.listdir("out") if name.endswith(".new")]


SCRIPT = """
from archcalc.sweeps.results import manifest
from archcalc.sweeps.evaluation import stream
manifest.PART, stream.CHUNK = 1000, 100
from archcalc.__main__ import main
import sys
sys.argv = ["archcalc", "sweep", "small.toml", "--vary", "a=1:8000", "--vary", "b=1:20",
            "-o", "out", "--format", "csv", *sys.argv[1:]]
main()
"""


def test_a_killed_sweep_goes_on() -> None:
    """SIGKILL at random moments; at the end every point is there exactly once."""
    source = random.Random(7)
    command = [sys.executable, "-c", SCRIPT, "--resume"]
    killed = 0
    for _ in range(6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.4 + source.random() / 2)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    store = open_store("out")
    found = rows(store)
    assert found == [
        ((a - 1) * 20 + b - 1, a, b, parameters(a, b))
        for a in range(1, 8001)
        for b in range(1, 21)
        if a % b == 0
    ]
    assert sum(count["points"] for count in store.counts().values()) == 160_000


def test_a_summary_is_that_of_the_rows() -> None:
    store = swept(points(), "parquet")
    summary = summarize(store, (), Goal("parameters", True), 3)
    best = sorted(EXPECTED, key=lambda row: (-row[3], row[0]))[:3]
    assert [(r["point"], int(r["a"]), int(r["b"]), r["parameters"]) for r in summary.chosen] == best
    spread = next(s for s in summary.spreads if s.name == "parameters")
    counts = [row[3] for row in EXPECTED]
    assert (spread.least, spread.mean, spread.most) == (
        min(counts),
        sum(counts) // len(counts),
        max(counts),
    )
    assert (summary.points, summary.done, summary.rows) == (640, 640, len(EXPECTED))
    front = summarize(store, (Goal("parameters", False), Goal("stored", True)), Goal("peak", False), 3)
    # more values stored cost more parameters; at each a, the most groups cost least
    assert [int(row["a"]) for row in front.chosen] == sorted({int(row["a"]) for row in front.chosen})
    assert all(b == max(d for d in range(1, 9) if a % d == 0) for _, a, b, _ in map(_key, front.chosen))


def test_parts_that_cannot_have_the_best_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more a, the more parameters: the first part has the least, the last the most."""
    store = swept(points(), "csv")
    read: list[int] = []
    columns = Store.columns
    monkeypatch.setattr(Store, "columns", lambda s, n, names: read.append(n) or columns(s, n, names))
    for most in (False, True):
        summary = summarize(store, (), Goal("parameters", most), 1)
        assert read.pop() == (6 if most else 0)
        assert summary.chosen[0]["parameters"] == (max if most else min)(row[3] for row in EXPECTED)
    summarize(store, (Goal("parameters", False), Goal("stored", False)), Goal("peak", False), 1)
    assert read == [0]
    summarize(store, (Goal("parameters", False), Goal("stored", True)), Goal("peak", False), 1)
    assert sorted(read[1:]) == list(range(7))  # each has its own, with more stored


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_variables_are_goals_too(format: str) -> None:
    """A row stays where none with as many of a has fewer parameters; the most of a comes first."""
    store = swept(points(), format)
    front = summarize(store, (Goal("a", True), Goal("parameters", False)), Goal("peak", False), 3)
    least = [(a, b) for _, a, b, n in EXPECTED if n == min(m for _, c, _, m in EXPECTED if c >= a)]
    best = sorted(least, reverse=True)
    assert [(int(r["a"]), int(r["b"])) for r in front.chosen] == best
    top = summarize(store, (), Goal("b", True), 2)
    assert [(int(r["a"]), int(r["b"])) for r in top.chosen] == [(8, 8), (16, 8)]


def _key(row: dict[str, Any]) -> tuple[int, int, int, int]:
    return row["point"], int(row["a"]), int(row["b"]), row["parameters"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: (points("a=1:80", "b=1:9"), ""), "out holds another sweep: its space differs"),
        (lambda: (points(), "peak <= 9M"), "out holds another sweep: its where differs"),
        (lambda: (sample(points().space, 50, 1), ""), "out holds another sweep: its drawn differs"),
    ],
)
def test_another_sweep_is_refused(other: Any, message: str) -> None:
    swept(points(), "csv")
    changed, where = other()
    with pytest.raises(ArchError) as caught:
        swept(changed, "csv", where, resume=True)
    assert caught.value.diagnostics[0].message == message


def test_another_text_of_the_spec_is_refused() -> None:
    swept(points(), "csv")
    Path("small.toml").write_text(SPEC + "# changed\n")
    with pytest.raises(ArchError, match="out holds another sweep: the spec's text differs"):
        swept(points(), "csv", resume=True)


def test_what_is_there_is_never_overwritten(folder: Path) -> None:
    swept(points(), "csv")
    with pytest.raises(ArchError, match="out holds a sweep already"):
        swept(points(), "csv")
    (folder / "out" / "_manifest.json").write_text("{")
    with pytest.raises(ArchError, match=r"out holds no sweep: its _manifest\.json cannot be read"):
        swept(points(), "csv", resume=True)
    (folder / "out" / "_manifest.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(ArchError, match="out was written by another version of archcalc"):
        open_store("out")
    (folder / "out" / "_manifest.json").unlink()
    with pytest.raises(ArchError, match="out is not empty, and holds no sweep"):
        swept(points(), "csv")


def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No space is left at the third part; once there is, the sweep goes on."""
    fsync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 6:
            raise OSError(28, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(ArchError, match="cannot write out: No space left on device"):
            swept(points(), "csv")
    assert len(open_store("out").counts()) == 2
    assert rows(swept(points(), "csv", resume=True)) == EXPECTED


def test_a_place_that_cannot_be_written(folder: Path) -> None:
    (folder / "out").write_text("a file")
    with pytest.raises(ArchError, match="cannot write out: "):
        swept(points(), "csv")


def test_parquet_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ArchError) as caught:
        swept(points(), "parquet")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "Parquet needs pyarrow"
    assert diagnostic.help == "pip install 'archcalc[sweep]' for Parquet, or --format csv"
    assert rows(swept(points(), "csv")) == EXPECTED


def test_more_than_64_bits(folder: Path) -> None:
    """Parquet has no such integers; CSV has."""
    huge = points("a=1:4000000001:4000000000", "b=1,2")
    with pytest.raises(ArchError, match="some results go beyond the 64 bits of Parquet"):
        swept(huge, "parquet")
    for name in os.listdir(folder / "out"):
        os.remove(folder / "out" / name)
    assert rows(swept(huge, "csv"))[-1][3] == parameters(4_000_000_001, 1) > 2**63


def test_the_kernel_writes_what_numpy_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MANY", 0)
    assert rows(swept(points(), "csv")) == EXPECTED
    with open("out/part-000000000.csv") as file:
        assert next(csv.reader(file))[:4] == ["point", "a", "b", "parameters"]


def test_others_read_the_directory_as_it_is() -> None:
    """pyarrow's reader of a folder, which pandas uses: all columns, all rows, integers as such."""
    import pyarrow.parquet

    swept(points(), "parquet")
    table = pyarrow.parquet.read_table("out")
    columns = (table.column(name).to_pylist() for name in ("point", "a", "b", "parameters"))
    assert sorted(zip(*columns, strict=True)) == EXPECTED


def test_counts_follow_their_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that refuses to move the first part into its place: nothing may say that it is done."""
    replace = os.replace

    def refuse(source: str, place: str) -> None:
        if place.endswith(".csv"):
            raise OSError(5, "Input/output error")
        replace(source, place)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        with pytest.raises(ArchError, match="cannot write out: Input/output error"):
            swept(points(), "csv")
    assert open_store("out").counts() == {}
    assert rows(swept(points(), "csv", resume=True)) == EXPECTED
