"""The models that the `onnx` package brings (light, simple, pytorch-*): are the outputs' shapes right?

    PYTHONPATH=. python tests/differential/onnx_bundled.py      (where onnx is installed)

Each stands beside a recorded result, whose shape is the truth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import numpy_helper

from archcalc.errors import ArchError
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"


def cases() -> list[tuple[Path, list[Path], list[Path]]]:
    """Model, inputs, results."""
    found = [
        (path, list[Path](), sorted(path.parent.glob(f"{path.stem}_output_*.pb")))
        for path in sorted(DATA.glob("*/*.onnx"))
    ]
    for path in sorted(DATA.glob("*/*/model.onnx")):
        folder = path.parent / "test_data_set_0"
        found.append((path, sorted(folder.glob("input_*.pb")), sorted(folder.glob("output_*.pb"))))
    return found


def loaded(path: Path) -> onnx.TensorProto:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return tensor


def main() -> int:
    right, wrong, refused = 0, [], []
    for path, inputs, outputs in cases():
        name = path.parent.name if path.name == "model.onnx" else path.stem
        try:
            given = {t.name: tuple(t.dims) for t in map(loaded, inputs) if t.name}
            model = onnx.load(path, load_external_data=False)
            declared = [v.name for v in model.graph.input]
            if not set(given) <= set(declared):
                given = {}
            trace = read(str(path), given, {})
            found = [trace.tensors[n].shape for n in trace.outputs]
            expected = [numpy_helper.to_array(t).shape for t in map(loaded, outputs)]
            counted = tally(trace, prune(trace))
        except ArchError as error:
            refused.append(f"{name}: {error}")
            continue
        if found == expected and not counted.unknown:
            right += 1
        else:
            wrong.append(f"{name}: {found} instead of {expected}, unknown {len(counted.unknown)}")
    print(f"{right} right, {len(wrong)} wrong, {len(refused)} refused")
    print("\n".join([*wrong, *refused]))
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main() > 0)
