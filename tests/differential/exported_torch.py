"""Exported torch modules held against archcalc's own values. For development: needs torch.

    python exported_torch.py PYTHON [NAMES]    PYTHON: one that has torch; archcalc's own needs none

Every operator by lines of a spec, and every bundled network of at most 160 million parameters and
30 billion multiplies (or those named): the file is imported, its state dict filled with the weights (all
of them, and no other keys), run, and held against archcalc's values with the same weights. Lines, and
networks of at most 30 million parameters, are exported by torch.export again, and counted as that file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from exported_onnx import TOLERANCE, networks, weights

from archcalc.errors import ArchError
from archcalc.execution.forward import Forward
from archcalc.execution.inputs import seeded
from archcalc.export.torch.writing import takes_ids, written
from archcalc.imported import Model

AGAIN = 30_000_000  # parameters of networks that torch exports again
RUNNER = """
import importlib.util, json, sys, warnings, numpy as np, torch
warnings.filterwarnings("ignore")
for line in sys.stdin:
    folder, again = json.loads(line)
    try:
        spec = importlib.util.spec_from_file_location("net", f"{folder}/net.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        stored = np.load(f"{folder}/e.npz")
        net = module.Net().eval()
        state = {k[2:]: torch.tensor(stored[k]) for k in stored if k.startswith("w_")}
        missing = net.load_state_dict(state, strict=False).missing_keys
        left = [key for key in missing if "num_batches" not in key]
        assert not left and not set(state) - set(net.state_dict()), left
        fed = [torch.tensor(stored[k]) for k in stored if k.startswith("in_")]
        with torch.no_grad():
            found = net(*fed)
        found = (found[-1] if isinstance(found, tuple) else found).numpy().reshape(-1)
        wanted = stored["out"].reshape(-1)
        if again:
            torch.export.save(torch.export.export(net, tuple(fed)), f"{folder}/net.pt2")
        print(np.abs(found - wanted).max() / np.abs(wanted).max(), flush=True)
    except Exception as error:
        print("failed:", type(error).__name__, str(error).replace(chr(10), " ")[:300], flush=True)
"""


def stored(network: Any, folder: str) -> bool:
    """Write the file, the weights in torch's names, inputs and output; whether torch exports again."""
    graph, counts = network.graph, network.analyze()
    code, values = written(graph, network.title), weights(graph)
    Path(folder, "net.py").write_text(code.text)
    arrays: dict[str, Any] = {}
    for path, own in values.items():
        for role, array in own.items():
            place = code.places[f"{path}.{role}"]
            arrays[f"w_{place.key}"] = np.ascontiguousarray(place.change(array))
    images = [seeded(graph, i, 1, i) for i in range(graph.inputs)]  # as a run has them
    outputs = Forward(graph, values, 1).run(images[0])
    for i, x in enumerate(images):
        ids = takes_ids(graph, i)
        arrays[f"in_{i}"] = (
            x[..., 0].astype(np.int64) if ids else np.ascontiguousarray(np.moveaxis(x, -1, 1))
        )
    out, last = outputs["output"], sorted(graph.outputs).index(graph.output)
    first = code.forms[last] == "first"
    np.savez(f"{folder}/e.npz", out=np.moveaxis(out, -1, 1) if first else out, **arrays)
    return bool(counts.parameters <= AGAIN)


def main() -> int:
    python, wanted = sys.argv[1], sys.argv[2:]
    runner = subprocess.Popen(
        [python, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdin and runner.stdout
    bad = tried = counted = 0
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks(wanted):
            try:
                again = stored(network, folder)
            except ArchError as error:
                print(f"{name}: refused: {error}", *error.diagnostics[0].notes, sep="\n  ", flush=True)
                continue
            print(json.dumps([folder, again]), file=runner.stdin, flush=True)
            said = runner.stdout.readline().strip()
            near = not said.startswith("failed") and float(said) <= TOLERANCE
            equal = True
            if near and again:
                back, counts = Model.read(f"{folder}/net.pt2"), network.analyze()
                equal = (back.parameters, back.multiplies) == (counts.parameters, counts.multiplies)
                counted += 1
            tried += 1
            largest = max(largest, float(said)) if near else largest
            if not near or not equal:
                bad += 1
                print(
                    f"{name}: {said}{'' if equal else f', {back.parameters}, {back.multiplies}'}",
                    flush=True,
                )
    print(
        f"{tried} files, {counted} counted again, {bad} differ; the largest difference is {largest:.1e}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
