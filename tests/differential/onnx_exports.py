"""Exports torch models to ONNX with both exporters, and writes beside each what torch itself counts.

Run where torch, torchvision and onnx are installed:

    python tests/differential/onnx_exports.py FOLDER [NAME ...]

FOLDER then holds NAME.old.onnx, NAME.new.onnx (weights random) and truths.json: parameters of the
module, the products of FlopCounterMode (half its FLOPs) with attention unfused, and what exporters fold,
leave out or compute beforehand: batch norms, auxiliary heads, tables of relative positions.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

IMAGE = (1, 3, 224, 224)


class Encoder(nn.Module):
    """A small BERT: embeddings of tokens and places, two layers, a head on the first token."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(1000, 256), nn.Embedding(128, 256)
        layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True, activation="gelu")
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(256, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self.head(self.layers(self.tokens(tokens) + self.places(places)[None])[:, 0])


class Speech(nn.Module):
    """Two bidirectional LSTM layers and a linear layer on every step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(80, 128, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(256, 30)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(sound)[0])


def classifier(name: str) -> Callable[[], nn.Module]:
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return lambda: torchvision.models.get_model(name, weights=None, **extra)


CLASSIFIERS = [
    "resnet18",
    "mobilenet_v2",
    "vgg16",
    "swin_t",
    "vit_b_16",
    "resnet50",
    "googlenet",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "densenet121",
    "shufflenet_v2_x1_0",
    "inception_v3",
    "squeezenet1_1",
    "convnext_tiny",
    "regnet_y_400mf",
    "mnasnet0_5",
    "alexnet",
]
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "encoder": (Encoder, (1, 128)),
    "speech": (Speech, (1, 50, 80)),
    **{name: (classifier(name), IMAGE) for name in CLASSIFIERS},
    "deeplabv3_resnet50": (
        lambda: torchvision.models.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None),
        IMAGE,
    ),
}


EXPORTERS = ("old", "new", "old-free", "new-free")  # the last two leave the batch free
FREE = ("encoder", "speech", "mobilenet_v2", "shufflenet_v2_x1_0", "swin_t", "vit_b_16")


def options(exporter: str) -> dict[str, Any]:
    new, free = exporter.startswith("new"), exporter.endswith("free")
    found: dict[str, Any] = {"dynamo": new, "external_data": new}
    if free and new:
        found["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    elif free:
        found |= {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    return found


def example(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randint(0, 1000, shape) if len(shape) == 2 else torch.randn(shape)


def fill(model: nn.Module) -> None:
    """No tensor keeps the zeros and ones of its beginning, which exporters merge and leave out."""
    with torch.no_grad():
        for tensor in (*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())):
            tensor.uniform_(0.1, 1)


def folded(model: nn.Module, given: torch.Tensor) -> int:
    """Numbers that vanish where a batch norm is folded into the convolution before it.

    Its scale and shift go, and a bias comes where the convolution had none.
    """
    made: dict[int, nn.Module] = {}
    gone = []

    def note(module: nn.Module, read: tuple[torch.Tensor, ...], result: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made[id(result)] = module
            result._keep = result  # its id stays its own
        elif isinstance(module, nn.BatchNorm2d) and id(read[0]) in made:
            gone.append(module.num_features * (2 if made[id(read[0])].bias is not None else 1))

    hooks = [module.register_forward_hook(note) for module in model.modules()]
    model(given)
    for hook in hooks:
        hook.remove()
    return sum(gone)


def truth(model: nn.Module, given: torch.Tensor) -> dict[str, int]:
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(given)
    lstm = sum(counted_lstm(m, given) for m in model.modules() if isinstance(m, nn.LSTM))
    named = {name: p.numel() for name, p in model.named_parameters()}
    return {
        "parameters": sum(named.values()),
        "auxiliary": sum(n for name, n in named.items() if name.lower().startswith("aux")),
        "tables": sum(n for name, n in named.items() if "relative_position_bias_table" in name),
        "folded": folded(model, given),
        "multiplies": counter.get_total_flops() // 2 + lstm,
    }


def counted_lstm(lstm: nn.LSTM, given: torch.Tensor) -> int:
    """FlopCounterMode takes an LSTM on the CPU for nothing: each matrix multiplies once a step."""
    matrices = sum(p.numel() for p in lstm.parameters() if p.dim() == 2)
    return matrices * given.shape[0] * given.shape[1]


def main(folder: Path, names: list[str]) -> None:
    record = folder / "truths.json"
    truths = json.loads(record.read_text()) if record.exists() else {}
    for name in names or MODELS:
        make, shape = MODELS[name]
        model, given = make().eval(), example(shape)
        fill(model)
        truths[name] = truth(model, given)
        record.write_text(json.dumps(truths, indent=1))
        for exporter in EXPORTERS if name in FREE else EXPORTERS[:2]:
            path, start = folder / f"{name}.{exporter}.onnx", time.perf_counter()
            if path.exists():
                continue
            try:
                free = exporter.endswith("free")  # an example of one image would fix the batch
                seen = example((2, *shape[1:])) if free else given
                torch.onnx.export(model, (seen,), str(path), verbose=False, **options(exporter))
            except Exception as error:  # an exporter's own failure is a result here
                print(f"{path.name} cannot be exported: {type(error).__name__}: {str(error)[:200]}")
                path.unlink(missing_ok=True)
                continue
            print(
                f"{path.name} {path.stat().st_size:,} bytes, {time.perf_counter() - start:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    main(Path(sys.argv[1]), sys.argv[2:])
