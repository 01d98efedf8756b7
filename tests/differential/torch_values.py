"""The values of `archcalc run` held against PyTorch's, layer by layer. For development: needs torch.

    pip install torch==2.13.0 torchvision==0.28.0 safetensors
    python tests/differential/torch_values.py [NETWORK …]

A network of torchvision gets seeded weights; its state_dict goes as safetensors writes it through
`--weights` to `archcalc run`, which matches the foreign names and sees the same image; where they fit in
more than one way, a map says what archcalc asks for. Every layer that computes is compared: torch's
operators as they are dispatched against our layers of that kind, in order of execution. The largest
difference in a layer may be 1e-4 of its largest value. On 2026-11-20, with torch 2.13.0 (CPU),
torchvision 0.28.0, safetensors 0.8.0, NumPy 2.4.6 and Python 3.11.7, the largest of a network was

    lenet5          3.4e-07   mobilenet_v2  2.1e-05   squeezenet1_1       9.0e-07
    alexnet_torch   3.0e-06   densenet121   1.2e-05   mobilenet_v3_large  9.0e-06
    vgg16           4.2e-06   vit_b_16      1.2e-06   mnasnet1_0          2.0e-05
    googlenet_torch 2.0e-05   vgg16_bn      3.0e-06   efficientnet_b0     1.0e-05
    inception_v3    3.4e-05   resnet18      2.4e-06   shufflenet_v2_x1_0  2.3e-05
    resnet50        8.5e-06   resnext50     1.8e-05   convnext_tiny       1.4e-06
                                                      swin_t              9.7e-07

and on 2026-11-29, with torch 2.14.1 and torchvision 0.29.1, of networks of frames too

    r3d_18 6.1e-06   mc3_18 4.5e-06   r2plus1d_18 5.7e-06   efficientnet_v2_s 1.9e-05
    deeplabv3_resnet50 8.6e-06

The first nine, down to ViT, with convolutions in registers; the others before, as matrix products alone.
Torch's own float32 is as far from its float64: 6.4e-06 in ResNet-50, 2.8e-05 in MobileNet v2, 2.0e-05 in
Inception v3, as rounding grows on the way through a deep network. Networks whose branches torch runs in
another order than our spec has them (RegNet) cannot be paired by order, and are not here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch_networks import NETWORKS, make, torchvision

import archcalc

TOLERANCE = 1e-4
# torch's operators, without their variants and the underscore of those that overwrite
KINDS = {
    "convolution": "product",  # a linear layer may be a 1×1 convolution there
    "addmm": "product",
    "mm": "product",
    "native_batch_norm": "bn",
    "native_layer_norm": "ln",
    "_native_multi_head_attention": "attention",
    "relu": "relu",
    "hardtanh": "relu6",
    "gelu": "gelu",
    "silu": "swish",
    "sigmoid": "sigmoid",
    "hardswish": "hswish",
    "hardsigmoid": "hsigmoid",
    "max_pool2d_with_indices": "maxpool",
    "avg_pool2d": "avgpool",
    "mean": "gap",
    "cat": "concat",
    "add": "add",
    "mul": "mul",
    "select": "token",
    "upsample_bilinear2d": "resize",
}
OURS = {  # what these are in torch
    "conv": "product",
    "linear": "product",
    "posembed": "add",
    "classtoken": "concat",
    "todepth": "concat",
    "scale": "mul",
    "windowattention": "attention",
}
# values are where they were, or were moved only
MOVED = ("flatten", "dropout", "tokens", "shuffle", "slice")
# what shapes and numbers leave open
MAPS = {
    "resnet18": "bn = bn1",
    "resnext50_32x4d": "\n".join(
        f"stage{n}/bottleneck/shortcut = layer{n}.0.downsample" for n in (2, 3, 4)
    ),
    "resnet50": "stage1/bottleneck/shortcut = layer1.0.downsample",
    "deeplabv3_resnet50": "stage1/unit/shortcut = backbone.layer1.0.downsample",
    "vit_b_16": "ln = encoder.ln",
    "inception_v3": "\n".join(
        [
            f"mixed{block}/1x1 = Mixed_{block}.branch1x1"
            for block in ("5b", "5c", "5d", "6b", "6c", "6d", "6e")
        ]
        + [f"mixed{block}/pool = Mixed_{block}.branch_pool" for block in ("5c", "5d", "6e")]
    ),
}


class Step(NamedTuple):
    """What an operator of torch computed."""

    kind: str
    value: Any


class Recorder(TorchDispatchMode):
    """Every operator that torch dispatches, in order; values are copied before others overwrite them.

    Attention in windows is many operators, and one step.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.inside = False
        for module in model.modules():
            if isinstance(module, torchvision.models.swin_transformer.ShiftedWindowAttention):
                module.register_forward_pre_hook(self._enter)
                module.register_forward_hook(self._leave)

    def _enter(self, module: Any, inputs: Any) -> None:
        self.inside = True

    def _leave(self, module: Any, inputs: Any, output: Any) -> None:
        self.inside = False
        self.steps.append(Step("attention", output.detach().clone().numpy()))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        kind = KINDS.get(func.overloadpacket.__name__.removesuffix("_"))
        copies = kind == "concat" and len(args[0]) == 1
        if kind is not None and not copies and not self.inside:
            value = result[0] if isinstance(result, tuple) else result
            self.steps.append(Step(kind, value.detach().clone().numpy()))
        return result


class Difference(NamedTuple):
    """Of one layer: the largest difference as a part of torch's largest value."""

    path: str
    part: float


def differences(name: str, folder: Path) -> list[Difference]:
    """Of every layer, in order.

    Raises:
        SystemExit: archcalc or torch has layers that the other one lacks, or archcalc fails.
    """
    graph = archcalc.load(name).graph
    *extents, channels = map(int, graph.input)
    torch.manual_seed(0)
    image = torch.randn(1, channels, *extents)
    model = make(name, image)
    with torch.no_grad(), Recorder(model) as recorder:
        model(image)
    theirs: dict[str, list[Step]] = defaultdict(list)
    for step in recorder.steps:
        theirs[step.kind].append(step)
    ours: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes[1:]:
        if node.operator.name not in MOVED:
            ours[OURS.get(node.operator.name, node.operator.name)].append(node.path)
    counts = [{kind: len(x) for kind, x in sorted(d.items())} for d in (ours, theirs)]
    if counts[0] != counts[1]:
        raise SystemExit(f"{name}: archcalc has {counts[0]}, torch {counts[1]}")
    pairs = [pair for kind in ours for pair in zip(ours[kind], theirs[kind], strict=True)]
    values = executed(name, model, image, [path for path, _ in pairs], folder)
    place = {node.path: i for i, node in enumerate(graph.nodes)}
    pairs.sort(key=lambda pair: place[pair[0]])
    return [Difference(path, difference(values[path], step.value)) for path, step in pairs]


def difference(ours: Any, theirs: Any) -> float:
    """Torch has maps with channels first, and rows of channels behind norms and linear layers."""
    ways = [np.moveaxis(theirs, 1, -1), theirs] if theirs.ndim > 3 else [theirs]
    alike = [v for v in ways if v.shape[-1] == ours.shape[-1] and v.size == ours.size]
    fitting = [v.reshape(ours.shape) for v in alike]
    if not fitting:
        raise SystemExit(f"a shape of {ours.shape} against torch's {theirs.shape}")
    return float(min(np.abs(ours - v).max() for v in fitting) / np.abs(theirs).max())


def executed(name: str, model: Any, image: Any, paths: list[str], folder: Path) -> dict[str, Any]:
    """What `archcalc run` saves of the layers, from the state_dict as safetensors writes it."""
    save_file(model.state_dict(), folder / "weights.safetensors")
    np.save(folder / "image.npy", image.movedim(1, -1).numpy())
    (folder / "map.txt").write_text(MAPS.get(name, ""))
    command = [sys.executable, "-m", "archcalc", "run", name, "--weights", "weights.safetensors"]
    command += ["--map", "map.txt", "--image", "image.npy", "--save", "values.npz"]
    command += [word for path in paths for word in ("--taps", path)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    with np.load(folder / "values.npz") as values:
        return dict(values)


def main(names: list[str]) -> int:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; parts of the largest value")
    print(f"{'network':16} {'layers':>6} {'largest':>9} {'output':>9}  where")
    bad = 0
    for name in names or list(NETWORKS):
        with tempfile.TemporaryDirectory() as folder:
            found = differences(name, Path(folder))
        worst = max(found, key=lambda d: d.part)
        wrong = [d for d in found if not d.part <= TOLERANCE]
        bad += len(wrong)
        print(f"{name:16} {len(found):6} {worst.part:9.1e} {found[-1].part:9.1e}  {worst.path}")
        for d in wrong[:5]:
            print(f"    {d.path} differs by {d.part:.1e}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
