"""Define the operators of the spec language: shapes, weights and work, in one module per family.

The table names every operator; its family is imported on first use.
"""

from __future__ import annotations

from importlib import import_module

from archcalc.operators.model import Operator

FAMILIES = {
    "convolution": "conv deconv",
    "deformable": "deformconv",
    "linear": "linear rbf matmul",
    "pooling": "maxpool avgpool sumpool gap adaptivepool",
    "normalization": "bn ln groupnorm instancenorm rmsnorm lrn scale",
    "tables": "offset factor",
    "activation": (
        "relu relu6 clip hardtanh leaky prelu elu selu sigmoid tanh softplus swish mish gelu hsigmoid "
        "hswish softmax logsoftmax dropout droppath"
    ),
    "gating": "glu swiglu",
    "joining": "add sub mul maximum concat",
    "reduction": "mean sum max",
    "resizing": "upsample resize",
    "reshaping": "flatten pad crop todepth pixelshuffle pixelunshuffle padchannels shuffle",
    "moving": "slice roll permute reshape",
    "tokens": "tokens classtoken posembed token transpose",
    "attention": "attention windowattention",
    "embedding": "embedding unembed sinusoid",
    "recurrent": "rnn gru lstm",
}
TABLE = {name: family for family, names in FAMILIES.items() for name in names.split()}
ATTENTION = tuple(FAMILIES["attention"].split())
RECURRENT = tuple(FAMILIES["recurrent"].split())

_loaded: dict[str, type[Operator]] = {}


def operator_class(name: str) -> type[Operator]:
    """Return the class of an operator by its name in a spec, which is in `TABLE`."""
    found = _loaded.get(name)
    if found is None:
        family = import_module(f"archcalc.operators.{TABLE[name]}")
        for cls in vars(family).values():
            if isinstance(cls, type) and issubclass(cls, Operator) and "name" in vars(cls):
                _loaded[cls.name] = cls
        found = _loaded[name]
    return found
