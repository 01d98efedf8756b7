"""Runs torchinfo, thop, fvcore, torchsummary, ptflops and Keras on networks and writes tools.csv.

Development only, no test runs it. It was run so:

    python3.11 -m venv tools
    tools/bin/pip install torch==2.13.0 torchvision torchinfo thop fvcore keras torchsummary ptflops
    KERAS_BACKEND=torch tools/bin/python tests/data/record_tools.py > tests/data/tools.csv

Names of tools behind it run these alone, and leave the heading out.
Networks without trained weights, in eval mode, one image of the default size. The column `command` is
what was evaluated for the value, in the words of each tool; a value that is no number is printed text.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import re
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

Row = tuple[str, str, str, Any]  # command, network, quantity, value
Shape = tuple[int, int, int, int]

# archcalc's name → torchvision's call and the side of the image
TORCHVISION = {
    "alexnet_torch": ("alexnet()", 224),
    "vgg11": ("vgg11()", 224),
    "vgg16": ("vgg16()", 224),
    "vgg16_bn": ("vgg16_bn()", 224),
    "resnet18": ("resnet18()", 224),
    "resnet50": ("resnet50()", 224),
    "resnext50_32x4d": ("resnext50_32x4d()", 224),
    "wide_resnet50_2": ("wide_resnet50_2()", 224),
    "googlenet_torch": ("googlenet(aux_logits=False, init_weights=False)", 224),
    "googlenet_torch:aux=true": ("googlenet(init_weights=False)", 224),
    "inception_v3": ("inception_v3(aux_logits=False, init_weights=False)", 299),
    "inception_v3:aux=true": ("inception_v3(init_weights=False)", 299),
    "mobilenet_v2": ("mobilenet_v2()", 224),
    "mobilenet_v3_large": ("mobilenet_v3_large()", 224),
    "densenet121": ("densenet121()", 224),
    "squeezenet1_0": ("squeezenet1_0()", 224),
    "squeezenet1_1": ("squeezenet1_1()", 224),
    "shufflenet_v2_x1_0": ("shufflenet_v2_x1_0()", 224),
    "mnasnet1_0": ("mnasnet1_0()", 224),
    "efficientnet_b0": ("efficientnet_b0()", 224),
    "regnet_x_400mf": ("regnet_x_400mf()", 224),
    "regnet_y_400mf": ("regnet_y_400mf()", 224),
    "vit_b_16": ("vit_b_16()", 224),
    "convnext_tiny": ("convnext_tiny()", 224),
    "swin_t": ("swin_t()", 224),
}
# of archcalc's own specs, with a module for every operator
OWN = {"lenet5": ("lenet5()", 1, 32), "unet": ("UNet()", 1, 256), "odd.toml": ("odd()", 3, 8)}
OWN["norms.toml"] = ("norms()", 3, 8)
KERAS = {
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet50_keras": "ResNet50",
    "resnet101_keras": "ResNet101",
    "resnet152_keras": "ResNet152",
    "resnet50_v2_keras": "ResNet50V2",
    "resnet101_v2_keras": "ResNet101V2",
    "inception_v3_keras": "InceptionV3",
    "inception_resnet_v2_keras": "InceptionResNetV2",
    "mobilenet_v1": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3Large",
    "densenet121": "DenseNet121",
    "densenet201": "DenseNet201",
    "xception": "Xception",
    "efficientnet_b0": "EfficientNetB0",
    "efficientnet_b1": "EfficientNetB1",
    "convnext_tiny": "ConvNeXtTiny",
}


def torchinfo(network: str, call: str, model: Any, shape: Shape) -> Iterator[Row]:
    from torchinfo import summary

    command = f"torchinfo.summary({call}, {shape})"
    found = summary(model, shape, verbose=0)
    for name in ("total_params", "trainable_params", "total_mult_adds"):
        yield command, network, name, getattr(found, name)
    for name in ("total_input", "total_output_bytes", "total_param_bytes"):
        yield command, network, name, getattr(found, name)
    for line in str(found).splitlines():
        title, colon, value = line.partition(": ")
        if colon and re.match(
            r"(Total|Trainable|Non-trainable|Input|Forward|Params|Estimated)[ /]", line
        ):
            yield command, network, title, value.strip()


def thop(network: str, call: str, model: Any, shape: Shape) -> Iterator[Row]:
    import torch
    from thop import clever_format, profile

    command = f"thop.profile({call}, (torch.zeros{shape},))"
    macs, params = profile(model, (torch.zeros(shape),), verbose=False)
    yield command, network, "macs", macs
    yield command, network, "params", params
    yield command, network, "clever_format(macs)", clever_format(macs)
    yield command, network, "clever_format(params)", clever_format(params)


def fvcore(network: str, call: str, model: Any, shape: Shape) -> Iterator[Row]:
    import torch
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    image = torch.zeros(shape)
    model = model.eval()
    flops = FlopCountAnalysis(model, image)
    command = f"FlopCountAnalysis({call}.eval(), torch.zeros{shape})"
    yield f"{command}.total()", network, "FlopCountAnalysis.total()", flops.total()
    for name, count in sorted(flops.by_operator().items()):
        yield f"{command}.by_operator()", network, f"flops {name}", count
    skipped = ", ".join(f"{name} {n}" for name, n in sorted(flops.unsupported_ops().items()))
    yield f"{command}.unsupported_ops()", network, "unsupported", skipped
    activations = ActivationCountAnalysis(model, image)
    command = f"ActivationCountAnalysis({call}.eval(), torch.zeros{shape})"
    yield f"{command}.total()", network, "ActivationCountAnalysis.total()", activations.total()
    for name, count in sorted(activations.by_operator().items()):
        yield f"{command}.by_operator()", network, f"activations {name}", count
    command = f'parameter_count({call})[""]'
    yield command, network, "parameter_count", parameter_count(model)[""]


def torchsummary(network: str, call: str, model: Any, shape: Shape) -> Iterator[Row]:
    from torchsummary import summary

    command = f'torchsummary.summary({call}, {shape[1:]}, device="cpu")'
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            summary(model, shape[1:], device="cpu")
    except Exception as error:  # it cannot read some modules' outputs
        yield command, network, "error", f"{type(error).__name__}: {error}"
        return
    for line in printed.getvalue().splitlines():
        title, colon, value = line.partition(": ")
        if colon:
            yield command, network, title, value.strip()


def ptflops(network: str, call: str, model: Any, shape: Shape) -> Iterator[Row]:
    from ptflops import flops_to_string, get_model_complexity_info

    for backend in ("pytorch", "aten"):
        command = (
            f"get_model_complexity_info({call}, {shape[1:]}, backend={backend!r}, as_strings=False)"
        )
        with contextlib.redirect_stdout(sys.stderr):
            macs, params = get_model_complexity_info(
                copy.deepcopy(model), shape[1:], False, False, backend=backend
            )
        yield command, network, f"macs ({backend})", macs
        yield command, network, f"flops_to_string(macs) ({backend})", flops_to_string(macs)
    yield command, network, "params", params


def keras(network: str, name: str) -> Iterator[Row]:
    import keras as library

    model = getattr(library.applications, name)(weights=None)
    command = f"keras.applications.{name}(weights=None)"
    yield f"{command}.count_params()", network, "count_params", model.count_params()
    lines: list[str] = []
    model.summary(print_fn=lambda text, **_: lines.extend(text.splitlines()))
    for line in lines:
        if found := re.match(r" ((?:Total|Trainable|Non-trainable) params): (.*)$", line):
            yield f"{command}.summary()", network, found[1], found[2]
    yield f"{command}.input_shape", network, "input", "x".join(map(str, model.input_shape[1:]))


def own() -> dict[str, Any]:
    from torch import cat, nn

    def lenet5() -> Any:
        return nn.Sequential(
            *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        )

    def odd() -> Any:
        return nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1), nn.LocalResponseNorm(5), nn.LeakyReLU(0.1)),
            *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(8, 6, 3, 2, 1, groups=2), nn.Tanh()),
            *(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(1350, 10, bias=False), nn.Softmax(1)),
        )

    def norms() -> Any:
        return nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1), nn.InstanceNorm2d(8, affine=True), nn.PReLU(8)),
            *(nn.Conv2d(8, 12, 3, padding=1), nn.GroupNorm(3, 12), nn.ELU(), nn.GLU(1), nn.PReLU()),
            *(nn.SELU(), nn.Softplus(), nn.Mish(), nn.Hardtanh(), nn.LogSoftmax(1)),
            *(nn.Flatten(), nn.Linear(384, 10)),
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList(map(self.double, (1, 64, 128, 256), (64, 128, 256, 512)))
            self.bottom = self.double(512, 1024)
            widths = (512, 256, 128, 64)
            self.deconv = nn.ModuleList(nn.ConvTranspose2d(2 * c, c, 2, 2) for c in widths)
            self.up = nn.ModuleList(self.double(2 * c, c) for c in widths)
            self.pool, self.dropout, self.head = nn.MaxPool2d(2), nn.Dropout(), nn.Conv2d(64, 1, 1)

        def double(self, c: int, to: int) -> Any:
            convs = nn.Conv2d(c, to, 3, padding=1), nn.ReLU(), nn.Conv2d(to, to, 3, padding=1), nn.ReLU()
            return nn.Sequential(*convs)

        def forward(self, x: Any) -> Any:
            kept = []
            for level in self.down:
                kept.append(level(x))
                x = self.pool(kept[-1])
            x = self.dropout(self.bottom(x))
            for deconv, level in zip(self.deconv, self.up, strict=True):
                x = level(cat((deconv(x), kept.pop()), 1))
            return self.head(x)

    return {"lenet5": lenet5, "UNet": UNet, "odd": odd, "norms": norms}


def main() -> None:
    import torch

    # a torch for CPUs alone cannot load torchvision's own operators; no classifier uses any, but the
    # import wants these to be declared
    declared = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        declared.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    out = csv.writer(sys.stdout, lineterminator="\n")
    chosen = sys.argv[1:]
    if not chosen:
        out.writerow(["tool", "version", "torch", "library", "command", "network", "quantity", "value"])
    library = f"torchvision {version('torchvision')}"
    of_torchvision = {name: (call, 3, size) for name, (call, size) in TORCHVISION.items()}
    for tool in (torchinfo, thop, fvcore, torchsummary, ptflops):
        name = tool.__name__
        if chosen and name not in chosen:
            continue
        for where, calls in ((vars(torchvision.models), of_torchvision), (own(), OWN)):
            for network, (call, channels, size) in calls.items():
                for row in tool(network, call, eval(call, where), (1, channels, size, size)):
                    source = library if calls is of_torchvision else "record_tools.py"
                    out.writerow([name, version(name), torch.__version__, source, *row])
                print(name, network, file=sys.stderr)
    for network, model in KERAS.items() if not chosen or "keras" in chosen else ():
        for row in keras(network, model):
            out.writerow(["keras", version("keras"), torch.__version__, "keras", *row])
        print("keras", network, file=sys.stderr)


main()
