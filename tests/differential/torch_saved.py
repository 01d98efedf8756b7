"""Record what torch keeps for backward: `torch_saved.py > tests/data/torch_saved.csv`.

Two images in float32 on the CPU, in training; attention by the kernel that torch takes there, a fused
one. Parameters and buffers are left out; tensors of one storage count once. Needs torch and torchvision.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
import torchvision

NETWORKS = {
    "alexnet_torch": ("alexnet", ["features", "features classifier.1 classifier.4"]),
    "vgg16_torch": ("vgg16", ["features", "features classifier.0 classifier.3"]),
    "resnet50": ("resnet50", ["conv1 bn1 layer1 layer2 layer3"]),
    "densenet121": ("densenet121", []),
    "mobilenet_v2": ("mobilenet_v2", []),
    "squeezenet": ("squeezenet1_0", []),
    "googlenet_torch": ("googlenet", []),
    "vit_b_16": ("vit_b_16", []),
    "efficientnet_b0": ("efficientnet_b0", []),
}
IMAGES = 2


def saved(model: Any) -> int:
    """Return the bytes of all storages that are kept at the end of the forward pass."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    image = torch.randn(IMAGES, 3, 224, 224)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(image)
    total = sum(t.untyped_storage().nbytes() for place, t in kept.items() if place not in own)
    del output
    return total


def main() -> None:
    torch.manual_seed(0)
    wanted = sys.argv[1:] or list(NETWORKS)
    for name in wanted:
        builder, freezes = NETWORKS[name]
        for freeze in ("", *freezes):
            extra = {"aux_logits": False, "init_weights": False} if builder == "googlenet" else {}
            model = getattr(torchvision.models, builder)(weights=None, **extra).train()
            for word in freeze.split():
                model.get_submodule(word).requires_grad_(False)
            print(f"{name},{freeze},{IMAGES},{saved(model)}", flush=True)


if __name__ == "__main__":
    main()
