"""Makes the files beside it: small models with their weights, an input, and what torch computes of it.

Run by hand where torch and torchvision are installed. Weights are seeded; statistics of norms are drawn,
so that no layer passes its input on unchanged, and their scales lie around 1, so that none goes under.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.mobilenetv2 import InvertedResidual

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "pt2"))
from make import strip  # noqa: E402


class Gate(nn.Module):
    """Squeeze and excitation, and a transposed convolution behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=1, groups=2)
        self.head = nn.Linear(6 * 16 * 16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.hardswish(self.conv(x))
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.head(self.up(x).flatten(1))


class Classifier(nn.Module):
    """A recurrent layer over a sequence; the mean of its states, or the last one, decides."""

    def __init__(self, layer: nn.Module, features: int, mean: bool) -> None:
        super().__init__()
        self.layer, self.mean, self.head = layer, mean, nn.Linear(features, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, last = self.layer(x)
        return self.head(states.mean(1) if self.mean else last[-1])


class Scores(nn.Module):
    """Attention written out: scores as they are, scaled by 0.3, or with a bias inside the factor."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.qkv, self.out = kind, nn.Linear(12, 36), nn.Linear(12, 12)
        self.register_buffer("bias", torch.randn(9, 9))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(-1, keepdim=True)
        x = x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-2)
        q, k, v = self.qkv(x).reshape(1, 9, 3, 2, 6).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1)
        if self.kind == "scaled":
            scores = 0.3 * scores
        if self.kind == "biased":
            scores = (scores + self.bias) * 0.3
        return x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(1, 9, 12))


class Resampled(nn.Module):
    """Maps made larger and smaller in every way, and pieces of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 3), nn.Conv2d(16, 4, 1)
        self.head = nn.Linear(56, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = nn.functional
        x = f.pixel_unshuffle(self.conv(f.pad(x, (2, 0, 1, 1))), 2)  # 32 × 8 × 8
        x = torch.channel_shuffle(x, 4)
        x = f.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        x = torch.stack([x[:, :16], x[:, 16:]], 1).amax(1)
        y = f.interpolate(self.last(x), size=(8, 8), mode="nearest")
        z = f.interpolate(f.pixel_shuffle(x, 2), scale_factor=2, mode="bicubic")
        z = f.adaptive_max_pool2d(z, 4).sum(1, keepdim=True)
        y = f.adaptive_max_pool2d(y, (3, 2)).flatten(1)
        return self.head(torch.cat([y, z.expand(1, 2, 4, 4).flatten(1)], 1))


class Functions(nn.Module):
    """One function of a value behind the other, and what joins two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gated, self.head = nn.Linear(12, 16), nn.Linear(16, 32), nn.Linear(16, 5)
        self.prelu = nn.PReLU(9)
        self.share = nn.Parameter(torch.full((16,), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = nn.functional
        x = self.prelu(self.first(x))
        x = f.glu(self.gated(x), -1) + f.selu(x) + f.mish(x) + f.softplus(x) + f.elu(x, 0.7)
        y = torch.maximum(f.leaky_relu(x, 0.2), torch.tanh(x)) - f.silu(x) / 3
        y = torch.addcmul(y, x, self.share) + x.clamp(-0.3, 0.8) ** 2 - (-x)
        y = f.normalize(y, dim=-1) + f.hardsigmoid(x)
        y = torch.add(torch.sub(y, x, alpha=2), y.tanh(), alpha=-0.5)
        return f.log_softmax(self.head(y), -1)


class Norms(nn.Module):
    """Norms of maps with scales of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.group = nn.Conv2d(3, 8, 3, 2, 1), nn.GroupNorm(2, 8)
        self.instance, self.rms = nn.InstanceNorm2d(8, affine=True), nn.RMSNorm(8, eps=1e-3)
        self.kept = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.sigmoid(self.kept(self.group(self.instance(self.conv(x)))))
        x = x.permute(0, 2, 3, 1)
        return self.head(self.rms(x).mean((1, 2)))


class Tokens(nn.Module):
    """A class token and two others in front, of which one is added again; a learned query at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.more = nn.Parameter(torch.randn(1, 1, 12)), nn.Parameter(torch.randn(1, 2, 12))
        self.query, self.layer = nn.Parameter(torch.randn(1, 3, 12)), nn.Linear(12, 12)
        self.key = nn.Linear(12, 24)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([self.more, x], 1)
        x = self.layer(torch.cat([self.first, x], 1)) + self.first
        x = torch.cat([x, self.query], 1)  # tokens behind it, which have a layer of zeros
        q = self.layer(self.query).reshape(1, 3, 2, 6).transpose(1, 2)
        k, v = self.key(x).reshape(1, 15, 2, 2, 6).permute(2, 0, 3, 1, 4)
        return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(1, 3, 12)


class Einsums(nn.Module):
    """Products of tensors and of learned ones, letters in many orders, three operands."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.matrix = nn.Parameter(torch.randn(3, 5, 4)), nn.Parameter(torch.randn(4, 3, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.reshape(1, 3, 3, 3, 4)  # b h w n c
        a = torch.einsum("bhwnc,hkc->bkwnh", x, self.table)
        b = torch.einsum("bhwnc,cnd->bdwh", x, self.matrix)
        c = torch.einsum("bkwnh,bdwh,bhwnc->dkcn", a, b, x)
        return torch.einsum("...ij,...jk", c, x.mean((0, 1, 4)))


class Stretched(nn.Module):
    """Products of which both sides are stretched, copies, and vectors of length 1 along two axes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(x)
        x = nn.functional.normalize(x, dim=1) * nn.functional.normalize(x, dim=-1)
        x = x.mean(1, keepdim=True) * x.mean(2, keepdim=True) + x.sum(1, keepdim=True) * x
        x = x.repeat_interleave(2, 1) - x.repeat(1, 2, 1)
        return x[:, :, :, None] * x.amax(1)[:, None, None, :]


class Unfolded(nn.Module):
    """Windows of a map that overlap, touch, or are dilated, and of one axis."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Conv2d(3, 4, 1), nn.Linear(36, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        f = nn.functional
        x = self.layer(x)
        a = f.unfold(x, 3, padding=1, stride=2).transpose(1, 2)  # 64 windows of 36 values
        b = f.unfold(x, (3, 2), dilation=(2, 1), stride=(3, 1)).amax(2)
        c = x.unfold(2, 10, 6).unfold(3, 10, 6).amax((1, 2)).sum(1) + f.unfold(x, 4, stride=4).sum()
        d = x.unfold(3, 3, 2).tanh().mean((1, 2))
        return torch.cat([self.head(a).flatten(1), b, c.flatten(1), d.flatten(1)], 1)


def inverted() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        InvertedResidual(8, 8, 1, 4), InvertedResidual(8, 12, 2, 4),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5),
    )  # fmt: skip


MADE: dict[str, Callable[[], nn.Module]] = {
    "inverted": inverted,
    "gate": Gate,
    "densenet": lambda: models.DenseNet(4, (2, 2), 8, 2, num_classes=5),
    "shufflenet": lambda: models.ShuffleNetV2([2, 1, 1], [8, 8, 16, 16, 16], num_classes=5),
    "vit": lambda: models.VisionTransformer(16, 4, 2, 2, 8, 16, num_classes=5),
    "swin": lambda: models.SwinTransformer([2, 2], 8, [2, 2], [2, 2], [2, 2], num_classes=5),
    "convnext": lambda: models.ConvNeXt(
        [CNBlockConfig(8, 12, 1), CNBlockConfig(12, None, 1)], layer_scale=0.5, num_classes=5
    ),
    "lstm": lambda: Classifier(
        nn.LSTM(12, 8, num_layers=2, bidirectional=True, proj_size=6, batch_first=True), 12, True
    ),
    "scores": lambda: nn.Sequential(*map(Scores, ("plain", "scaled", "biased"))),
    "gru": lambda: Classifier(nn.GRU(12, 8, batch_first=True), 8, False),
    "rnn": lambda: Classifier(nn.RNN(12, 8, nonlinearity="relu", batch_first=True), 8, False),
    "resampled": Resampled,
    "functions": Functions,
    "norms": Norms,
    "tokens": Tokens,
    "einsums": Einsums,
    "stretched": Stretched,
    "unfolded": Unfolded,
    "encoder": lambda: nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), nn.Flatten(2), nn.TransformerEncoderLayer(16, 4, 24, batch_first=True)
    ),
}  # fmt: skip


SEQUENCES = ["lstm", "gru", "rnn", "scores", "functions", "tokens", "einsums", "stretched"]


def packed(program: bytes, target: Path) -> None:
    """The archive without sample inputs (a pickle) and stack traces."""
    with zipfile.ZipFile(io.BytesIO(program)) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("models/model.json"):
                found = json.loads(data)
                strip(found["graph_module"]["graph"])
                data = json.dumps(found, separators=(",", ":")).encode()
            if "/models/" in name or "/weights/" in name or "/constants/" in name:
                out.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def main() -> None:
    warnings.filterwarnings("ignore")
    for name in sys.argv[1:] or MADE:
        make = MADE[name]
        torch.manual_seed(0)
        model = make().eval()
        for key, value in (*model.named_buffers(), *model.named_parameters()):
            if not value.is_floating_point():
                continue
            if key.endswith("running_var"):
                value.copy_(torch.rand_like(value) + 0.5)
            elif value.ndim == 1 or key.startswith(("heads.", "head.")):
                one = value.ndim == 1 and key.endswith("weight")
                value.data.copy_(torch.randn_like(value) * 0.1 + one)
        x = torch.randn(1, 9, 12) if name in SEQUENCES else torch.randn(1, 3, 16, 16)
        with torch.no_grad():
            y = model(x)
        file = io.BytesIO()
        torch.export.save(torch.export.export(model, (x,)), file)
        packed(file.getvalue(), HERE / f"{name}.pt2")
        np.savez_compressed(HERE / f"{name}.npz", x=x.numpy(), y=y.numpy())


main()
