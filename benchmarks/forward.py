"""Speed and memory of `archcalc run`: its forward pass against onnxruntime's, and its counted loops.

    pip install onnx onnxruntime safetensors
    python benchmarks/forward.py [ROUNDS]

Each program runs in a process of its own, with two threads, on one image of 224×224. They take turns, a
few passes each, and the best pass of all rounds counts, because a shared machine only ever adds time;
medians are printed too. Both have the same weights, and their outputs must agree.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NETWORKS = {"vgg16": 2.0, "resnet50": 2.0, "mobilenet_v1": 4.0}  # the most, as a multiple of onnxruntime
PASSES = {"vgg16": 3, "resnet50": 10, "mobilenet_v1": 40}  # in a turn
TOLERANCE = 1e-4  # of the largest output
MIB = 1 << 20
SLACK = 32 * MIB
THREADS = "2"
# a CPU type or cache size forced upon OpenBLAS would measure that
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
ENVIRONMENT |= {
    "NUMBA_NUM_THREADS": THREADS,
    "OPENBLAS_NUM_THREADS": THREADS,
    "OMP_NUM_THREADS": THREADS,
}


# ---- in the children


def passes_of_archcalc(name: str, folder: Path) -> Any:
    import numpy as np

    import archcalc
    from archcalc.execution.forward import Forward
    from archcalc.execution.inputs import seeded_input
    from archcalc.execution.weights import make

    graph = archcalc.load(name).graph
    forward, image = Forward(graph, make(graph)), seeded_input(graph.input, 1, 0)
    np.save(folder / "archcalc.npy", forward.run(image)["output"].reshape(-1))
    return lambda: forward.run(image)


def passes_of_onnxruntime(name: str, folder: Path) -> Any:
    import numpy as np
    import onnxruntime
    from onnx_export import export

    import archcalc
    from archcalc.execution.inputs import seeded_input
    from archcalc.execution.weights import make

    graph = archcalc.load(name).graph
    export(graph, make(graph), str(folder / "model.onnx"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(THREADS)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    image = np.ascontiguousarray(seeded_input(graph.input, 1, 0).transpose(0, 3, 1, 2))
    np.save(folder / "onnxruntime.npy", session.run(None, {"0": image})[0].reshape(-1))
    return lambda: session.run(None, {"0": image})


PROGRAMS = {"archcalc": passes_of_archcalc, "onnxruntime": passes_of_onnxruntime}


def serve(program: str, name: str, folder: str) -> None:
    """For each number read, so many passes; their seconds are written."""
    run = PROGRAMS[program](name, Path(folder))
    for _ in range(3):
        run()
    print("ready", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        print(json.dumps(times), flush=True)


def compare(folder: str) -> None:
    """How far the outputs are apart, as a share of the largest."""
    import numpy as np

    ours, theirs = (np.load(Path(folder) / f"{program}.npy") for program in PROGRAMS)
    print(float(np.abs(ours - theirs).max() / np.abs(theirs).max()))


def blas() -> None:
    import numpy as np

    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[call-overload]
    print(f"numpy {np.__version__} with {found['name']} {found['version']}")


def peak() -> None:
    """What the process held at most, in bytes."""
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def bare() -> None:
    """What `archcalc run` imports, with one kernel warm."""
    from archcalc import cli
    from archcalc.commands import run
    from archcalc.execution import inputs, weights
    from archcalc.execution.fast import operators
    from archcalc.execution.forward import Forward
    from archcalc.files import outputs
    from archcalc.graph.build import build
    from archcalc.spec.model import Source
    from archcalc.spec.read import read
    from archcalc.spec.settings import settle

    assert cli and run and operators and outputs
    spec = read(Source("one.toml", 'input = "8x8x8"\nlayers = ["conv 8 k3 p1"]'))
    graph = build(spec, settle(spec, None, {}))
    Forward(graph, weights.make(graph)).run(inputs.seeded_input(graph.input, 1, 0))
    peak()


def whole_run(*arguments: str) -> None:
    """`archcalc run` as it is."""
    from archcalc.cli import commands

    commands.main(["run", *arguments], standalone_mode=False)
    peak()


def declared(name: str) -> None:
    """Bytes of weights, arena and scratch."""
    from math import prod

    import archcalc
    from archcalc.execution.forward import Forward
    from archcalc.execution.weights import make, slots

    graph = archcalc.load(name).graph
    forward = Forward(graph, make(graph))
    weights = 4 * sum(prod(slot.shape) for slot in slots(graph))
    print(json.dumps([weights, forward.block.nbytes, forward.scratch.nbytes]))


def save_weights(name: str, path: str) -> None:
    from safetensors.numpy import save_file

    import archcalc
    from archcalc.execution.weights import make

    made = make(archcalc.load(name).graph)
    save_file({f"{layer}.{role}": w for layer, own in made.items() for role, w in own.items()}, path)
    print(path)


def count(name: str) -> None:
    """Seconds of all counted loops, their multiplies, and the most multiplies a second of one core."""
    import archcalc
    from archcalc.execution.counted import loops
    from archcalc.execution.inputs import seeded_input
    from archcalc.execution.weights import make

    graph = archcalc.load(name).graph
    layers = [node for node in graph.nodes if node.operator.name in ("conv", "linear")]
    weights, counted, took, rate = make(graph), 0, 0.0, 0.0
    for number, node in enumerate([layers[0], layers[-1], *layers]):
        x = seeded_input(graph.nodes[node.inputs[0]].shape, 1, 0)
        start, core = time.perf_counter(), time.process_time()
        done = loops.run(node.operator, [x], weights[node.path]).counts["multiplies"]
        if number > 1:  # the first two compile
            counted, took = counted + done, took + time.perf_counter() - start
            rate = max(rate, done / (time.process_time() - core))
    print(json.dumps([took, counted, rate]))


# ---- in the parent, which imports nothing large: its memory would show in its children's


def child(*arguments: str) -> str:
    """The last line that a child prints."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


class Server:
    """A program in its process, waiting for its turn."""

    def __init__(self, program: str, name: str, folder: str) -> None:
        command = [sys.executable, __file__, "serve", program, name, folder]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True)
        self.read()

    def read(self) -> str:
        line = self.process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise SystemExit("a program ended early")
        return line

    def turn(self, passes: int) -> list[float]:
        self.process.stdin.write(f"{passes}\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        times: list[float] = json.loads(self.read())
        return times

    def close(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


def speed(name: str, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        servers = {program: Server(program, name, folder) for program in PROGRAMS}
        times: dict[str, list[float]] = {program: [] for program in PROGRAMS}
        for _ in range(rounds):
            for program, server in servers.items():
                times[program] += server.turn(PASSES[name])
                time.sleep(0.05)  # until the threads of one have gone to sleep
        for server in servers.values():
            server.close()
        apart = float(child("compare", folder))
    assert apart <= TOLERANCE, f"{name}: outputs are {apart:.2g} of the largest apart"
    best = [min(times[program]) * 1e3 for program in PROGRAMS]
    middle = [statistics.median(times[program]) * 1e3 for program in PROGRAMS]
    print(
        f"  {name:14}{best[0]:8.1f}{best[1]:13.1f}{best[0] / best[1]:8.2f} ×{middle[0]:10.1f}"
        f"{middle[1]:13.1f}{middle[0] / middle[1]:8.2f} ×  (at most {NETWORKS[name]} ×)",
        flush=True,
    )


def memory(name: str) -> None:
    base = int(child("bare"))
    parts = [base, *json.loads(child("declared", name)), SLACK]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "weights.safetensors")
        child("save_weights", name, path)
        runs = {f"run {name}": (name,), f"run {name} --weights": (name, "--weights", path)}
        peaks = {what: int(child("whole_run", *words)) for what, words in runs.items()}
    sizes = " + ".join(f"{part / MIB:.1f}" for part in parts)
    print("\nPeak resident memory, MiB; at most imports + weights + arena + scratch + 32:")
    for what, most in peaks.items():
        print(f"  {what:22}{most / MIB:8.1f}  (at most {sizes} = {sum(parts) / MIB:.1f})")


def counting(name: str) -> None:
    took, counted, rate = json.loads(child("count", name))
    print("\nCounted loops:")
    print(f"  {name}: {counted:,} multiplies in {took:.1f} s  (at most 10)")
    print(f"  the fastest layer: {rate / 1e9:.1f} billion a second and core  (at least 2)")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(child("blas"))
    print(f"Forward pass, ms: best and median of {rounds} rounds")
    print(f"  {'':14}archcalc  onnxruntime     ratio  archcalc  onnxruntime     ratio")
    for name in NETWORKS:
        speed(name, rounds)
    memory("vgg16")
    counting("vgg16")


CHILDREN = (serve, compare, blas, bare, whole_run, declared, save_weights, count)

if __name__ == "__main__":
    called = {function.__name__: function for function in CHILDREN}
    word = "".join(sys.argv[1:2])
    called[word](*sys.argv[2:]) if word in called else main()
