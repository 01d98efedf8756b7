"""Sweeps on a cluster: what a sweep of one machine finds, whichever worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click.testing
import pytest
from support.formats import FLOAT32

import archcalc
from archcalc.commands.sweep import command
from archcalc.errors import ArchError
from archcalc.sweeps.distributed import cluster, tasks
from archcalc.sweeps.evaluation.request import request
from archcalc.sweeps.evaluation.run import Outcome, prepare
from archcalc.sweeps.results import manifest as manifest_module
from archcalc.sweeps.results.manifest import identity
from archcalc.sweeps.results.store import create
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid, read_points, sample

distributed = pytest.importorskip("distributed", reason="pip install 'archcalc[dask]'")

SPEC = """input = "8x8x4"
layers = ["conv {a} k3 half", "conv {a} g{b}"]
[vars]
a = 4
b = 1
"""
REFUSED = "{groups} groups do not divide {count} {what}"


def parameters(a: int, b: int) -> int:
    """9·4·a + a, and a·a/b + a."""
    return 37 * a + a * a // b + a


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    """Two processes."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as found:
        yield found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(manifest_module, "PART", 100)
    monkeypatch.setattr(tasks, "FIRST", 50)
    Path("small.toml").write_text(SPEC)


def points(*varied: str) -> Points:
    return grid(make_space(archcalc.load("small.toml"), varied or ["a=1:80", "b=1:8"]))


def swept(
    address: str, points: Points, where: str = "", pareto: str = "", top: int | None = None
) -> tuple[Outcome, int]:
    """And how many points the progress was told of."""
    told: list[int] = []
    found = tasks.sweep(address, request(points, FLOAT32, where, pareto, "", top, 20), told.append)
    return found, sum(told)


def test_points_that_fail_and_the_best(workers: Any) -> None:
    valid = [(a, b) for a in range(1, 81) for b in range(1, 9) if a % b == 0]
    outcome, told = swept(workers.scheduler_address, points(), top=5)
    collected = outcome.collected
    assert told == collected.seen == 640
    assert collected.valid == collected.kept == len(valid)
    # 8·8 products for each weight of 3×3 kernels, and of 1×1 ones over a/b channels
    best = sorted(valid, key=lambda v: (64 * (36 * v[0] + v[0] * v[0] // v[1]), v))[:5]
    assert [(int(r.values["a"]), int(r.values["b"])) for r in outcome.rows()] == best
    (refusal,) = outcome.refusals()
    assert refusal.points == 640 - len(valid)
    assert refusal.example == {"a": "1", "b": "2"}


def test_a_grid_goes_by_rows_and_leaves_boxes_out(workers: Any) -> None:
    """Parameters of at most 10,000 need a ≤ 263; boxes without such an a are not evaluated."""
    space = points("a=1:5000", "b=1:400")
    assert prepare(request(space, FLOAT32, "", "params", "", None, 20), keep=False).grid is not None
    fits = [
        (a, b)
        for a in range(1, 5001)
        for b in range(1, 401)
        if a % b == 0 and parameters(a, b) <= 10_000
    ]
    outcome, told = swept(workers.scheduler_address, space, "params <= 10000", "max:params")
    assert told == 2_000_000 == outcome.collected.seen + outcome.skipped
    assert outcome.skipped > 0
    assert outcome.collected.kept == len(fits)
    (row,) = outcome.rows()
    best = max(parameters(a, b) for a, b in fits)
    assert row.metrics["parameters"] == best
    assert row.points == sum(parameters(a, b) == best for a, b in fits)


def test_random_points_and_those_of_a_file(workers: Any) -> None:
    Path("some.csv").write_text("a,b\n" + "8,2\n9,2\n6,3\n" * 40)
    outcome, _ = swept(workers.scheduler_address, read_points(archcalc.load("small.toml"), "some.csv"))
    assert (outcome.collected.seen, outcome.collected.valid) == (120, 80)
    assert {tuple(r.values.values()) for r in outcome.rows()} == {("8", "2"), ("6", "3")}
    drawn = sample(points("a=1:3000", "b=1:1000").space, 20_000, 3)
    assert drawn.plan
    outcome, _ = swept(workers.scheduler_address, drawn, top=20_000)
    digits = (drawn.digits(number) for number in range(20_000))
    expected = {(a + 1, b + 1) for a, b in digits if (a + 1) % (b + 1) == 0}
    assert {(int(r.values["a"]), int(r.values["b"])) for r in outcome.rows()} == expected


def into(address: str, progress: Callable[[int], None], resume: bool = False) -> Any:
    asked = request(points(), FLOAT32, "", "", "", None, 20)
    store = create("out", identity(points(), "float32", "", "csv"), resume)
    tasks.sweep_into(address, store, asked, progress)
    return store


def rows(store: Any) -> list[tuple[int, int, int]]:
    read = (row for part in range(store.parts) for row in store.rows(part, range(store.size)))
    return [(int(row["a"]), int(row["b"]), int(row["parameters"])) for row in read]


ROWS = [(a, b, parameters(a, b)) for a in range(1, 81) for b in range(1, 9) if a % b == 0]


def test_a_worker_killed_midway_costs_nothing(workers: Any) -> None:
    """With rows and without; the cluster starts another worker."""
    killed: list[int] = []
    most = 1

    def kill(points: int) -> None:
        living = [n.pid for n in workers.workers.values() if n.pid and n.pid not in killed]
        if living and len(killed) < most:
            killed.append(living[0])
            os.kill(living[0], signal.SIGKILL)

    asked = request(points(), FLOAT32, "", "", "", None, 20)
    outcome = tasks.sweep(workers.scheduler_address, asked, kill)
    assert (outcome.collected.seen, outcome.collected.valid) == (640, len(ROWS))
    assert len(killed) == 1
    most = 2
    store = into(workers.scheduler_address, kill)
    assert len(killed) == 2
    assert rows(store) == ROWS
    assert sum(count["points"] for count in store.counts().values()) == 640


def test_an_interrupted_sweep_goes_on(workers: Any) -> None:
    def stop(points: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        into(workers.scheduler_address, stop)
    Path("out/part-000000003.csv.5.new").write_text("half")
    told: list[int] = []
    store = into(workers.scheduler_address, told.append, resume=True)
    assert rows(store) == ROWS
    assert sum(told) == 640
    assert not list(Path("out").glob("*.new"))


def test_a_directory_that_workers_do_not_see(workers: Any) -> None:
    asked = request(points(), FLOAT32, "", "", "", None, 20)
    store = create("out", identity(points(), "float32", "", "csv"), False)
    Path("out").rename("elsewhere")
    Path("out").mkdir()
    with pytest.raises(ArchError, match=r"worker .* does not see /.*/out") as caught:
        tasks.sweep_into(workers.scheduler_address, store, asked, lambda points: None)
    assert "share" in caught.value.diagnostics[0].help


def test_reasons_get_the_numbers_that_they_have_here() -> None:
    """A worker counts them in the order in which it meets them."""
    setup = prepare(request(points(), FLOAT32, "", "", "", None, 20), keep=False)
    one, two = setup.engine.messages.reason("one"), setup.engine.messages.reason("two")
    collected = setup.collector()
    collected.refused, collected.examples = {1: 5, 2: 7}, {1: 50, 2: 70}
    tasks.translate(tasks.Done(12, 0, 1.0, collected, ("two", "one"), ()), setup.engine)
    assert collected.refused == {two: 5, one: 7}
    assert collected.examples == {two: 50, one: 70}


def test_workers_of_another_version(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "__version__", "99")
    with pytest.raises(ArchError, match=f"a worker has archcalc {archcalc.__version__}, this is 99"):
        swept(workers.scheduler_address, points())
    monkeypatch.setattr(cluster, "__version__", "99")
    with pytest.raises(ArchError, match=f"the scheduler has archcalc {archcalc.__version__}"):
        swept(workers.scheduler_address, points())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nothing://here", "no cluster answers at nothing://here: unknown address scheme"),
        ("tcp://127.0.0.1:9", "no cluster answers at tcp://127.0.0.1:9: Timed out"),
    ],
)
def test_no_cluster_there(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(ArchError, match=message):
        swept(address, points())


def test_no_workers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(cluster, "WAIT", 0.1)
    monkeypatch.setattr(cluster, "CHECK", 0.1)
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as empty:
        with pytest.raises(ArchError, match="no workers at inproc://"):
            swept(empty.scheduler_address, points())
        monkeypatch.setattr(cluster, "PATIENCE", 10)
        empty.scale(1)
        with pytest.raises(ArchError, match="no workers are left at inproc://"):
            into(empty.scheduler_address, lambda points: empty.scale(0))


def test_a_scheduler_that_dies() -> None:
    asked = request(points("a=1:1000000", "b=1:8"), FLOAT32, "", "params,max:peak", "", None, 20)
    with (
        distributed.LocalCluster(n_workers=1, dashboard_address=":0", silence_logs=50) as dying,
        pytest.raises(ArchError, match="lost the scheduler at tcp://"),
    ):
        tasks.sweep(dying.scheduler_address, asked, lambda points: dying.close())


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ArchError) as caught:
        swept("", points())
    assert caught.value.diagnostics[0].message == "--dask needs Dask"
    assert "pip install 'archcalc[dask]'" in caught.value.diagnostics[0].help


SCRIPT = """
import sys
sys.argv = ["archcalc", "sweep", *sys.argv[1:]]
from archcalc.__main__ import main
try:
    main()
finally:
    print("loaded:", [m for m in ("dask", "distributed", "tornado") if m in sys.modules])
"""


def run(*words: str) -> list[str]:
    command = [sys.executable, "-c", SCRIPT, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_only_dask_loads_dask() -> None:
    assert run("small.toml", "--vary", "a=1:80", "--vary", "b=1:8")[-1] == "loaded: []"
    assert run("small.toml", "--vary", "a=1:8", "-o", "out", "--format", "csv")[-1] == "loaded: []"


def test_a_cluster_of_its_own() -> None:
    """The address may be left out, before the spec, too; nothing but the report is printed."""
    alone = run("small.toml", "--vary", "a=1:80", "--vary", "b=1:8", "--pareto", "params,max:stored")
    found = run(
        "--dask", "small.toml", "--vary", "a=1:80", "--vary", "b=1:8", "--pareto=params,max:stored"
    )
    assert found[:-1] == alone[:-1]
    assert found[-1] == "loaded: ['dask', 'distributed', 'tornado']"


def test_every_point_is_printed_by_one_machine() -> None:
    words = ["small.toml", "--vary", "a=1:8", "--format", "csv", "--dask"]
    error = click.testing.CliRunner().invoke(command, words).exception
    assert isinstance(error, ArchError)
    assert error.diagnostics[0].message == "--dask does not print all points"
