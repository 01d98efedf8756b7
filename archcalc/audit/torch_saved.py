"""What torch's autograd saves where it is not what derivatives need (torch 2.14, on the CPU).

Read off torch/autograd's derivatives.yaml and recorded runs of `saved_tensors_hooks`: indices of pools
are int64, and their inputs saved beside; masks of dropout have the type of the values; relu6 saves a
copy of its input; a frozen batch norm in training still uses the batch's statistics; a convolution saves
its input also where only that input's derivative is wanted, as both have one formula.
"""

from __future__ import annotations

from typing import Any

from archcalc.analysis.costs import Layer
from archcalc.errors import Diagnostic, UsageError
from archcalc.operators.kept import (
    KEEPS_INPUT,
    NOTHING,
    OF_BOTH,
    OF_INPUT,
    Intermediate,
    KeepRule,
    KeepRules,
)

INT64 = 1 << 62  # places that need eight bytes
_SAME = frozenset(
    """input relu sigmoid tanh softmax logsoftmax gelu swish mish hswish elu selu prelu linear bn ln
    groupnorm add sub mul concat matmul flatten tokens token classtoken posembed gap mean slice reshape
    permute transpose padchannels scale""".split()  # noqa: SIM905
)
_INPUT = frozenset(("avgpool", "hsigmoid", "relu6", "hardtanh"))
UNDROPPED = ("vit.toml",)  # torchvision builds these with dropout of probability 0, which does nothing


def torch_keeps(layer: Layer, spec: str = "") -> KeepRules:
    """Return what torch saves for a layer of the network in the file `spec`.

    Raises:
        UsageError: no run told what it saves for such an operator.
    """
    operator: Any = layer.node.operator
    if operator.name in _SAME:
        return operator.kept(*layer.inputs)  # type: ignore[no-any-return]
    if operator.name in ("conv", "deconv"):
        return (KeepRule(0, OF_BOTH),)
    if operator.name in _INPUT or (operator.name == "adaptivepool" and not operator.max):
        return KEEPS_INPUT
    if operator.name in ("maxpool", "adaptivepool"):
        return *KEEPS_INPUT, KeepRule(Intermediate("indices", layer.node.shape.values, INT64), OF_INPUT)
    if operator.name == "dropout" and spec in UNDROPPED:
        return NOTHING
    if operator.name == "dropout":
        return (KeepRule(Intermediate("mask", layer.node.shape.values), OF_INPUT),)
    if operator.name == "droppath":
        return (KeepRule(Intermediate("mask", 1), OF_INPUT),)
    if operator.name == "attention" and len(layer.inputs) == 1 and not operator.bare:
        return operator.kept(*layer.inputs)  # type: ignore[no-any-return]
    message = f"what torch saves for `{operator.name}` is not told (layer `{layer.path}`)"
    raise UsageError(Diagnostic(message, help="without --as, every operator's is"))
