"""Sweeps: points a second by executor, by core, by grid, and whole processes.

    python benchmarks/sweep.py [ROUNDS]

Two spaces: a VGG-like one (13 widths and the resolution) and a ResNet-50-like one (stem, stage widths,
channels that leave them, kernel, resolution), six results a point: five metrics and whether it is valid.
Kernels are timed by processor time a thread, the best of several rounds; whole processes by the clock,
median.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import archcalc
from archcalc.formats import formats_of
from archcalc.sweeps.evaluation.by_numbers import NumberedPoints
from archcalc.sweeps.evaluation.by_rows import RowGrid, layout
from archcalc.sweeps.evaluation.collector import Collector
from archcalc.sweeps.evaluation.engine import Engine
from archcalc.sweeps.evaluation.stream import reader
from archcalc.sweeps.machine import instructions, numpy_machine
from archcalc.sweeps.machine.vector_machine import CompiledCode, VectorMachine
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.space.constraints import parse_condition
from archcalc.sweeps.space.model import make_space
from archcalc.sweeps.space.points import Points, grid, sample

HERE = Path(__file__).parent
ARCHCALC = str(Path(sys.executable).with_name("archcalc"))
SIX = ["parameters", "multiplies", "stored", "peak", "field"]  # and the first failing check
GOALS = ["parameters", "multiplies"]
POINTS = 1 << 16
FLOAT32 = formats_of("float32")
# the grid: eight of the space's axes, some 10^8 points, of which a condition keeps a few per cent
GRIDS = {
    "vgg_space.toml": (
        [
            *(f"w[{i}]=64:256:64" for i in range(7)),
            "w[11]=64:512:64",
            "w[12]=64:512:8",
            "input=96:224:32",
        ],
        "multiplies <= 3G and peak <= 8MiB",
    ),
    "resnet_space.toml": (
        [
            "stem=16:64:16",
            *(f"w[{i}]={64 << i}:{128 << i}:{32 << i}" for i in range(4)),
            "o[1]=256:512:64",
            "o[2]=512:1024:32",
            "o[3]=1024:2048:32",
            "input=96:224:32",
        ],
        "multiplies <= 600M and peak <= 2MiB",
    ),
}


def best(action: Callable[[], object], rounds: int) -> float:
    """The least processor time of this thread."""
    found = []
    for _ in range(rounds):
        begin = time.thread_time()
        action()
        found.append(time.thread_time() - begin)
    return min(found)


def space(name: str, varied: list[str] | None = None) -> Any:
    return make_space(archcalc.load(str(HERE / name)), varied or [])


def executors(name: str, rounds: int) -> float:
    """Points a second of each executor on one core; returns those of random points with a front."""
    points = sample(space(name), 10**8, 1)
    engine = Engine(points, SIX, FLOAT32)
    structure = engine.structures.whole()
    assert structure is not None
    code, inputs = structure.code, engine.structures.inputs
    read = reader(points, True)
    digits = read(0, POINTS)
    begin = time.perf_counter()
    program = CompiledCode(code, inputs, len(digits))
    compilation = time.perf_counter() - begin
    some = [[int(values[digits[axis, j]]) for axis, values in inputs] for j in range(500)]
    rates = {
        "plain Python": 500 / best(lambda: [instructions.run(code, point) for point in some], rounds),
        "NumPy": POINTS / best(lambda: numpy_machine.run(code, inputs, digits), rounds),
        "kernel": POINTS / best(lambda: program.run(digits), rounds),
        "drawing points": POINTS / best(lambda: read(0, POINTS), rounds),
    }
    count = len(structure.recording.program.instructions)
    print(f"\n{name}: {count:,} instructions recorded, {len(code.instructions)} left")
    for what, rate in rates.items():
        print(f"  {what:16} {rate:9.3g} points a second and core")
    ratio = rates["kernel"] / rates["NumPy"]
    print(f"  compilation      {compilation * 1000:9.0f} ms")
    print(f"  kernel / NumPy   {ratio:9.2f} ×  (at least 8)")
    print(f"  two cores / one  {cores(program, digits):9.2f} ×  (at least 1.7)")
    rate = filtered(points, rounds)
    print(f"  with a front     {rate:9.3g} points a second and core: drawn, run and filtered")
    return rate


def filtered(points: Points, rounds: int) -> float:
    """Points a second that one kernel draws, runs and filters for a front of two goals."""
    engine = Engine(points, GOALS, FLOAT32)
    structure = engine.structures.whole()
    assert structure is not None
    numbered = NumberedPoints(engine, structure, [1, -1])
    collector = Collector([(0, 1), (1, -1)], None, 1)
    numbered.run(0, POINTS, collector)
    count = 16 * POINTS
    return count / best(lambda: numbered.run(POINTS, POINTS + count, collector), rounds)


def cores(program: CompiledCode, digits: Any) -> float:
    """How much faster two threads are than one, by the clock."""
    work = [digits] * 256

    def run(threads: int) -> float:
        with ThreadPoolExecutor(threads) as pool:
            begin = time.perf_counter()
            list(pool.map(program.run, work))
            return time.perf_counter() - begin

    return min(run(1) for _ in range(3)) / min(run(2) for _ in range(3))


def gridded(name: str, random_rate: float) -> None:
    """A grid with constraints, by rows and without boxes that cannot satisfy them; on one core."""
    varied, where = GRIDS[name]
    points: Points = grid(space(name, varied))
    condition = parse_condition(where, dict.fromkeys(MEANING, 1))
    engine = Engine(points, GOALS, FLOAT32, condition, VectorMachine())
    found = layout(engine)
    assert found is not None
    rows = RowGrid(engine, found, [1, -1])
    collector = Collector([(0, 1), (1, -1)], None, 1)

    def run() -> None:
        for box in rows.boxes():
            rows.run(*rows.span(box), collector)

    rate = points.size / best(run, 1)
    print(f"  grid of {points.size:.2g} points, {collector.kept:,} satisfy `{where}`")
    print(f"  rows of {' and '.join(points.space.axes[axis].name for axis in found.fast)}:", end=" ")
    print(f"{len(rows.code.points.instructions)} instructions a point; {rows.skipped:,} never evaluated")
    print(f"  grid             {rate:9.3g} points a second and core")
    print(f"  grid / random    {rate / random_rate:9.2f} ×  (at least 1.5)")


def whole_processes(rounds: int) -> None:
    """From the shell to the printed front."""
    print("\nWhole processes, random points of the VGG-like space, --pareto params,multiplies:")
    for count, most in ((10**3, 0.2), (10**6, 0.4), (10**8, 1.5)):
        words = [str(HERE / "vgg_space.toml"), "--sample", str(count), "--pareto", "params,multiplies"]
        seconds = median(words, rounds if count < 10**8 else min(rounds, 3))
        print(f"  {count:11,} points   {seconds:6.2f} s  (at most {most})")
    print("\nWhole processes, decimals and repeats, all points:")
    for words, most in (
        (["mobilenet_v2", "--vary", "width=0.1:2:0.01", "--vary", "input=32:320:32"], 0.6),
        (["mobilenet_v1", "--vary", "width=0.25:1.4:0.001", "--vary", "input=96:224:32"], 0.6),
        (["resnet50", "--vary", "n[2]=1:300"], 1.0),
    ):
        print(f"  {' '.join(words[::2]):62} {median(words, rounds):6.2f} s  (at most {most})")


def median(words: list[str], rounds: int) -> float:
    """Seconds by the clock of a sweep from the shell."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        with tempfile.TemporaryFile() as output:
            subprocess.run([ARCHCALC, "sweep", *words], check=True, stdout=output)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    for name in GRIDS:
        gridded(name, executors(name, rounds))
    whole_processes(rounds)


if __name__ == "__main__":
    main()
