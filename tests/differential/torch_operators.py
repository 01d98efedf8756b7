"""Every operator by itself held against PyTorch's function of that name. For development: needs torch.

    pip install torch==2.13.0 torchvision==0.28.0
    python tests/differential/torch_operators.py

Definitions and kernels of `archcalc run` are what everything else is verified by; here something else
verifies them. A case is a line of a spec, an input, and what torch does with it; weights are brought to
torch's layout by hand. The largest difference may be 1e-5 of the largest value; on 2026-11-20, with
torch 2.13.0, the 62 cases had 2.2e-06 at most; on 2026-11-29, with torch 2.14.1, 164 cases 5.2e-06.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch_networks import torchvision

from archcalc.execution import reference
from archcalc.execution.forward import Forward
from archcalc.execution.weights import slots
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read

TOLERANCE = 1e-5
WIDE = 200.0  # of inputs to activations: beyond what float32 has an exponential for
Torch = Callable[[Any, Any], Any]  # channels first, and the weights in torch's layout


def same(x: Any, kernel: int, stride: int, value: float = 0.0) -> Any:
    """TensorFlow's padding: ceil(size / stride) outputs, the odd pixel at the end."""
    sides: list[int] = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides, value=value)


def deconv(x: Any, w: Any, groups: int = 1, **options: Any) -> Any:
    """Our kernel × kernel × in/groups × out as torch's in × out/groups × kernel × kernel."""
    height, width, inside, outside = w.weight.shape
    split = w.weight.reshape(height, width, inside, groups, outside // groups)
    kernel = split.permute(3, 2, 4, 0, 1).reshape(groups * inside, outside // groups, height, width)
    return F.conv_transpose2d(x, kernel, w.bias, groups=groups, **options)


INWARD = ("query", "key", "value")


def parts(w: Any, heads: int) -> tuple[Any, Any]:
    """Weights and biases of query, key, value and output as torch has them, which divides the scores
    by the root of a head's channels; our queries have done so."""
    weight = [getattr(w, f"{name}.weight").T for name in (*INWARD, "output")]
    bias = [getattr(w, f"{name}.bias") for name in (*INWARD, "output")]
    factor = (len(weight[0]) / heads) ** 0.5
    return [factor * weight[0], *weight[1:]], [factor * bias[0], *bias[1:]]


def sequence(x: Any) -> Any:
    """A map as images × tokens × channels."""
    return x.flatten(2).transpose(1, 2)


def attention(x: Any, w: Any, heads: int, memory: Any = None) -> Any:
    memory = x if memory is None else memory
    weight, bias = parts(w, heads)
    y, _ = F.multi_head_attention_forward(
        x.transpose(0, 1),
        *(memory.transpose(0, 1),) * 2,
        x.shape[2],
        heads,
        None,
        torch.cat(bias[:3]),
        None,
        None,
        False,
        0.0,
        weight[3],
        bias[3],
        training=False,
        use_separate_proj_weight=True,
        q_proj_weight=weight[0],
        k_proj_weight=weight[1],
        v_proj_weight=weight[2],
    )
    return y.permute(1, 2, 0)


def recurrent(x: Any, w: Any, kind: str, units: int, **options: Any) -> Any:
    """torch's module with our weights, which have rows as columns."""
    module = getattr(torch.nn, kind)(x.shape[2], units, batch_first=True, **options)
    for name, parameter in module.named_parameters():
        values = getattr(w, name)
        parameter.data = values.T if values.dim() == 2 else values
    return module(x)[0].transpose(1, 2)


def last(x: Any, w: Any, kind: str, units: int, **options: Any) -> Any:
    """The last state of the way on, the first of the way back."""
    states = recurrent(x, w, kind, units, bidirectional=True, **options)
    return torch.cat([states[:, :units, -1], states[:, units:, 0]], 1)[..., None, None]


def sinusoid(x: Any) -> Any:
    """As PyTorch's tutorial on transformers has it."""
    tokens, channels = x.shape[1:]
    places = torch.arange(tokens).unsqueeze(1)
    factors = torch.exp(torch.arange(0, channels, 2) * (-np.log(10000.0) / channels))
    waves = torch.zeros(tokens, channels)
    waves[:, 0::2], waves[:, 1::2] = torch.sin(places * factors), torch.cos(places * factors)
    return x + waves


def split(x: Any, heads: int) -> Any:
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def rotated(x: Any, base: float) -> Any:
    """As transformers' Llama: halves of a head as pairs."""
    half = x.shape[-1] // 2
    turns = torch.arange(x.shape[-2])[:, None] * base ** (-torch.arange(half) / half)
    angle = torch.cat([turns, turns], -1)
    other = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * torch.cos(angle) + other * torch.sin(angle)


def grouped(x: Any, w: Any, heads: int, kv: int, base: float) -> Any:
    """Causal attention with fewer keys, as Llama has it."""
    query, key, value = (x @ getattr(w, f"{name}.weight") for name in INWARD)
    query, key, value = split(query, heads), split(key, kv), split(value, kv)
    y = F.scaled_dot_product_attention(
        rotated(query, base), rotated(key, base), value, is_causal=True, scale=1.0, enable_gqa=True
    )
    return (y.transpose(1, 2).flatten(2) @ getattr(w, "output.weight")).transpose(1, 2)


def bare(x: Any, heads: int, **options: Any) -> Any:
    y = F.scaled_dot_product_attention(*(split(x, heads),) * 3, **options)
    return y.transpose(1, 2).flatten(2).transpose(1, 2)


def near(tokens: int, reach: int) -> Any:
    """Which keys a query sees: fewer than so many places before it."""
    ahead = torch.arange(tokens)[:, None] - torch.arange(tokens)
    return (ahead >= 0) & (ahead < reach)


def windowattention(x: Any, w: Any, heads: int, window: int, shift: int) -> Any:
    """torchvision's Swin; its table of places is one row a place, from the key to the query."""
    channels = x.shape[1]
    weight, bias = parts(w, heads)
    block = torchvision.models.swin_transformer.ShiftedWindowAttention(
        channels, [window, window], [shift, shift], heads
    )
    block.relative_position_bias_table.data = w.position.reshape(-1, heads)
    y = torchvision.models.swin_transformer.shifted_window_attention(
        x.permute(0, 2, 3, 1),
        torch.cat(weight[:3]),
        weight[3],
        block.get_relative_position_bias(),
        [window, window],
        heads,
        [shift, shift],
        qkv_bias=torch.cat(bias[:3]),
        proj_bias=bias[3],
    )
    return y.permute(0, 3, 1, 2)


def todepth(x: Any, w: Any) -> Any:
    """As torchvision's Swin merges patches."""
    x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
    parts = [x[..., down::2, across::2] for across in (0, 1) for down in (0, 1)]
    return torch.cat(parts, 1)


def norm(x: Any, w: Any, eps: float = 1e-5) -> Any:
    return F.batch_norm(x, w.mean, w.variance, *learned(w), eps=eps)


def layer_norm(x: Any, w: Any, eps: float = 1e-5) -> Any:
    return F.layer_norm(x.movedim(1, -1), x.shape[1:2], *learned(w), eps).movedim(-1, 1)


def rms_norm(x: Any, w: Any, eps: float = 1e-5) -> Any:
    return F.rms_norm(x.movedim(1, -1), x.shape[1:2], learned(w)[0], eps).movedim(-1, 1)


def learned(w: Any) -> tuple[Any, Any]:
    return getattr(w, "scale", None), getattr(w, "shift", None)


def bare_attention(x: Any, w: Any) -> Any:
    """Every row of the map by itself: its places are queries, keys and values."""
    rows = x.permute(0, 2, 3, 1)
    return F.scaled_dot_product_attention(rows, rows, rows).permute(0, 3, 1, 2)


CASES: list[tuple[str, str, Torch]] = [
    ("conv 8 k3", "7x9x5", lambda x, w: F.conv2d(x, w.kernel, w.bias)),
    (
        "conv 8 k3x5 s2x3 p1x2",
        "11x13x5",
        lambda x, w: F.conv2d(x, w.kernel, w.bias, (2, 3), (1, 2)),
    ),
    (
        "conv 8 k3 s2 p0:1x2:0",
        "11x12x4",
        lambda x, w: F.conv2d(F.pad(x, (2, 0, 0, 1)), w.kernel, w.bias, 2),
    ),
    ("conv 8 k3 half d2", "9x8x4", lambda x, w: F.conv2d(x, w.kernel, w.bias, 1, 2, 2)),
    ("conv 8 k3 s2 half d3", "15x14x4", lambda x, w: F.conv2d(x, w.kernel, w.bias, 2, 3, 3)),
    ("conv 8 k3 p1 g4", "7x9x12", lambda x, w: F.conv2d(x, w.kernel, w.bias, 1, 1, 1, 4)),
    ("conv 6 k5 s2 half g6", "9x9x6", lambda x, w: F.conv2d(x, w.kernel, w.bias, 2, 2, 1, 6)),
    ("conv 12 k3 half d2 g6", "9x9x6", lambda x, w: F.conv2d(x, w.kernel, w.bias, 1, 2, 2, 6)),
    ("conv 6 k3 half d2 g6", "9x9x6", lambda x, w: F.conv2d(x, w.kernel, w.bias, 1, 2, 2, 6)),
    ("conv 8 s2 nobias", "9x8x4", lambda x, w: F.conv2d(x, w.kernel, stride=2)),
    ("conv 8 k3 s2 same", "8x9x4", lambda x, w: F.conv2d(same(x, 3, 2), w.kernel, w.bias, 2)),
    ("conv 8 k4 same", "8x9x4", lambda x, w: F.conv2d(same(x, 4, 1), w.kernel, w.bias)),
    (
        "conv 4 k3 s2 same g4",
        "8x9x4",
        lambda x, w: F.conv2d(same(x, 3, 2), w.kernel, w.bias, 2, groups=4),
    ),
    ("deconv 6 k4 s2 p1", "5x7x4", lambda x, w: deconv(x, w, stride=2, padding=1)),
    ("deconv 6 k3x4 s1x3 p1x0", "5x7x4", lambda x, w: deconv(x, w, stride=(1, 3), padding=(1, 0))),
    ("deconv 6 k2 s3", "5x7x4", lambda x, w: deconv(x, w, stride=3)),
    ("deconv 6 k3 s2 p1 g2", "5x7x4", lambda x, w: deconv(x, w, groups=2, stride=2, padding=1)),
    (
        "deconv 6 k4 s2 p0:1x2:1",
        "5x7x4",
        lambda x, w: deconv(x, w, stride=2)[..., :-1, 2:-1],
    ),
    (
        "deconv 4 k3 s2 p1 g4 out=1",
        "8x8x4",
        lambda x, w: deconv(x, w, groups=4, stride=2, padding=1, output_padding=1),
    ),
    ("deconv 1 k3 d2", "10x10x1", lambda x, w: deconv(x, w, dilation=2)),
    (
        "deconv 6 k3x2 s2x4 d3x2 p1x2 g2 out=2x1",
        "5x7x4",
        lambda x, w: deconv(
            x, w, 2, stride=(2, 4), dilation=(3, 2), padding=(1, 2), output_padding=(2, 1)
        ),
    ),
    (
        "a = slice 4; @in | slice 18 from=4; o = relu; @a | deformconv 6 k3 p1 @o",
        "7x9x22",
        lambda x, w: torchvision.ops.deform_conv2d(
            x[:, :4], F.relu(x[:, 4:]), w.kernel, w.bias, padding=1
        ),
    ),
    (
        "a = slice 4; @in | slice 12 from=4; o = crop 0:1x1; @a"
        " | deformconv 6 k2 d2 p0:1x0 g2 modulated @o",
        "7x9x16",
        lambda x, w: torchvision.ops.deform_conv2d(
            F.pad(x[:, :4], (0, 0, 0, 1)),
            x[:, 4:12, :-1, 1:-1],
            w.kernel,
            w.bias,
            dilation=2,
            mask=torch.sigmoid(x[:, 12:, :-1, 1:-1]),
        ),
    ),
    ("linear 7", "1x1x5", lambda x, w: F.linear(x[..., 0, 0], w.weight.T, w.bias)[..., None, None]),
    ("rbf 7", "1x1x5", lambda x, w: ((x[:, :, 0] - w.fixed) ** 2).sum(1)[..., None, None]),
    ("maxpool 3 s2", "8x9x4", lambda x, w: F.max_pool2d(x, 3, 2)),
    ("maxpool 3 s2 ceil", "8x9x4", lambda x, w: F.max_pool2d(x, 3, 2, ceil_mode=True)),
    ("maxpool 2 s2 p1 ceil", "7x8x4", lambda x, w: F.max_pool2d(x, 2, 2, 1, ceil_mode=True)),
    ("maxpool 2 s3 ceil", "10x9x4", lambda x, w: F.max_pool2d(x, 2, 3, ceil_mode=True)),
    (
        "maxpool 3x2 s2x3 ceil",
        "8x9x4",
        lambda x, w: F.max_pool2d(x, (3, 2), (2, 3), ceil_mode=True),
    ),
    ("maxpool 3 s1 half", "8x9x4", lambda x, w: F.max_pool2d(x, 3, 1, 1)),
    ("maxpool 3 s2 same", "8x9x4", lambda x, w: F.max_pool2d(same(x, 3, 2, -torch.inf), 3, 2)),
    ("avgpool 3 s2 p1", "8x9x4", lambda x, w: F.avg_pool2d(x, 3, 2, 1)),
    ("maxpool 3 s2 p0:1", "8x9x4", lambda x, w: F.max_pool2d(F.pad(x, (0, 1) * 2, value=-9e9), 3, 2)),
    ("avgpool 3 s2 p0:1", "8x9x4", lambda x, w: F.avg_pool2d(F.pad(x, (0, 1) * 2), 3, 2)),
    ("avgpool 3x2 s2", "8x9x4", lambda x, w: F.avg_pool2d(x, (3, 2), 2)),
    ("avgpool 3 s2 ceil", "8x9x4", lambda x, w: F.avg_pool2d(x, 3, 2, ceil_mode=True)),
    ("avgpool 3 s2 p1 ceil", "8x9x4", lambda x, w: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)),
    ("sumpool 3 s2 p1", "8x9x4", lambda x, w: F.avg_pool2d(x, 3, 2, 1, divisor_override=1)),
    ("gap", "8x9x4", lambda x, w: F.adaptive_avg_pool2d(x, 1)),
    ("bn", "8x9x4", norm),
    ("bn noscale eps={0.1}", "8x9x4", lambda x, w: norm(x, w, 0.1)),
    ("ln", "8x9x4", layer_norm),
    ("ln eps={0.1}", "8x9x4", lambda x, w: layer_norm(x, w, 0.1)),
    ("bn noscale noshift", "8x9x4", norm),
    ("bn noshift", "8x9x4", norm),
    ("ln noshift", "8x9x4", layer_norm),
    ("ln noscale noshift", "8x9x4", layer_norm),
    ("groupnorm 2", "8x9x4", lambda x, w: F.group_norm(x, 2, w.scale, w.shift)),
    ("groupnorm 2 noscale noshift", "8x9x4", lambda x, w: F.group_norm(x, 2)),
    ("instancenorm", "8x9x4", lambda x, w: F.instance_norm(x, weight=w.scale, bias=w.shift)),
    ("instancenorm noscale noshift", "8x9x4", lambda x, w: F.instance_norm(x)),
    ("instancenorm noscale noshift", "3x4x5x6", lambda x, w: F.instance_norm(x)),
    (
        "instancenorm eps={0.1}",
        "8x9x4",
        lambda x, w: F.instance_norm(x, None, None, *learned(w), eps=0.1),
    ),
    ("rmsnorm", "8x9x4", rms_norm),
    ("rmsnorm", "7x12", rms_norm),
    ("rmsnorm noscale eps={0.1}", "8x9x4", lambda x, w: rms_norm(x, w, 0.1)),
    # torch divides alpha by the channels summed, Krizhevsky does not
    ("lrn 5", "8x9x11", lambda x, w: F.local_response_norm(x, 5, 5e-4, 0.75, 2.0)),
    ("lrn 4", "8x9x11", lambda x, w: F.local_response_norm(x, 4, 4e-4, 0.75, 2.0)),
    ("scale", "8x9x4", lambda x, w: x * w.weight[:, None, None] + w.bias[:, None, None]),
    ("upsample 2", "4x5x3", lambda x, w: F.interpolate(x, scale_factor=2)),
    ("upsample 2x3", "4x5x3", lambda x, w: F.interpolate(x, scale_factor=(2, 3))),
    ("upsample 2 bilinear", "4x5x3", lambda x, w: F.interpolate(x, None, 2, "bilinear")),
    ("upsample 3x2 bicubic", "4x5x3", lambda x, w: F.interpolate(x, None, (3, 2), "bicubic")),
    ("upsample 2 bilinear corners", "4x5x3", lambda x, w: F.interpolate(x, None, 2, "bilinear", True)),
    ("upsample 3 bilinear", "7x3", lambda x, w: F.interpolate(x, None, 3, "linear")),
    ("upsample 2 bilinear", "3x4x5x2", lambda x, w: F.interpolate(x, None, 2, "trilinear")),
    ("resize 9x3", "4x5x3", lambda x, w: F.interpolate(x, (9, 3))),
    ("resize 11", "7x3", lambda x, w: F.interpolate(x, 11)),
    ("resize 9x3 bilinear", "4x5x3", lambda x, w: F.interpolate(x, (9, 3), None, "bilinear")),
    ("resize 65 bilinear corners", "33x5x3", lambda x, w: F.interpolate(x, 65, None, "bilinear", True)),
    ("resize 3x13 bicubic", "9x5x3", lambda x, w: F.interpolate(x, (3, 13), None, "bicubic")),
    (
        "resize 3x13 bicubic corners",
        "9x5x3",
        lambda x, w: F.interpolate(x, (3, 13), None, "bicubic", True),
    ),
    (
        "resize 5x3x9 bilinear corners",
        "3x4x5x2",
        lambda x, w: F.interpolate(x, (5, 3, 9), None, "trilinear", True),
    ),
    (
        "conv 4 k3 s2; resize @in bilinear",
        "9x8x3",
        lambda x, w: F.interpolate(F.conv2d(x, w.kernel, w.bias, 2), (9, 8), None, "bilinear"),
    ),
    (
        "conv 4 k3 s2 p0:1",
        "16x3",
        lambda x, w: F.conv1d(F.pad(x, (0, 1)), w.weight.permute(2, 1, 0), w.bias, 2),
    ),
    (
        "conv 4 k2x3x3 s1x2x2 p1x0:1x1",
        "4x7x6x3",
        lambda x, w: F.conv3d(
            F.pad(x, (1, 1, 0, 1, 1, 1)), w.weight.permute(4, 3, 0, 1, 2), w.bias, (1, 2, 2)
        ),
    ),
    (
        "deconv 4 k3 s2 p1 d2 out=1",
        "9x3",
        lambda x, w: F.conv_transpose1d(x, w.weight.permute(1, 2, 0), w.bias, 2, 1, 1, dilation=2),
    ),
    (
        "deconv 4 k3 s2 p1 out=1",
        "3x4x5x2",
        lambda x, w: F.conv_transpose3d(x, w.weight.permute(3, 4, 0, 1, 2), w.bias, 2, 1, 1),
    ),
    ("maxpool 1x3 s2 d2", "1x9x4", lambda x, w: F.max_pool2d(x, (1, 3), 2, 0, 2)),
    ("maxpool 3 s2 d2", "5x6x7x3", lambda x, w: F.max_pool3d(x, 3, 2, 0, 2)),
    ("avgpool 3 s2 p0:1", "9x3", lambda x, w: F.avg_pool1d(F.pad(x, (0, 1)), 3, 2)),
    ("adaptivepool 3", "10x4", lambda x, w: F.adaptive_avg_pool1d(x, 3)),
    ("adaptivepool 3", "10x10x4", lambda x, w: F.adaptive_avg_pool2d(x, 3)),
    ("adaptivepool 2x3x1 max", "5x7x4x3", lambda x, w: F.adaptive_max_pool3d(x, (2, 3, 1))),
    ("pad 1:2 reflect", "5x3", lambda x, w: F.pad(x, (1, 2), "reflect")),
    ("pad 1x0:2x1 edge", "3x4x5x2", lambda x, w: F.pad(x, (1, 1, 0, 2, 1, 1), "replicate")),
    ("pad 1x0:2", "4x5x3", lambda x, w: F.pad(x, (0, 2, 1, 1))),
    ("pad 1x0:2 reflect", "4x5x3", lambda x, w: F.pad(x, (0, 2, 1, 1), "reflect")),
    ("pad 3:1x2:4 edge", "4x5x3", lambda x, w: F.pad(x, (2, 4, 3, 1), "replicate")),
    ("crop 1:0x2:1", "4x5x3", lambda x, w: F.pad(x, (-2, -1, -1, 0))),
    ("pixelshuffle 2", "4x5x12", lambda x, w: F.pixel_shuffle(x, 2)),
    ("pixelunshuffle 2", "4x6x3", lambda x, w: F.pixel_unshuffle(x, 2)),
    ("shuffle 3", "4x5x12", lambda x, w: F.channel_shuffle(x, 3)),
    ("todepth 2", "5x8x3", todepth),
    ("padchannels 7", "4x5x3", lambda x, w: F.pad(x, (0, 0, 0, 0, 0, 4))),
    ("slice 3 from=2", "4x5x6", lambda x, w: x[:, 2:5]),
    ("slice 3 from=2 axis=height", "6x5x4", lambda x, w: x[:, :, 2:5]),
    ("slice 3 axis=width", "6x5x4", lambda x, w: x[..., :3]),
    ("relu | concat @in axis=height", "6x5x4", lambda x, w: torch.cat([F.relu(x), x], 2)),
    ("relu | concat @in axis=width", "6x5x4", lambda x, w: torch.cat([F.relu(x), x], 3)),
    ("gap | add @in", "6x5x4", lambda x, w: x.mean((2, 3), True) + x),
    ("slice 1 | mul @in", "6x5x4", lambda x, w: x[:, :1] * x),
    ("maxpool 6x1 | sub @in", "6x5x4", lambda x, w: x.amax(2, True) - x),
    ("matmul @in transposed scaled | softmax | matmul @in", "4x5x3", bare_attention),
    ("mean | mul @in", "6x5x4", lambda x, w: x.mean(1, True) * x),
    ("max", "6x5x4", lambda x, w: x.amax(1, True)),
    ("sum axis=height", "6x5x4", lambda x, w: x.sum(2, True)),
    ("mean axis=positions", "6x5x4", lambda x, w: x.mean((2, 3), True)),
    ("roll 2", "6x5x4", lambda x, w: x.roll((2, 2), (2, 3))),
    ("roll {-7} axis=width", "6x5x4", lambda x, w: x.roll(-7, 3)),
    ("permute 1x0x2", "6x5x4", lambda x, w: x.permute(0, 1, 3, 2)),
    ("permute 2x0x1", "6x5x4", lambda x, w: x.permute(0, 3, 1, 2)),
    (
        "reshape 3x_x8",
        "6x5x4",
        lambda x, w: x.permute(0, 2, 3, 1).reshape(-1, 3, 5, 8).permute(0, 3, 1, 2),
    ),
    ("sigmoid | maximum @in", "6x5x4", lambda x, w: torch.maximum(torch.sigmoid(x), x)),
    ("flatten", "4x5x3", lambda x, w: x.permute(0, 2, 3, 1).flatten(1)[..., None, None]),
    ("tokens | transpose", "4x5x3", lambda x, w: sequence(x)),
    ("tokens | token 7", "4x5x3", lambda x, w: x.flatten(2)[..., 7][..., None, None]),
    ("tokens | attention 3", "4x5x12", lambda x, w: attention(sequence(x), w, 3)),
    (
        "tokens; m = slice 7; @in | tokens | attention 3 @m",
        "4x5x12",
        lambda x, w: attention(sequence(x), w, 3, sequence(x[:, :7])),
    ),
    (
        "tokens | attention 6 kv=2 head=8 causal nobias rotary base=500",
        "4x5x12",
        lambda x, w: grouped(sequence(x), w, 6, 2, 500.0),
    ),
    ("tokens | rnn 7", "4x5x12", lambda x, w: recurrent(sequence(x), w, "RNN", 7)),
    (
        "tokens | rnn 7 act=relu layers=2",
        "4x5x12",
        lambda x, w: recurrent(sequence(x), w, "RNN", 7, num_layers=2, nonlinearity="relu"),
    ),
    ("tokens | gru 7", "4x5x12", lambda x, w: recurrent(sequence(x), w, "GRU", 7)),
    (
        "tokens | gru 7 layers=3 both",
        "4x5x12",
        lambda x, w: recurrent(sequence(x), w, "GRU", 7, num_layers=3, bidirectional=True),
    ),
    ("tokens | gru 7 both last", "4x5x12", lambda x, w: last(sequence(x), w, "GRU", 7)),
    (
        "tokens | lstm 7 layers=2 both",
        "4x5x12",
        lambda x, w: recurrent(sequence(x), w, "LSTM", 7, num_layers=2, bidirectional=True),
    ),
    (
        "tokens | lstm 7 proj=3 layers=2 nobias",
        "4x5x12",
        lambda x, w: recurrent(sequence(x), w, "LSTM", 7, num_layers=2, proj_size=3, bias=False),
    ),
    ("tokens | lstm 7 both last", "4x5x12", lambda x, w: last(sequence(x), w, "LSTM", 7)),
    ("tokens | sinusoid", "4x5x12", lambda x, w: sinusoid(sequence(x)).transpose(1, 2)),
    ("tokens | attention 3 bare", "4x5x12", lambda x, w: bare(sequence(x), 3)),
    ("tokens | attention 3 bare causal", "4x5x12", lambda x, w: bare(sequence(x), 3, is_causal=True)),
    (
        "tokens | attention 2 bare causal window=4",
        "4x5x12",
        lambda x, w: bare(sequence(x), 2, attn_mask=near(20, 4)),
    ),
    ("windowattention 3 4", "8x12x12", lambda x, w: windowattention(x, w, 3, 4, 0)),
    ("windowattention 3 4 shift=2", "8x12x12", lambda x, w: windowattention(x, w, 3, 4, 2)),
    ("windowattention 3 4 shift=2", "9x10x12", lambda x, w: windowattention(x, w, 3, 4, 2)),
    ("windowattention 3 4 shift=2", "4x10x12", lambda x, w: windowattention(x, w, 3, 4, 2)),
    ("relu", "16x16x8", lambda x, w: F.relu(x)),
    ("relu6", "16x16x8", lambda x, w: F.relu6(x)),
    ("leaky", "16x16x8", lambda x, w: F.leaky_relu(x, 0.1)),
    ("leaky slope={0.01}", "16x16x8", lambda x, w: F.leaky_relu(x)),
    ("clip low={-1.5} high={0.5}", "16x16x8", lambda x, w: torch.clamp(x, -1.5, 0.5)),
    ("clip low={0.5}", "16x16x8", lambda x, w: torch.clamp(x, min=0.5)),
    ("clip high={0.5}", "16x16x8", lambda x, w: torch.clamp(x, max=0.5)),
    ("hardtanh", "16x16x8", lambda x, w: F.hardtanh(x)),
    ("prelu", "16x16x8", lambda x, w: F.prelu(x, w.weight)),
    ("prelu", "7x12", lambda x, w: F.prelu(x, w.weight)),
    ("prelu shared", "3x4x5x6", lambda x, w: F.prelu(x, w.weight)),
    ("elu", "16x16x8", lambda x, w: F.elu(x)),
    ("elu alpha={2.5}", "16x16x8", lambda x, w: F.elu(x, 2.5)),
    ("selu", "16x16x8", lambda x, w: F.selu(x)),
    ("softplus", "16x16x8", lambda x, w: F.softplus(x)),
    ("mish", "16x16x8", lambda x, w: F.mish(x)),
    ("logsoftmax", "16x16x8", lambda x, w: F.log_softmax(x, 1)),
    ("droppath", "16x16x8", lambda x, w: torchvision.ops.stochastic_depth(x, 0.5, "row", False)),
    ("glu", "16x16x8", lambda x, w: F.glu(x, 1)),
    ("swiglu", "16x16x8", lambda x, w: F.silu(x[:, :4]) * x[:, 4:]),  # Llama's gate and up
    ("sigmoid", "16x16x8", lambda x, w: torch.sigmoid(x)),
    ("tanh", "16x16x8", lambda x, w: torch.tanh(x)),
    ("swish", "16x16x8", lambda x, w: F.silu(x)),
    ("gelu", "16x16x8", lambda x, w: F.gelu(x)),
    ("hsigmoid", "16x16x8", lambda x, w: F.hardsigmoid(x)),
    ("hswish", "16x16x8", lambda x, w: F.hardswish(x)),
    ("softmax", "16x16x8", lambda x, w: F.softmax(x, 1)),
]
ACTIVATIONS = {line for line, size, _ in CASES if size == "16x16x8"}


def graph_of(line: str, size: str) -> Graph:
    text = f"input = '{size}'\nlayers = {line.split('; ')!r}"
    return build(read(Source("case.toml", text)), {})


def weights_of(graph: Graph, random: Any) -> dict[str, dict[str, Any]]:
    """Random ones by path and role; variances are positive."""
    weights: dict[str, dict[str, Any]] = {}
    for slot in slots(graph):
        low = 0.5 if slot.name == "variance" else -1
        values = random.uniform(low, 1.5, slot.shape).astype(np.float32)
        weights.setdefault(slot.node.path, {})[slot.name] = values
    return weights


def executed(graph: Graph, weights: dict[str, Any], image: Any) -> Iterator[tuple[str, Any]]:
    """By the definitions, and by the kernels."""
    values = [image]
    for node in graph.nodes[1:]:
        inputs = [values[i] for i in node.inputs]
        values.append(reference.run(node.operator, inputs, weights.get(node.path, {})))
    yield "definition", values[graph.output]
    yield "kernel", Forward(graph, weights, len(image)).run(image)["output"]


def differences(line: str, size: str, theirs: Torch) -> Iterator[tuple[str, float]]:
    """Parts of the largest value; infinite where the shape or a NaN differs."""
    random = np.random.default_rng(0)
    graph = graph_of(line, size)
    weights = weights_of(graph, random)
    shape = tuple(map(int, graph.input))
    image = random.standard_normal((2, *shape)).astype(np.float32)
    if line in ACTIVATIONS:
        image[0] *= WIDE / np.abs(image[0]).max()
    roles = {role: torch.tensor(w) for own in weights.values() for role, w in own.items()}
    if "weight" in roles and roles["weight"].dim() == 4:
        roles["kernel"] = roles["weight"].permute(3, 2, 0, 1)
    given = SimpleNamespace(**roles, **({} if "bias" in roles else {"bias": None}))
    with torch.no_grad():
        wanted = theirs(torch.tensor(image).movedim(-1, 1), given).movedim(1, -1).numpy()
    for way, found in executed(graph, weights, image):
        fits = found.shape == wanted.shape and np.isfinite(found).all()
        yield way, float(np.abs(found - wanted).max() / np.abs(wanted).max()) if fits else np.inf


def main() -> int:
    print(f"torch {torch.__version__}; parts of the largest value")
    bad, largest = 0, 0.0
    for line, size, theirs in CASES:
        for way, part in differences(line, size, theirs):
            largest = max(largest, part)
            if not part <= TOLERANCE:
                bad += 1
                print(f"{line} on {size} by its {way} differs by {part:.1e}")
    print(f"{len(CASES)} cases, {bad} differ; the largest difference is {largest:.1e}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
