"""The exports of onnx_exports.py counted by archcalc, beside what torch itself counted.

    python tests/differential/onnx_counts.py FOLDER [BATCH]

Products must be those of FlopCounterMode, parameters those of the module less what exporters fold into
convolutions, leave out or compute beforehand. With BATCH the files whose batch is free are read with it,
and divided by it again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from archcalc.interop.batch import per_image
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally


def main(folder: Path, batch: int) -> int:
    truths = json.loads((folder / "truths.json").read_text())
    wrong = 0
    for path in sorted(folder.glob("*.onnx")):
        name, free = path.name.partition(".")[0], "free" in path.name
        truth = truths[name]
        trace = read(str(path), {}, {"batch": batch} if free else {})
        trace = per_image(trace, prune(trace))
        found = tally(trace, prune(trace))
        gone = truth["auxiliary"] + truth["tables"] + truth["folded"]
        differ = (
            found.counts.products - truth["multiplies"],
            found.parameters - (truth["parameters"] - gone),
            len(found.unknown),
        )
        wrong += any(differ)
        print(
            f"{path.name}: products {found.counts.products:,} ({differ[0]:+,}), parameters "
            f"{found.parameters:,} ({differ[1]:+,}; module {truth['parameters']:,}), unknown {differ[2]}"
        )
        for note in trace.notes:
            print(f"    {note}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1) > 0)
