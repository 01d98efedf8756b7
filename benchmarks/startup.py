"""Start-up and analysis times, as ratios measured in one run.

    python benchmarks/startup.py [ROUNDS]

Whole processes are compared with a bare `python -c pass`, in turn, so that a noisy machine disturbs all
alike; medians are printed. What counts is the time of the processor, which on an idle machine is that
of the clock. Byte code is written beforehand, as pip does when it installs.
"""

from __future__ import annotations

import compileall
import os
import pty
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import archcalc
from archcalc.analysis.costs import analyze
from archcalc.graph.build import build
from archcalc.spec.lines import parse_line
from archcalc.spec.model import Source
from archcalc.spec.read import read
from archcalc.spec.settings import settle

ARCHCALC = [str(Path(sys.executable).with_name("archcalc"))]
# name: command, whether on a terminal, the most it may take as a multiple of bare Python
COMMANDS = {
    "params vgg16": (["params", "vgg16"], False, 7),
    "params vgg16 (terminal)": (["params", "vgg16"], True, 10),
    "show resnet152 --all": (["show", "resnet152", "--all"], False, 9),
    "show resnet152 --all (terminal)": (["show", "resnet152", "--all"], True, 16),
    "draw resnet50 as svg": (["draw", "resnet50", "--format", "svg"], False, 14),
    "list": (["list"], False, 15),
    "memory vgg16": (["memory", "vgg16"], False, 7),
    "memory vgg16 (terminal)": (["memory", "vgg16"], True, 10),
}


def run_in_pipe(command: list[str]) -> None:
    subprocess.run(command, stdout=subprocess.PIPE, check=True)


def run_on_terminal(command: list[str]) -> None:
    """Give the command a pseudo-terminal of 80 columns and read what it prints."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdout=slave, stdin=slave, stderr=slave)
    os.close(slave)
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # the other end is closed: the command has ended
        pass
    os.close(master)
    if process.wait():
        raise SystemExit(f"{command} failed")


def seconds(action: Callable[..., object], *arguments: object) -> float:
    """Of the processor, for this process and those that it starts."""
    start = used()
    action(*arguments)
    return used() - start


def used() -> float:
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def whole_processes(rounds: int) -> None:
    compileall.compile_dir(str(Path(archcalc.__file__).parent), quiet=2)
    bare = [sys.executable, "-c", "pass"]
    times: dict[str, list[float]] = {name: [] for name in ("python -c pass", *COMMANDS)}
    for _ in range(rounds):
        times["python -c pass"].append(seconds(run_in_pipe, bare))
        for name, (words, terminal, _) in COMMANDS.items():
            run = run_on_terminal if terminal else run_in_pipe
            times[name].append(seconds(run, [*ARCHCALC, *words]))
    base = statistics.median(times["python -c pass"])
    for name, measured in times.items():
        middle = statistics.median(measured)
        most = f"(at most {COMMANDS[name][2]} ×)" if name in COMMANDS else ""
        print(f"  {name:34} {middle * 1e3:7.1f} ms  {middle / base:6.2f} ×  {most}")


def in_process(rounds: int) -> None:
    graph = archcalc.load("resnet152").graph
    whole = min(seconds(lambda: archcalc.load("resnet152").analyze()) for _ in range(rounds))
    alone = min(seconds(analyze, graph) for _ in range(rounds))
    print(f"  resnet152: load, build, analyze    {whole * 1e3:7.1f} ms  (at most 20)")
    print(f"  resnet152: analyze alone           {alone * 1e3:7.1f} ms  (at most 5)")


def chain(length: int, repeated: bool) -> float:
    """Seconds a layer for a chain: one repeated line, or a line for every two layers."""
    line = '"conv 8 k3 p1 | relu"'
    lines = f'"{length // 2} x conv 8 k3 p1 | relu"' if repeated else f"{line}," * (length // 2)
    source = Source("chain.toml", f'input = "8x8x8"\nlayers = [{lines}]')

    def whole() -> None:
        parse_line.cache_clear()  # it keeps the lines of a short text, not those of a long one
        spec = read(source)
        analyze(build(spec, settle(spec, None, {})))

    return min(seconds(whole) for _ in range(3)) / length


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"Whole processes, median of {rounds}:")
    whole_processes(rounds)
    print("\nIn process, best:")
    in_process(rounds)
    for repeated in (True, False):
        short, long = chain(1_000, repeated), chain(100_000, repeated)
        kind = "repeated line" if repeated else "many lines"
        print(
            f"  chain, {kind:13}: {short * 1e6:5.1f} µs a layer of 1,000, {long * 1e6:5.1f} of 100,000:"
            f" {long / short:.2f} ×  (at most 1.5 ×)"
        )


if __name__ == "__main__":
    main()
