"""The classic networks in torch, with seeded weights under which every tensor matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

try:
    import torchvision
except RuntimeError:  # its compiled operators, which no classifier needs, want the CUDA build of torch
    boxes = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        boxes.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")
    import torchvision


class LeNet5(nn.Module):
    """torchvision has none; this is the one of torch's tutorials, which `lenet5` describes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = nn.functional.max_pool2d(nn.functional.relu(self.conv1(x)), 2)
        x = nn.functional.max_pool2d(nn.functional.relu(self.conv2(x)), 2)
        x = nn.functional.relu(self.fc2(nn.functional.relu(self.fc1(x.flatten(1)))))
        return self.fc3(x)


def _of_torchvision(name: str, **options: Any) -> Callable[[], Any]:
    return lambda: torchvision.models.get_model(name, weights=None, **options)


# without the auxiliary heads of training, and without the pictures' colors scaled once more
_PLAIN = {"aux_logits": False, "transform_input": False, "init_weights": False}

NETWORKS: dict[str, Callable[[], Any]] = {
    "lenet5": LeNet5,
    "alexnet_torch": _of_torchvision("alexnet"),
    "vgg16": _of_torchvision("vgg16"),
    "googlenet_torch": _of_torchvision("googlenet", **_PLAIN),
    "inception_v3": _of_torchvision("inception_v3", **_PLAIN),
    "resnet50": _of_torchvision("resnet50"),
    "mobilenet_v2": _of_torchvision("mobilenet_v2"),
    "densenet121": _of_torchvision("densenet121"),
    "vit_b_16": _of_torchvision("vit_b_16"),
    "deeplabv3_resnet50": _of_torchvision("deeplabv3_resnet50", weights_backbone=None, aux_loss=True),
    **{
        name: _of_torchvision(name)
        for name in (
            "vgg16_bn",
            "resnet18",
            "resnext50_32x4d",
            "squeezenet1_1",
            "mobilenet_v3_large",
            "mnasnet1_0",
            "efficientnet_b0",
            "efficientnet_v2_s",
            "shufflenet_v2_x1_0",
            "convnext_tiny",
            "swin_t",
            "r3d_18",
            "mc3_18",
            "r2plus1d_18",
        )
    },
}


def make(name: str, image: Any) -> Any:
    """The network in evaluation mode, with values as `torch.manual_seed` has it.

    Matrices and kernels are normal with variance 2 / fan-in, so that signals neither die nor explode;
    nothing else is at the 0 or 1 at which it would not show: scales are ½ to 1½, biases normal with
    0.1, learned places with 0.5, and the statistics of batch norms fit what arrives of the image.
    """
    model = NETWORKS[name]().eval()
    with torch.no_grad():
        for tensor_name, tensor in model.state_dict().items():
            _fill(tensor_name.rpartition(".")[2], tensor)
        norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm3d)]
        hooks = [norm.register_forward_pre_hook(_calibrate) for norm in norms]
        model(image)
    for hook in hooks:
        hook.remove()
    return model


def _fill(role: str, tensor: Any) -> None:
    if role in ("class_token", "pos_embedding"):
        tensor.normal_(0, 0.5)
    elif tensor.dim() > 1:
        deviation = (2 / tensor[0].numel()) ** 0.5
        tensor.normal_(0.04 * deviation, deviation)
    elif role == "weight":
        tensor.uniform_(0.5, 1.5)
    elif role == "bias":
        tensor.normal_(0, 0.3)


def _calibrate(norm: Any, inputs: Any) -> None:
    """Means near half of the true ones; variances ½ to 1½ of the mean square, and not near 0.

    The few places that a last map has vary less than images do, and norms that magnify what is only
    rounding would tell nothing.
    """
    places = (0, *range(2, inputs[0].ndim))
    mean, square = inputs[0].mean(places), inputs[0].square().mean(places)
    square.clamp_(min=float(square.mean()) / 4)
    norm.running_mean.copy_(0.5 * mean + 0.1 * square.sqrt() * torch.randn_like(mean))
    norm.running_var.copy_(square * torch.empty_like(square).uniform_(0.5, 1.5))
