"""Hold the layers of exported models against torch, value by value, with seeded weights.

    PYTHON_WITH_TORCH_AND_ARCHCALC tests/differential/model_values.py [NAME]...

Each network is exported with its weights; what `run --verify --against torch` finds is written to
tests/data/model_values.csv: the largest difference of a layer, as a share of its largest value.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import archcalc
from archcalc.reports.against import compared
from archcalc.reports.start import Start

RECORDED = Path(__file__).parents[1] / "data" / "model_values.csv"
TORCHVISION = """
resnet18 resnet50 googlenet densenet121 mobilenet_v2 mobilenet_v3_small efficientnet_b0 mnasnet0_5
squeezenet1_1 shufflenet_v2_x1_0 inception_v3 vit_b_16 swin_t convnext_tiny
"""
TIMM = """
deit3_small_patch16_224 mixer_s16_224 mobilevit_s beit_base_patch16_224 ghostnet_100 poolformer_s12
res2net50_26w_4s
"""
NAMES = [*TORCHVISION.split(), *(f"timm_{name}" for name in TIMM.split())]


def export(name: str, path: Path) -> None:
    """Write a network whose norms have statistics of their own."""
    import torch

    torch.manual_seed(0)
    model, side = _model(name)
    for key, buffer in model.named_buffers():
        if key.endswith("running_mean"):
            buffer.copy_(torch.randn_like(buffer) * 0.1)
        if key.endswith("running_var"):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    x = torch.randn(1, 3, side, side)
    torch.export.save(torch.export.export(model.eval(), (x,), strict=False), path)


def _model(name: str) -> tuple[Any, int]:
    if name.startswith("timm_"):
        import timm

        model = timm.create_model(name.removeprefix("timm_"), pretrained=False)
        return model, model.default_cfg["input_size"][-1]
    from torchvision import models

    plain = {"googlenet": {"aux_logits": False, "init_weights": False}}
    options = plain.get(name, {"init_weights": False} if name == "inception_v3" else {})
    return models.get_model(name, weights=None, **options), 299 if name == "inception_v3" else 224


def row(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pt2"
        export(name, path)
        network: Any = archcalc.load(path)
        found = compared(network, Start(), "torch")
    worst = max(found, key=lambda each: each.share)
    return {
        "model": name,
        "layers": len(network.graph.nodes),
        "compared": len(found),
        "largest": f"{worst.share:.1e}",
        "layer": network.lowered.graph.nodes[worst.node].path,
    }


def main(names: list[str]) -> None:
    warnings.filterwarnings("ignore")
    rows = []
    for name in names or NAMES:
        try:
            rows.append(row(name))
        except archcalc.ArchError as error:
            print(f"{name}: {error}")
            continue
        print(*rows[-1].values(), flush=True)
    if not names:
        with RECORDED.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
