"""Recurrent layers and attention."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.interop.keras.emit import Flow, LayerWriter
from archcalc.interop.keras.layers import linear
from archcalc.interop.keras.settings import LayerError, Settings
from archcalc.interop.keras.windows import LayerRule
from archcalc.interop.trace import Shape

_GATES = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "SimpleRNN": ("rnn_tanh", 1)}
_MERGES = {"sum": "sum", "mul": "prod", "ave": "mean"}


def _weights(w: LayerWriter, cls: str, settings: Settings, inputs: int, prefix: str) -> list[str | None]:
    """Return both matrices and the biases, each as torch has it."""
    word, gates = _GATES[cls]
    rows = gates * settings.size("units")
    found: list[str | None] = [
        w.weight(f"{prefix}kernel", (rows, inputs)),
        w.weight(f"{prefix}recurrent_kernel", (rows, settings.size("units"))),
    ]
    if settings.flag("use_bias", True):
        found.append(w.weight(f"{prefix}bias", (rows,)))
        if word == "gru" and settings.flag("reset_after", False):
            found.append(w.weight(f"{prefix}recurrent_bias", (rows,)))
    return found


def _plain(settings: Settings) -> None:
    for key, usual in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
        if settings.get(key, usual) != usual:
            raise LayerError(f"a recurrent layer is counted with {key} {usual} only")


def recurrent(cls: str) -> LayerRule:
    return lambda w: _run(w, cls, w.settings, both=False)


def bidirectional(w: LayerWriter) -> Flow:
    inner = w.settings.get("layer") or {}
    cls = str(inner.get("class_name"))
    if cls not in _GATES:
        raise LayerError("it wraps no recurrent layer that is known")
    return _run(w, cls, Settings(inner["config"]), both=True)


def _run(w: LayerWriter, cls: str, settings: Settings, both: bool) -> Flow:
    """Write one operation for all steps, and what is taken of its output."""
    _plain(settings)
    if len(w.x.shape) != 3 or settings.flag("return_state", False):
        raise LayerError("it reads one sequence of vectors, and makes one output")
    batch, steps, width = w.x.shape
    units, ways = settings.size("units"), ("forward_", "backward_") if both else ("",)
    inputs: list[str | None] = [w.natural(w.x)]
    for prefix in ways:
        inputs += _weights(w, cls, settings, width, prefix)
    hidden = units * len(ways)
    out: Shape = (batch, steps, hidden)
    made = w.op(_GATES[cls][0], inputs, out, units=hidden, batch_first=True)
    mode = w.settings.get("merge_mode", "concat") if both else "concat"
    if not settings.flag("return_sequences", False):
        made, out = _ends(w, made, out, units, both), (batch, hidden)
    return _merged(w, made, out, mode)


def _ends(w: LayerWriter, made: str, whole: Shape, units: int, both: bool) -> str:
    """Take the last step forward, and the first one backward: there the other direction ends."""
    batch, steps, hidden = whole
    last = w.op("select", [made], (batch, hidden), dim=1, index=steps - 1)
    if not both:
        return last
    first = w.op("select", [made], (batch, hidden), dim=1, index=0)
    ahead = w.op("slice", [last], (batch, units), dim=1, start=0, end=units)
    behind = w.op("slice", [first], (batch, units), dim=1, start=units, end=hidden)
    return w.op("cat", [ahead, behind], (batch, hidden), dim=1)


def _merged(w: LayerWriter, made: str, out: Shape, mode: Any) -> Flow:
    if mode == "concat":
        return Flow(made, out)
    if mode not in _MERGES:
        raise LayerError("merge_mode must be concat, sum, mul or ave")
    apart = (*out[:-1], 2, out[-1] // 2)
    split = w.op("view", [made], apart)
    half = (*out[:-1], out[-1] // 2)
    return Flow(w.op(_MERGES[mode], [split], half, dim=len(apart) - 2), half)


def heads(w: LayerWriter) -> Flow:
    """Read multi-head attention: four projections around the attention of each head."""
    if not 2 <= len(w.inputs) <= 3 or any(len(flow.shape) != 3 for flow in w.inputs):
        raise LayerError("it reads query, value and key as sequences, and nothing else")
    query, value, key = (*w.inputs, w.inputs[1])[:3]
    count, width = w.settings.size("num_heads"), w.settings.size("key_dim")
    deep = w.settings.size("value_dim", width)
    biased = w.settings.flag("use_bias", True)
    parts = []
    for name, flow, each in (("query", query, width), ("key", key, width), ("value", value, deep)):
        bias = f"{name}.bias" if biased else ""
        whole = linear(w, flow, count * each, f"{name}.kernel", bias)
        apart = (*whole.shape[:2], count, each)
        split = w.op("view", [whole.name], apart)
        turned = (apart[0], count, apart[1], each)
        parts.append((w.op("permute", [split], turned, dims=(0, 2, 1, 3)), turned))
    mixed = (*parts[0][1][:3], deep)
    made = w.op("attention", [part for part, _ in parts], mixed)
    rows = (mixed[0], mixed[2], count, deep)
    back = w.op("permute", [made], rows, dims=(0, 2, 1, 3))
    flat = (*rows[:2], count * deep)
    joined = Flow(w.op("view", [back], flat), flat)
    wanted = w.settings.get("output_shape")
    out = query.shape[-1] if wanted is None else prod(w.settings.sizes("output_shape", 1))
    bias = "attention_output.bias" if biased else ""
    return linear(w, joined, out, "attention_output.kernel", bias)


SEQUENCES: dict[str, LayerRule] = {
    **{cls: recurrent(cls) for cls in _GATES},
    "CuDNNLSTM": recurrent("LSTM"),
    "Bidirectional": bidirectional,
    "MultiHeadAttention": heads,
}
