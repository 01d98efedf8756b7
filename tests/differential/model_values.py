"""Hold the layers of exported models against torch, value by value, with seeded weights.

    PYTHON_WITH_TORCH tests/differential/model_values.py record FOLDER
    python tests/differential/model_values.py compare FOLDER    # writes tests/data/model_values.csv

`record` exports each network with its weights and keeps every tensor that torch computed; `compare` runs
the lowered layers with the weights of the file. A row has the largest difference of a layer, as a share
of that layer's largest value.
"""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

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


def record(folder: Path) -> None:
    import torch

    warnings.filterwarnings("ignore")
    for name in NAMES:
        torch.manual_seed(0)
        model, side = _model(name)
        for key, buffer in model.named_buffers():
            if key.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.1)
            if key.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        x = torch.randn(1, 3, side, side)
        program = torch.export.export(model.eval(), (x,), strict=False)
        torch.export.save(program, folder / f"{name}.pt2")
        seen: dict[str, Any] = {"x": x.numpy()}

        class Recorder(torch.fx.Interpreter):  # type: ignore[name-defined, misc]
            def run_node(self, node: Any) -> Any:
                y = super().run_node(node)
                if isinstance(y, torch.Tensor):
                    seen[node.name] = y.detach().numpy().copy()  # noqa: B023
                return y

        with torch.no_grad():
            Recorder(program.module()).run(x)
        np.savez(folder / f"{name}.npz", **seen)


def _model(name: str) -> tuple[Any, int]:
    if name.startswith("timm_"):
        import timm

        model = timm.create_model(name.removeprefix("timm_"), pretrained=False)
        return model, model.default_cfg["input_size"][-1]
    from torchvision import models

    plain = {"googlenet": {"aux_logits": False, "init_weights": False}}
    options = plain.get(name, {"init_weights": False} if name == "inception_v3" else {})
    return models.get_model(name, weights=None, **options), 299 if name == "inception_v3" else 224


def compare(folder: Path) -> None:
    rows = [_row(folder, name) for name in NAMES if (folder / f"{name}.npz").exists()]
    with RECORDED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(folder: Path, name: str) -> dict[str, Any]:
    import archcalc
    from archcalc.execution.forward import Forward
    from archcalc.files.own import weights_of
    from archcalc.lowered import lower

    model = archcalc.load_model(folder / f"{name}.pt2")
    lowered, seen = lower(model), np.load(folder / f"{name}.npz")
    laid = {each.node: each for each in lowered.laid if each.tensor in seen.files}
    found: list[tuple[float, str]] = []

    def watch(index: int, output: Any) -> None:
        if index in laid:
            _, tensor, split, order = laid[index]
            wanted = seen[tensor]
            mine = np.asarray(output).reshape(split).transpose(order).reshape(wanted.shape)
            largest = max(float(np.abs(wanted).max()), 1e-30)
            share = float(np.abs(mine - wanted).max()) / largest
            found.append((share, lowered.graph.nodes[index].path))

    forward = Forward(lowered.graph, weights_of(model, lowered))
    forward.run(np.ascontiguousarray(seen["x"].transpose(0, 2, 3, 1)), watch)
    share, layer = max(found)
    return {
        "model": name,
        "layers": len(lowered.graph.nodes),
        "compared": len(found),
        "largest": f"{share:.1e}",
        "layer": layer,
    }


if __name__ == "__main__":
    {"record": record, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
