"""Model files counted: whole cold processes, as multiples of `archcalc params resnet50` in the same run.

    python benchmarks/models.py FOLDER [PYTHON]

PYTHON has torch, torchvision, onnx and onnx-tool: it writes the files that FOLDER lacks, and its tools
count the same models. All take turns, so that a noisy machine disturbs all alike; medians of processor
time and of wall time, and the largest resident memory, are printed. Tools that are slow run once.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import archcalc

ROUNDS = 9
ARCHCALC = str(Path(sys.executable).with_name("archcalc"))
LIMITS = {"resnet50.pt2": 2.5, "resnet50.onnx": 2.5, "vgg16.onnx": 2.5, "swin_t.onnx": 5}
MEMORY = 80  # MB
MAKE = """
import sys, torch, torchvision
from pathlib import Path
name, _, ending = sys.argv[1].partition(".")
net, x = torchvision.models.get_model(name).eval(), torch.zeros(1, 3, 224, 224)
path = Path(sys.argv[2], sys.argv[1])
if ending == "pt2":
    torch.export.save(torch.export.export(net, (x,)), path)
else:
    torch.onnx.export(net, (x,), path, dynamo=False)
"""
ONNX_TOOL = """
import sys, onnx_tool
model = onnx_tool.Model(sys.argv[1], {"verbose": False})
model.graph.shape_infer(None)
model.graph.profile()
"""
FLOP_COUNTER = """
import sys, torch, torchvision
from torch.utils.flop_counter import FlopCounterMode
net = torchvision.models.get_model(sys.argv[1]).eval()
with torch.no_grad(), FlopCounterMode(display=False):
    net(torch.zeros(1, 3, 224, 224))
"""
TORCHINFO = """
import sys, torchinfo, torchvision
torchinfo.summary(torchvision.models.get_model(sys.argv[1]), (1, 3, 224, 224), verbose=0)
"""
FVCORE = """
import sys, torch, torchvision
from fvcore.nn import FlopCountAnalysis
net = torchvision.models.get_model(sys.argv[1]).eval()
FlopCountAnalysis(net, torch.zeros(1, 3, 224, 224)).total()
"""
TOOLS = {"FlopCounterMode": FLOP_COUNTER, "torchinfo": TORCHINFO, "fvcore": FVCORE}


class Cost(NamedTuple):
    """Of one process: seconds of processor and of wall time, MB resident."""

    processor: float
    wall: float
    memory: float


def cost(command: list[str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} … {command[-1]} failed")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def middle(costs: list[Cost]) -> Cost:
    processor, wall, memory = zip(*costs, strict=True)
    return Cost(statistics.median(processor), statistics.median(wall), max(memory))


def told(name: str, own: Cost, base: Cost, note: str = "") -> None:
    print(
        f"  {name:34} {own.processor * 1e3:8.0f} ms processor {own.wall * 1e3:8.0f} ms wall "
        f"{own.wall / base.wall:7.2f} ×  {own.memory:6.0f} MB  {note}"
    )


def ours(folder: Path) -> Cost:
    """The cold commands, in turn."""
    commands = {"resnet50": [ARCHCALC, "params", "resnet50"]}
    commands |= {name: [ARCHCALC, "params", str(folder / name)] for name in LIMITS}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            costs[name].append(cost(command))
    base = middle(costs["resnet50"])
    for name, found in costs.items():
        note = f"(at most {LIMITS[name]} ×, {MEMORY} MB)" if name in LIMITS else ""
        told(f"archcalc params {name}", middle(found), base, note)
    return base


def theirs(python: str, folder: Path, base: Cost) -> None:
    for name in LIMITS:
        if name.endswith(".onnx"):
            told(f"onnx-tool {name}", cost([python, "-c", ONNX_TOOL, str(folder / name)]), base)
    for tool, code in TOOLS.items():
        told(f"{tool} resnet50", cost([python, "-c", code, "resnet50"]), base)


def main() -> None:
    folder, python = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    for name in LIMITS:
        if python and not (folder / name).exists():
            subprocess.run([python, "-c", MAKE, name, str(folder)], check=True)
    compileall.compile_dir(str(Path(archcalc.__file__).parent), quiet=2)
    base = ours(folder)
    if python:
        theirs(python, folder, base)


if __name__ == "__main__":
    main()
