"""Makes the `.pt2` files beside it. Run by hand where torch and torchvision are installed.

Under torch 2.6, which wrote another layout (schema 8.2), it makes `torch_2_6.pt2` alone.

What is exported is small, and of each file only the graph and the table of weights are kept: no weights,
no sample inputs (a pickle), no stack traces. What the tests expect stands there, by arithmetic.
"""

from __future__ import annotations

import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import Dim

HERE = Path(__file__).parent
OLD = "serialized_exported_program.json"  # where torch 2.6 put the graph


class TwoInputs(nn.Module):
    """One tower for two images; what it finds is joined."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.head = nn.Linear(16, 2)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.tower(left), self.tower(right)], 1).flatten(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(12, 16, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x)[0][:, -1])


class Tied(nn.Module):
    """The head's weight is the embedding's."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 8), nn.Linear(8, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(self.embed(ids).tanh())


class InPlace(nn.Module):
    """Writes into a tensor, into views of it, and into a constant that becomes a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        row = y[:, :, 0]
        y.relu_()
        y += 1
        row.mul_(2)
        mask = torch.zeros(8, 8, device=x.device)
        mask[:4, :4] = 1
        mask[4:, 4:] = 2
        return y * mask + row.sum()


class Unused(nn.Module):
    """A layer that is never called, and one whose result nobody wants."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare, self.lost = nn.Linear(6, 4), nn.Linear(6, 9), nn.Linear(6, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.lost(x)
        return self.used(x)


class Windows(nn.Module):
    """Attention in windows that are folded into the first axis, under a mask, after a cyclic shift."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.heads = nn.Linear(8, 24), 2
        self.register_buffer("mask", torch.zeros(4, 16, 16))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n = x.shape[0]
        x = torch.roll(x, (-2, -2), (1, 2)).view(n, 2, 4, 2, 4, 8)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(n * 4, 16, 8)
        q, k, v = self.qkv(x).view(n * 4, 16, 3, self.heads, 4).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q @ k.transpose(-2, -1)).view(n, 4, self.heads, 16, 16) + self.mask[None, :, None]
        mixed = scores.view(-1, self.heads, 16, 16).softmax(-1) @ v
        x = mixed.transpose(1, 2).reshape(n, 2, 2, 4, 4, 8).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(n, 8, 8, 8)


class Silent(nn.Module):
    """A part without gradients, which torch writes as a graph inside a node; a weight made of two."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3))
        self.fixed = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x).transpose(1, 2)
        with torch.no_grad():
            z = self.fixed(y)
        return y + z


class Strange(nn.Module):
    """An operation of somebody's own, twice."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.ops.mylib.warp(torch.ops.mylib.warp(x)))


@torch.library.custom_op("mylib::warp", mutates_args=())
def warp(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@warp.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.1), nn.Flatten(), nn.Linear(6 * 4 * 4, 10),
    )  # fmt: skip


def frozen() -> nn.Module:
    model = convolutional()
    for parameter in model[:2].parameters():
        parameter.requires_grad_(False)
    return model


def sequence() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 8, 5, stride=2), nn.BatchNorm1d(8), nn.GELU(), nn.AvgPool1d(2),
        nn.ConvTranspose1d(8, 4, 4, stride=2), nn.Softmax(1),
    )  # fmt: skip


def strided() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(inplace=True))


def volume() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(3, 4, (1, 3, 3)), nn.GroupNorm(2, 4), nn.SiLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
        nn.Linear(4, 2),
    )  # fmt: skip


def attention() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


def resnet18() -> nn.Module:
    import torchvision

    return torchvision.models.resnet18(weights=None)


# whole networks that are bundled as specs too
TORCHVISION = (
    "convnext_tiny densenet121 efficientnet_b0 googlenet mobilenet_v2 shufflenet_v2_x1_0 swin_t vit_b_16"
)


def torchvision(name: str) -> None:
    import torchvision

    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        model = torchvision.models.get_model(name, weights=None, **options).eval()
        (given,) = image(size=224)
    save(f"torchvision/{name}", torch.export.export(model, (given,)))


def image(n: int = 1, size: int = 8) -> tuple[torch.Tensor, ...]:
    return (torch.randn(n, 3, size, size),)


FREE: dict[str, Any] = {
    "dynamic_shapes": ({0: Dim("batch"), 2: Dim("height", min=8), 3: Dim("width", min=8)},)
}
MADE: dict[
    str, tuple[Callable[[], nn.Module], Callable[[], tuple[torch.Tensor, ...]], dict[str, Any]]
] = {
    "two_inputs": (TwoInputs, lambda: image(size=9) * 2, {}),
    "sequence": (sequence, lambda: (torch.randn(1, 2, 21),), {}),
    "volume": (volume, lambda: (torch.randn(1, 3, 4, 6, 6),), {}),
    "lstm": (Recurrent, lambda: (torch.randn(1, 7, 12),), {}),
    "attention": (attention, lambda: (torch.randn(1, 5, 8),), {}),
    "in_place": (InPlace, image, {}),
    "unused": (Unused, lambda: (torch.randn(1, 6),), {}),
    "windows_of_two": (Windows, lambda: (torch.randn(2, 8, 8, 8),), {}),
    "silent": (Silent, lambda: (torch.randn(1, 4, 9),), {}),
    "frozen": (frozen, image, {}),
    "dynamic": (strided, lambda: image(2, 16), FREE),
    "resnet18": (resnet18, lambda: image(size=224), {}),
}


def packed(path: str, target: Path) -> None:
    """The graph and the table of weights, compressed, without what only a reader of code wants."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            if name.endswith(("models/model.json", OLD)):
                program = json.loads(source.read(name))
                strip(program["graph_module"]["graph"])
                text = json.dumps(program, separators=(",", ":"))
                out.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
            elif name.endswith("weights_config.json"):
                out.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)


def strip(graph: dict[str, Any]) -> None:
    for node in graph["nodes"]:
        kept = node["metadata"].get("nn_module_stack")
        node["metadata"] = {} if kept is None else {"nn_module_stack": kept}
        for given in node["inputs"]:
            if "as_graph" in given["arg"]:
                strip(given["arg"]["as_graph"]["graph"])


def save(name: str, program: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        torch.export.save(program, f"{folder}/model.pt2")
        packed(f"{folder}/model.pt2", HERE / f"{name}.pt2")


def main() -> None:
    warnings.filterwarnings("ignore")
    if torch.__version__.startswith("2.6."):
        save("torch_2_6", torch.export.export(convolutional().eval(), image()))
        return
    for name, (make, inputs, options) in MADE.items():
        with torch.device("meta"):
            model, given = make().eval(), inputs()
        save(name, torch.export.export(model, given, **options))
    for name in TORCHVISION.split():
        torchvision(name)
    ids = (torch.zeros(1, 6, dtype=torch.long),)
    save("tied", torch.export.export(Tied().eval(), ids))
    with torch.device("meta"):
        save("tied_on_meta", torch.export.export(Tied().eval(), (ids[0].to("meta"),)))
    save("strange", torch.export.export(Strange().eval(), (torch.randn(1, 4),)))
    of_two = torch.export.export(convolutional().eval(), image(2))
    save("decomposed", of_two.run_decompositions())
    save("training", torch.export.export(convolutional().train(), image(2)))


if __name__ == "__main__":
    main()
