"""The `onnx` package's own cases of every operator: are the shapes inferred those of its results?

Run where onnx is installed, with archcalc's folder on the path:

    PYTHONPATH=. python tests/differential/onnx_cases.py [RECORD.txt]

Every case brings inputs and results. Inputs beside the first are taken as constants where a shape hangs
on their values. What is refused is listed with the reason, shapes that differ are mistakes.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

from archcalc.errors import ArchError
from archcalc.interop.load import read


def fixed(model: Any, arrays: list[Any], keep: int) -> Any:
    """The model with every input but the first `keep` as a constant."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inputs = list(copy.graph.input)
    for value, array in list(zip(inputs, arrays, strict=False))[keep:]:
        if isinstance(array, np.ndarray | np.generic):
            copy.graph.input.remove(value)
            copy.graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
    return copy


def shapes(model: Any, arrays: list[Any], folder: Path) -> tuple[list[tuple[int, ...]], set[str]]:
    """The outputs' shapes as archcalc infers them, and the operators that nothing translates."""
    path = folder / "case.onnx"
    problem = None
    for keep in (len(arrays), 1, 0):
        path.write_bytes(fixed(model, arrays, keep).SerializeToString())
        given = {
            value.name: array.shape
            for value, array in list(zip(model.graph.input, arrays, strict=False))[:keep]
            if isinstance(array, np.ndarray) and 0 not in array.shape
        }
        try:
            trace = read(str(path), given, {})
        except ArchError as error:
            problem = error
            continue
        unknown = {str(o.attributes["name"]) for o in trace.operations if o.word == "opaque"}
        return [trace.tensors[name].shape for name in trace.outputs], unknown
    assert problem is not None
    raise problem


def main(record: Path | None) -> int:
    tally: Counter[str] = Counter()
    refused: defaultdict[str, set[str]] = defaultdict(set)
    opaque: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for case in collect_testcases(None):
            inputs, outputs = case.data_sets[0]
            try:
                found, unknown = shapes(case.model, list(inputs), Path(folder))
            except ArchError as error:
                tally["refused"] += 1
                reason = str(error).partition(": ")[2].partition(": ")[2] or str(error)
                refused[reason[:100]].add(case.model.graph.node[0].op_type)
                continue
            expected = [
                tuple(array.dims) if isinstance(array, onnx.TensorProto) else np.asarray(array).shape
                for array in outputs
            ]
            tally["right" if found == expected else "wrong"] += 1
            opaque.update(unknown)
            if found != expected:
                wrong.append(f"{case.name}: {found} instead of {expected}")
    lines = [f"onnx {onnx.__version__}: {dict(sorted(tally.items()))}"]
    lines += ["", "wrong:", *wrong, "", "refused:"]
    lines += [f"{', '.join(sorted(names))}: {reason}" for reason, names in sorted(refused.items())]
    lines += ["", f"shape known from the file, no word: {', '.join(sorted(opaque))}"]
    print("\n".join(lines))
    if record:
        record.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None) > 0)
