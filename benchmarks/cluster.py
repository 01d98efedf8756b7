"""Sweeps on many machines: what a piece costs, and that killing workers or the whole run loses nothing.

    python benchmarks/cluster.py                  # what a piece costs, and 10^12 points
    python benchmarks/cluster.py killed [POINTS]  # a worker killed midway: the same as on one machine
    python benchmarks/cluster.py resumed [POINTS] # a run killed ten times: every point exactly once

The space is the VGG-like one. Pieces are timed as a worker does them, on one core, by processor time;
sums and counts of rows are taken by pyarrow from the files.
"""

from __future__ import annotations

import json
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow.compute
import pyarrow.parquet

import archcalc
from archcalc import __version__
from archcalc.formats import formats_of
from archcalc.sweeps.distributed import tasks
from archcalc.sweeps.distributed.cluster import connected
from archcalc.sweeps.distributed.tasks import Done, Job, Piece, work
from archcalc.sweeps.evaluation.request import Request, request
from archcalc.sweeps.evaluation.run import prepare
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.results.manifest import PART, identity
from archcalc.sweeps.results.store import create
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid, sample

SPEC = str(Path(__file__).with_name("vgg_space.toml"))
ARCHCALC = str(Path(sys.executable).with_name("archcalc"))
MANY, CORES = 10**12, 1_000
FLOAT32 = formats_of("float32")
WHERE = "multiplies <= 3G and peak <= 8MiB"
VARIED = [f"w[{i}]=64:512:8" for i in range(6)] + ["input=96:512:32"]


def points(count: int) -> Points:
    return sample(make_space(archcalc.load(SPEC), []), count, 1)


def timed(asked: Request, piece: Piece, store: tuple[str, dict[str, Any]] | None = None) -> Done:
    """A piece once more, now that all is loaded."""
    job = Job(__version__, pickle.dumps(asked), store)
    work(job, piece)
    began = time.process_time()
    return work(job, piece)._replace(seconds=time.process_time() - began)


def costs() -> None:
    """Three kinds of pieces, their way back, and how many a scheduler gives out."""
    front = request(points(MANY), FLOAT32, "", "params,multiplies", "", None, 20)
    told("random points, --pareto", front, timed(front, Piece(0, 1 << 25)))
    space = grid(make_space(archcalc.load(SPEC), VARIED))
    rows = request(space, FLOAT32, WHERE, "params,multiplies", "", None, 20)
    setup = prepare(rows, False)
    assert setup.grid is not None
    boxes = list(setup.grid.boxes(lambda: 1 << 28))
    told("a grid with a condition", rows, timed(rows, Piece(0, 0, boxes[len(boxes) // 2])))
    every = request(points(MANY), FLOAT32, "", "", "", None, 1)
    with tempfile.TemporaryDirectory() as folder:
        store = create(f"{folder}/out", identity(every.points, "float32", "", "parquet"), False)
        done = timed(every, Piece(0, 2 * PART), (store.path, store.manifest))
        written = sum(path.stat().st_size for path in Path(store.path).glob("*.parquet"))
        told("random points, all rows", every, done)
        print(f"  {written / done.points:.1f} bytes a row: {written / done.points:.0f} TB for 10^12")
    with connected("") as cluster:
        cluster.threads, cluster.looked = CORES, float("inf")  # as many on their way as with so many
        job = Job(__version__, pickle.dumps(front), None)
        began = time.process_time()
        count = sum(1 for _ in cluster.spread(idle, job, (Piece(i, i) for i in range(5_000))))
        each = (time.process_time() - began) / count
        print(f"client and scheduler: {each * 1000:.1f} ms a piece")


def idle(job: Job, piece: Piece) -> Done:
    """Nothing."""
    return Done(0, 0, 0.0, None, (), ())  # type: ignore[arg-type]


def told(name: str, asked: Request, done: Done) -> None:
    """What a piece was, and 10^12 points in pieces like it."""
    back, rate = len(pickle.dumps(done)), done.points / done.seconds
    collected = prepare(asked, False).collector()
    collected.merge(done.collected)
    started = time.perf_counter()
    collected.merge(done.collected)
    merging = time.perf_counter() - started
    print(f"{name}: {done.points:,} points in {done.seconds:.2f} s, {rate:,.0f} a second and core")
    print(f"  {back / 1000:.1f} kB back, merged in {merging * 1000:.1f} ms")
    seconds, count = MANY / CORES / rate, MANY / (tasks.MOST * 0.75 * rate)
    merged = count * merging
    print(f"  10^12 on 1,000 cores: {seconds:,.0f} s, {count:,.0f} pieces, merged in {merged:,.0f} s")


def killed(count: int) -> None:
    """The front, and all rows that satisfy, locally and on two workers of which one is killed."""
    common = [SPEC, "--sample", str(count), "--seed", "1", "--where", WHERE]
    with tempfile.TemporaryDirectory() as folder:
        for name, words in {
            "front": ["--pareto", "params,multiplies,peak", "--format", "json"],
            "rows": ["--top", "20", "--by", "peak", "-o", f"{folder}/NAME"],
        }.items():
            found = {}
            for where in ("local", "cluster"):
                own = [word.replace("NAME", f"{name}-{where}") for word in words]
                own += ["--dask"] if where == "cluster" else []
                started = time.perf_counter()
                output = run(common + own, found.get("seconds", 0) / 2 if where == "cluster" else None)
                seconds = time.perf_counter() - started
                found["seconds"] = seconds
                place = Path(f"{folder}/{name}-{where}")
                found[where] = (output, figures(place) if place.exists() else None)
                print(f"{name}, {where}: {seconds:.1f} s")
            assert found["local"] == found["cluster"]
            print(f"the same {name}:", found["local"][1] or f"{len(found['local'][0])} characters")


def run(words: list[str], kill_after: float | None = None) -> str:
    """What is printed; with a time, a worker is killed then."""
    process = subprocess.Popen([ARCHCALC, "sweep", *words], stdout=subprocess.PIPE, text=True)
    if kill_after is not None:
        time.sleep(kill_after)
        worker = workers(process.pid)[0]
        worker.send_signal(signal.SIGKILL)
        print(f"killed worker {worker.pid} after {kill_after:.1f} s")
    output, _ = process.communicate()
    assert process.returncode == 0
    return output


def workers(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if any("spawn_main" in word for word in child.cmdline())]


def figures(folder: Path) -> dict[str, Any]:
    """Counts as written, sums of all columns of integers."""
    sums: dict[str, int] = {}
    for table in tables(folder):
        for name in ("point", *MEANING):
            if len(table):
                sums[name] = sums.get(name, 0) + pyarrow.compute.sum(table[name]).as_py()
    counts = [json.loads(path.read_text()) for path in folder.glob("_part-*.json")]
    return {key: sum(c[key] for c in counts) for key in ("points", "networks", "rows")} | sums


def tables(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("part-*.parquet")):
        yield pyarrow.parquet.read_table(path, columns=["point", *MEANING])


def resumed(count: int) -> None:
    """All processes of a run killed at ten random moments, on one machine and on a cluster."""
    source = random.Random(count)
    for words in (["--dask"], []):
        with tempfile.TemporaryDirectory() as folder:
            common = [SPEC, "--sample", str(count), "-o", f"{folder}/out", "--resume", *words]
            for _ in range(10):
                process = subprocess.Popen([ARCHCALC, "sweep", *common], stdout=subprocess.DEVNULL)
                before = parts(folder)
                while parts(folder) == before and process.poll() is None:
                    time.sleep(source.random())
                time.sleep(3 * source.random())
                everyone = [process.pid, *(child.pid for child in workers(process.pid))]
                for pid in everyone:
                    psutil.Process(pid).kill()
                process.wait()
                assert process.returncode == -signal.SIGKILL, "finished: more points are needed"
                print(f"{parts(folder)} parts", end=", ", flush=True)
            run(common)
            seen = 0
            for table in tables(Path(f"{folder}/out")):
                numbers = table["point"].to_numpy()
                assert (numbers == range(seen, seen + len(numbers))).all()
                seen += len(numbers)
            assert seen == count
            print(
                f"killed ten times{' with --dask' if words else ''}: {seen:,} points, each exactly once"
            )


def parts(folder: str) -> int:
    """How many are done."""
    return len(list(Path(folder).glob("out/_part-*.json")))


if __name__ == "__main__":
    mode, number = ([*sys.argv[1:], "", ""])[:2]
    if mode == "killed":
        killed(int(number or 10**8))
    elif mode == "resumed":
        resumed(int(number or 4 * 10**7))
    else:
        costs()
