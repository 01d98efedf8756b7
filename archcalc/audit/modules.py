"""Find the module that runs each operator in the code that a tool inspects: tools see modules.

The code of a known network is read from specs/code/; any other network counts as one torch.nn module
per operator. Code that can be written in several ways that count differently is left unknown.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from archcalc.analysis.costs import Analysis, Layer
from archcalc.errors import Diagnostic, UsageError
from archcalc.graph.model import Graph
from archcalc.operators.convolution import Conv
from archcalc.operators.model import Operator
from archcalc.operators.normalization import Norm
from archcalc.operators.pooling import AdaptivePool
from archcalc.operators.resizing import Upsample
from archcalc.spec.bundle import families, folder
from archcalc.spec.model import Source
from archcalc.tuples import NamedTuple

KERAS = "keras"
ALONE = "norm without learned scale and shift"
IDLE = "side outputs"  # kept, but no part of the main output
# operators without a module; no tool counts them
_FUNCTIONS = (
    *("input", "add", "sub", "mul", "maximum", "concat"),
    *("mean", "sum", "max", "roll", "permute", "reshape"),
    *("flatten", "slice", "shuffle", "padchannels", "todepth"),
    *("pad", "crop"),
)
_TORCH = {
    "conv": "Conv2d",
    "deconv": "ConvTranspose2d",
    "linear": "Linear",
    "bn": "BatchNorm2d",
    "ln": "LayerNorm",
    "groupnorm": "GroupNorm",
    "instancenorm": "InstanceNorm2d",
    "rmsnorm": "RMSNorm",
    "lrn": "LocalResponseNorm",
    "gap": "AdaptiveAvgPool2d",
    "adaptivepool": "AdaptiveAvgPool2d",
    "avgpool": "AvgPool2d",
    "maxpool": "MaxPool2d",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "hardtanh": "Hardtanh",
    "leaky": "LeakyReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "mish": "Mish",
    "swish": "SiLU",
    "gelu": "GELU",
    "hsigmoid": "Hardsigmoid",
    "hswish": "Hardswish",
    "softmax": "Softmax",
    "logsoftmax": "LogSoftmax",
    "glu": "GLU",
    "dropout": "Dropout",
    "droppath": "StochasticDepth",
    "upsample": "Upsample",
    "pixelshuffle": "PixelShuffle",
    "pixelunshuffle": "PixelUnshuffle",
    **{name: name for name in (*_FUNCTIONS, "tokens", "token", "transpose")},
}
_NORMS = {
    "bn": "batch norm",
    "ln": "layer norm",
    "groupnorm": "group norm",
    "instancenorm": "instance norm",
}
_OWNER = "belong to a module of their own or to the one around it"
_UNTOLD = {
    "deformconv": "how it counts torchvision's DeformConv2d",
    "resize": "whether it is nn.Upsample or a function, and how it counts",
    "attention": "whether it is nn.MultiheadAttention, linear modules or function calls",
    "matmul": "how it counts torch.matmul",
    "swiglu": "whether its gate is a module, function calls or a part of the one around it",
    "clip": "whether it is nn.Hardtanh or torch.clamp",
    "embedding": "how it counts a lookup",
    **dict.fromkeys(("rnn", "gru", "lstm"), "how it counts the steps of a recurrent module"),
    "unembed": "whether the tied head is a module or a function call",
    "sinusoid": f"whether its table {_OWNER}",
    "windowattention": "whether its projections are modules or function calls",
    "scale": f"whether its factors {_OWNER}",
    **dict.fromkeys(("offset", "factor"), f"whether its numbers {_OWNER}"),
    "classtoken": f"whether its numbers {_OWNER}",
    "posembed": f"whether its numbers {_OWNER}",
}
_MODE = "how it counts this mode of nn.Upsample"
_LN = "whether its class is nn.LayerNorm or one of its own, as channels lie first"
_GAP = "whether it is a pool or a mean of the tokens"
_UNKNOWN = "which modules run it"
_SIDE = "whether this side output runs in eval mode"


class ReferenceCode(NamedTuple):
    """Code of a network: the library, its file ('' if nothing is known), and what runs each layer.

    `names` has a name for each layer of the analysis; where it is '', `untold` says what is unknown
    about this path. `parts` are the composite modules whose output is also that of the layer.
    """

    library: str
    file: str
    names: tuple[str, ...]
    untold: dict[str, str]
    parts: tuple[tuple[str, ...], ...]

    @property
    def all_names(self) -> list[tuple[str, ...]]:
        """For each layer the module that runs it, then the composite modules that end with it."""
        return [(name, *parts) for name, parts in zip(self.names, self.parts, strict=True)]


def usual_modules() -> dict[str, str]:
    """Return the module of torch.nn for each operator that has exactly one."""
    return dict(_TORCH)


def code_of(
    library: str,
    name: str,
    source: Source,
    analysis: Analysis,
    functions: Mapping[str, str] = {},
) -> ReferenceCode:
    """Return the code of the network `name` of a spec, in "torchvision" or "keras".

    Args:
        functions: by path what is known to be no module: `F.relu`.

    Raises:
        UsageError: no code of that library computes this network.
    """
    version, entry = _entry(library, name, source)
    file = str(entry.pop("code", ""))
    parts = _parts(dict(entry.pop("parts", {})), analysis)
    run = _run(analysis.graph)
    names: list[str] = []
    untold: dict[str, str] = {}
    for i, layer in enumerate(analysis.layers):
        _refuse(layer, library)
        if library == KERAS:
            found = _named(layer, entry) or layer.node.operator.name
        elif i not in run:
            found = IDLE if file else ""
        else:
            found = _named(layer, entry) or functions.get(layer.path) or _usual(layer, file)
        if not found:
            untold[layer.path] = (_untold(layer) or _UNKNOWN) if i in run else _SIDE
        names.append(_fitting(found, layer, file))
    return ReferenceCode(version, file, tuple(names), untold, parts)


def _entry(library: str, name: str, source: Source) -> tuple[str, dict[str, Any]]:
    """Return the entry of a bundled network in specs/code/; {} for a user's own file."""
    with open(os.path.join(folder(), "code", f"{library}.toml"), "rb") as file:
        entries = tomllib.load(file)
    entry = entries.get(name) or entries.get(source.name.removesuffix(".toml"), {})
    bundled = (path for path in families() if os.path.basename(path) == source.name)
    return entries["library"], dict(entry) if any(_text(path) == source.text for path in bundled) else {}


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _run(graph: Graph) -> set[int]:
    """Return the nodes that the main output needs."""
    needed, waiting = set[int](), [graph.output]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += graph.nodes[index].inputs
    return needed


def _parts(patterns: dict[str, str], analysis: Analysis) -> tuple[tuple[str, ...], ...]:
    """Return the composite modules that end with each layer; a pattern matches their paths."""
    last: dict[tuple[str, str], int] = {}
    for i, layer in enumerate(analysis.layers):
        steps = layer.path.split("/")
        for pattern, module in patterns.items():
            depth = pattern.count("/") + 1
            path = "/".join(steps[:depth])
            if len(steps) >= depth and fnmatchcase(path, pattern):
                last[path, module] = i
    return tuple(
        tuple(module for (_, module), at in last.items() if at == i) for i in range(len(analysis.layers))
    )


def _named(layer: Layer, entry: dict[str, Any]) -> str:
    """Return what the entry gives for a layer: by its path, or by its operator."""
    for pattern, module in entry.items():
        if "/" in pattern and fnmatchcase(layer.path, pattern.removeprefix("./")):
            return str(module)
    return str(entry.get(layer.node.operator.name, ""))


def _usual(layer: Layer, file: str) -> str:
    """Return the module of an operator where nothing else is known; '' if there is more than one."""
    name = layer.node.operator.name
    if name == "flatten" and not file:
        return "Flatten"
    if isinstance(layer.node.operator, AdaptivePool) and layer.node.operator.max:
        return "AdaptiveMaxPool2d"
    return "" if _untold(layer) else _TORCH.get(name, "")


def _untold(layer: Layer) -> str:
    """Return the unknown fact on which the count of the layer depends; '' if there is none."""
    if is_alone(layer.node.operator):
        return f"how it counts a {ALONE}"
    name, tokens = layer.node.operator.name, bool(layer.inputs) and layer.inputs[0].is_sequence
    if name == "ln":
        return "" if tokens else _LN
    if isinstance(layer.node.operator, Upsample) and layer.node.operator.taps > 1:
        return _MODE
    return _UNTOLD.get(name, _GAP if name == "gap" and tokens else "")


def _refuse(layer: Layer, library: str) -> None:
    """Raise UsageError for a layer that no module of the library computes."""
    operator = layer.node.operator
    if operator.name in ("rbf", "sumpool"):
        what = f"`{operator.name}`"
    elif isinstance(operator, Conv) and operator.table:
        what = "a conv with a connection table"
    elif library != KERAS and _halved(operator):
        what = _halved(operator)
    else:
        return
    where = "no layer of Keras" if library == KERAS else "no module of torch.nn"
    message = f"{where} is {what} (layer `{layer.path}`): the tool has nothing to count"
    raise UsageError(Diagnostic(message, help="without --as, archcalc counts every operator"))


def is_alone(operator: Operator) -> bool:
    """Return whether it is a norm without learned numbers, which tools count by other factors."""
    return bool(getattr(operator, "noscale", False)) and bool(getattr(operator, "noshift", True))


def _halved(operator: Operator) -> str:
    """Return what a norm is that torch has whole or not at all, else ''."""
    name = _NORMS.get(operator.name, "")
    if not isinstance(operator, Norm) or not name or operator.noscale == operator.noshift:
        return ""
    if operator.noscale:
        return f"a {name} that shifts and does not scale"
    return "" if operator.name == "ln" else f"a {name} that scales and does not shift"


def _fitting(module: str, layer: Layer, file: str) -> str:
    """Return the bare name of 'AdaptiveAvgPool2d(7x7)', a pool whose map must have that size already."""
    name, _, size = module.rstrip(")").partition("(")
    x = layer.inputs[0] if layer.inputs else layer.node.shape
    if size and size != "x".join(map(str, x.extents)):
        message = f"{file} pools the {x} map to {size.replace('x', '×')} before `{layer.path}`"
        raise UsageError(Diagnostic(message, help="the tool would see another network than this one"))
    return name
