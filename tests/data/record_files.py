"""Saves state dicts of torchvision's networks, and writes files.csv: what containers add to tensors.

Development only, no test runs it; torch 2.14.1, torchvision 0.29.1, safetensors:

    tools/bin/python tests/data/record_files.py > tests/data/files.csv

`counters` are the tensors of one 64-bit integer that torch's batch norms keep.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file

NAMES = (
    "resnet18 resnet50 mobilenet_v2 densenet121 efficientnet_b0 squeezenet1_0 shufflenet_v2_x1_0 "
    "mnasnet1_0 regnet_y_400mf convnext_tiny inception_v3:aux=true"
)
HEADER = "network tensors counters tensor_bytes torch_zip torch_legacy safetensors"


def sizes(name: str, path: Path) -> list[int]:
    kept = torchvision.models.get_model(name, weights=None).state_dict()
    found = [len(kept), sum(t.dtype == torch.int64 for t in kept.values())]
    found.append(sum(t.numel() * t.element_size() for t in kept.values()))
    for zipped in (True, False):
        torch.save(kept, path, _use_new_zipfile_serialization=zipped)
        found.append(path.stat().st_size)
    save_file(kept, path)
    return [*found, path.stat().st_size]


if __name__ == "__main__":
    writer = csv.writer(sys.stdout)
    writer.writerow(HEADER.split())
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES.split():
            writer.writerow([name, *sizes(name.partition(":")[0], Path(folder) / "x")])
