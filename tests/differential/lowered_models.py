"""Lower every model file in some folders, and record which became layers, and why others did not.

    python tests/differential/lowered_models.py FOLDER...    # writes tests/data/lowered_models.csv

The folders hold exports of torchvision's and timm's models, on the meta device, and public ONNX files.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import archcalc
from archcalc.lowered import lower

RECORDED = Path(__file__).parents[1] / "data" / "lowered_models.csv"


def row(path: Path) -> dict[str, str]:
    try:
        model = archcalc.load_model(path)
    except archcalc.ArchError as error:
        return {"model": path.stem, "layers": "", "verdict": "not counted", "reason": str(error)}
    try:
        made = lower(model)
    except archcalc.ArchError as error:
        reason = error.diagnostics[0].message.removeprefix(f"{path.name}: ")
        return {"model": path.stem, "layers": "", "verdict": "refused", "reason": reason}
    layers = str(len(made.graph.nodes))
    return {"model": path.stem, "layers": layers, "verdict": "equal", "reason": ""}


def main() -> None:
    files = [p for folder in sys.argv[1:] for p in sorted(Path(folder).glob("*")) if p.suffix in ENDINGS]
    rows = [row(path) for path in files]
    with RECORDED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(each for each in rows if each["verdict"] != "not counted")


ENDINGS = (".pt2", ".onnx")
if __name__ == "__main__":
    main()
