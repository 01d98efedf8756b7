"""Conventions that no execution can see, stated by name: fact → operator → value, and geometries."""

from __future__ import annotations

from typing import Any

from archcalc.operators import FAMILIES, TABLE, operator_class
from archcalc.spec.model import JOINS

ACTIVATIONS = FAMILIES["activation"].split()
GATES = FAMILIES["gating"].split()
NORMS = FAMILIES["normalization"].split()
TABLES = FAMILIES["tables"].split()

# "16 weight layers" counts these; attention has two on its way: value and output
WEIGHT_LAYERS = dict.fromkeys(
    ("conv", "deconv", "deformconv", "linear", "unembed", "rnn", "gru", "lstm"), 1
) | dict.fromkeys(("attention", "windowattention"), 2)
# elementwise operators may overwrite an input; `flatten` and `tokens` move nothing
BUFFERS = dict.fromkeys(
    (*ACTIVATIONS, *NORMS, "add", "sub", "mul", "maximum", "posembed", "sinusoid", *TABLES), "in place"
) | dict.fromkeys(("flatten", "tokens", "reshape"), "view")
# activations, norms, softmax, dropout, flatten and what looks like them make no map
UNSTORED = dict.fromkeys(
    (*ACTIVATIONS, *NORMS, *TABLES, "posembed", "sinusoid", "flatten", "tokens", "reshape"), False
)

CONVENTIONS: dict[str, dict[str, Any]] = {
    "weight_layer": dict.fromkeys(TABLE, 0) | WEIGHT_LAYERS,
    "buffer": dict.fromkeys(TABLE, "fresh") | BUFFERS,
    "stored": dict.fromkeys(TABLE, True) | UNSTORED,
}

BY_POSITIONS = {"groupnorm", "instancenorm"}  # norms that see every position
GEOMETRIES = {
    "global": {
        "gap",
        "linear",
        "rbf",
        "flatten",
        "transpose",
        "attention",
        "rnn",
        "gru",
        "lstm",
        "matmul",
        *BY_POSITIONS,
    },
    "pointwise": {*ACTIVATIONS, *NORMS, *JOINS, *GATES, "padchannels", "slice", "shuffle"} - BY_POSITIONS
    | {"tokens", "classtoken", "posembed", "token", "embedding", "unembed", "sinusoid", *TABLES}
    | {"mean", "sum", "max"},
}


def stated(fact: str) -> dict[str, Any]:
    """Return what the classes of all operators say."""
    return {name: getattr(operator_class(name), fact) for name in TABLE}
