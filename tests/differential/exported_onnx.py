"""Exported ONNX files held against onnxruntime. For development: needs onnx and onnxruntime.

    python exported_onnx.py PYTHON [NAMES]    PYTHON: one that has both; archcalc's own needs neither

Every operator by lines of a spec, and every bundled network of at most 160 million parameters and
30 billion multiplies (or those named): the file is checked by onnx with full shape inference, counted by
archcalc's reader, run, and held against archcalc's own values with the same weights, none of which is
at a 0 or 1 at which it would not show.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from archcalc import load
from archcalc.api import Network
from archcalc.errors import ArchError
from archcalc.execution.forward import Forward
from archcalc.execution.inputs import seeded
from archcalc.execution.weights import make
from archcalc.export.onnx.writing import drafted, takes_ids, write
from archcalc.imported import Model
from archcalc.spec.catalog import names

sys.path.append(str(Path(__file__).parents[1]))
from support.export_lines import LINES

TOLERANCE = 1e-5
RUNNER = """
import sys, numpy as np, onnx, onnxruntime
for folder in map(str.strip, sys.stdin):
    try:
        onnx.checker.check_model(onnx.load(f"{folder}/e.onnx"), full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        run = onnxruntime.InferenceSession(f"{folder}/e.onnx", options, providers=providers)
        stored = np.load(f"{folder}/e.npz")
        kinds = {i.name: np.int64 if "int" in i.type else np.float32 for i in run.get_inputs()}
        fed = {name: stored["in_" + name].astype(kind) for name, kind in kinds.items()}
        found, wanted = run.run(["output"], fed)[0].reshape(-1), stored["out"].reshape(-1)
        print(np.abs(found - wanted).max() / np.abs(wanted).max(), flush=True)
    except Exception as error:
        print("failed:", str(error).replace(chr(10), " ")[:300], flush=True)
"""


def networks(wanted: list[str]) -> Iterator[tuple[str, Network]]:
    if not wanted:
        for line in LINES:
            yield " @ ".join(line), load(" | ".join(reversed(line)))
    for name in wanted or names():
        network = load(name)
        counts = network.analyze()
        if counts.parameters <= 160_000_000 and counts.multiplies <= 30_000_000_000:
            yield name, network


def weights(graph: Any) -> Any:
    random, found = np.random.default_rng(0), make(graph, "xavier")
    for own in found.values():
        for role, values in own.items():
            if role.startswith("bias") or role in ("shift", "mean", "position"):
                own[role] = random.normal(0, 0.1, values.shape).astype(np.float32)
            if role in ("scale", "variance"):
                own[role] = random.uniform(0.7, 1.4, values.shape).astype(np.float32)
    return found


def main() -> int:
    python, wanted = sys.argv[1], sys.argv[2:]
    runner = subprocess.Popen(
        [python, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdin and runner.stdout
    bad = tried = 0
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks(wanted):
            graph, counts = network.graph, network.analyze()
            values = weights(graph)
            try:
                draft = drafted(graph)
            except ArchError as error:
                print(f"{name}: refused: {error}", *error.diagnostics[0].notes, sep="\n  ", flush=True)
                continue
            with (Path(folder) / "e.onnx").open("wb") as file:
                write(draft, "net", file, values)
            back = Model.read(f"{folder}/e.onnx")
            equal = (back.parameters, back.multiplies) == (counts.parameters, counts.multiplies)
            images = [seeded(graph, i, 1, i) for i in range(graph.inputs)]  # as a run has them
            outputs = Forward(graph, values, 1).run(images[0])
            fed = {
                f"in_{graph.nodes[i].path}": x[..., 0] if takes_ids(graph, i) else np.moveaxis(x, -1, 1)
                for i, x in enumerate(images)
            }
            out = outputs["output"]
            flat = draft.forms(graph.output)[0] != "first"
            np.savez(f"{folder}/e.npz", out=out if flat else np.moveaxis(out, -1, 1), **fed)
            print(folder, file=runner.stdin, flush=True)
            said = runner.stdout.readline().strip()
            tried += 1
            near = not said.startswith("failed") and float(said) <= TOLERANCE
            largest = max(largest, float(said)) if near else largest
            if not near or not equal:
                bad += 1
                print(f"{name}: {said}{'' if equal else ', other totals'}", flush=True)
    print(f"{tried} files, {bad} differ; the largest difference is {largest:.1e}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
