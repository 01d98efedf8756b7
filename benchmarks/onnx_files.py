"""ONNX files counted: cold processes of archcalc beside onnx-tool, processor time and memory.

    python benchmarks/onnx_files.py FOLDER [PYTHON]

FOLDER holds files as tests/differential/onnx_exports.py writes them, PYTHON has onnx-tool. Each
figure is the least of several processes, so that other programs do not count.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILES = ("resnet18.old", "resnet50.old", "vgg16.old", "vit_b_16.old", "swin_t.old", "swin_t.new")
OURS = """
import sys
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally
trace = read(sys.argv[1], {}, {})
print(tally(trace, prune(trace)).counts.products)
"""
THEIRS = """
import sys
import onnx_tool
model = onnx_tool.Model(sys.argv[1], {"verbose": False})
model.graph.shape_infer(None)
model.graph.profile()
print(int(sum(model.graph.macs) if hasattr(model.graph.macs, "__iter__") else model.graph.macs))
"""
MEASURE = """
import resource
used = resource.getrusage(resource.RUSAGE_SELF)
peak = open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]
print(used.ru_utime + used.ru_stime, peak)
"""


def cost(python: str, code: str, *arguments: str, times: int = 5) -> tuple[str, float, float]:
    """What the code printed, seconds of processor time, MB resident."""
    found = []
    for _ in range(times):
        done = subprocess.run(
            [python, "-c", code + MEASURE, *arguments], capture_output=True, text=True, check=True
        )
        *told, figures = done.stdout.strip().splitlines()
        seconds, kilobytes = map(float, figures.split())
        found.append((told[-1] if told else "", seconds, kilobytes / 1024))
    return min(found, key=lambda figures: figures[1])


def main(folder: Path, other: str | None) -> None:
    zoo = (
        "from archcalc.__main__ import main; import sys; sys.argv = ['archcalc', 'params', 'resnet50']\n"
    )
    _, seconds, memory = cost(sys.executable, f"{zoo}try: main()\nexcept SystemExit: pass\n")
    print(f"archcalc params resnet50: {seconds * 1e3:.0f} ms, {memory:.0f} MB")
    for name in FILES:
        path = folder / f"{name}.onnx"
        products, seconds, memory = cost(sys.executable, OURS, str(path))
        line = f"{path.name}: {seconds * 1e3:.0f} ms, {memory:.0f} MB, {int(products):,} products"
        if other:
            theirs, slow, much = cost(other, THEIRS, str(path), times=2)
            line += f"; onnx-tool {slow * 1e3:,.0f} ms, {much:,.0f} MB, {int(theirs):,} MACs"
        print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
