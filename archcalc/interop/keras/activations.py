"""Activations: layers of their own, and by name in the settings of others."""

from __future__ import annotations

from typing import Any

from archcalc.errors import shown
from archcalc.interop.keras.emit import Flow, LayerWriter
from archcalc.interop.keras.settings import UnknownLayerError

_SAME = """
relu relu6 sigmoid tanh elu selu celu softplus softsign mish leaky_relu log_sigmoid threshold
"""
_OTHERS = {
    "swish": "silu",
    "silu": "silu",
    "exponential": "exp",
    "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_tanh": "relu6",
    "soft_shrink": "softshrink",
    "hard_shrink": "threshold",
}
NAMES = {word: word for word in _SAME.split()} | _OTHERS


def activate(w: LayerWriter, flow: Flow) -> Flow:
    """Write the activation that the layer's settings name, if they do."""
    return named(w, flow, w.settings.get("activation", "linear"))


def named(w: LayerWriter, flow: Flow, written: Any) -> Flow:
    """Write an activation as Keras names it: a word, or the entry of a function or layer.

    Raises:
        UnknownLayerError: there is no rule for it.
    """
    name, config = _name(written), {}
    if isinstance(written, dict) and isinstance(written.get("config"), dict):
        config = written["config"]
    if name == "linear":
        return flow
    if name in ("softmax", "log_softmax"):
        x = flow._replace(name=w.natural(flow), first=False)
        return w.like(x, name, dim=len(x.shape) - 1)
    if name == "gelu":
        return w.like(flow, "gelu", approximate="tanh" if config.get("approximate") else "none")
    if name not in NAMES:
        raise UnknownLayerError(f"its activation '{shown(name)}' is not known")
    return w.like(flow, NAMES[name])


def _name(written: Any) -> str:
    if isinstance(written, dict):
        inner = written.get("config")
        cls = str(written.get("class_name", ""))
        if cls == "function" or isinstance(inner, str):
            return str(inner)
        written = {"ReLU": "relu", "LeakyReLU": "leaky_relu"}.get(cls, cls.lower())
    return str(written).rpartition(">")[2]
