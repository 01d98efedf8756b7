"""Write the text of a layer's box as papers do, and choose its color."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from archcalc.operators import TABLE
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

# the colors of a drawing, and the words of its legend
KINDS = {
    "conv": "conv",
    "depthwise": "depthwise conv",
    "grouped": "grouped conv",
    "upconv": "up-conv",
    "linear": "linear",
    "recurrent": "recurrent",
    "attention": "attention",
    "pool": "pooling",
    "join": "join",
    "reshape": "rearrangement",
    "plain": "norm, activation",
    "input": "input",
    "block": "block, not opened",
}
_FAMILIES = {
    "linear": "linear",
    "pooling": "pool",
    "reduction": "pool",
    "joining": "join",
    "normalization": "plain",
    "activation": "plain",
    "gating": "plain",
    "recurrent": "recurrent",
    "deformable": "conv",
    "resizing": "reshape",
    "reshaping": "reshape",
    "moving": "reshape",
    "tokens": "reshape",
    "attention": "attention",
    "embedding": "reshape",
}
_CONVS = {"conv": "conv", "depthwise conv": "depthwise", "grouped conv": "grouped", "deconv": "upconv"}
_SMALL = ("classtoken", "token", "shuffle")  # operators that share a layer's box, despite a new map
_SIGNS = {"add": "+", "sub": "−", "mul": "×", "maximum": "max", "concat": "concat"}
SPOKEN = {sign: name for name, sign in _SIGNS.items()}
_POOLS = {"maxpool": "max pool", "avgpool": "avg pool", "sumpool": "sum pool"}


def color(operator: Operator, inputs: tuple[Shape, ...]) -> str:
    """Return the kind of a layer, one of `KINDS`."""
    family = TABLE.get(operator.name)
    if family is None:
        return "input"
    if operator.name == "unembed":
        return "linear"
    if family == "convolution":
        return _CONVS[operator.kind(*inputs)]
    return _FAMILIES.get(family, "plain")


def is_join(operator: Operator) -> bool:
    return TABLE.get(operator.name) == "joining"


def is_small(operator: Operator) -> bool:
    """Return whether an operator shares the box of the layer before it: norms, activations, views."""
    return operator.name in _SMALL or (operator.buffer != "fresh" and not is_join(operator))


def is_activation(operator: Operator) -> bool:
    return TABLE.get(operator.name) == "activation"


@lru_cache(maxsize=1024)
def written(operator: Operator) -> str:
    """Return an operator as a spec writes it."""
    return str(operator)


def phrase(operator: Operator, inputs: tuple[Shape, ...]) -> str:
    """Return the text of a layer: '3×3 conv 64 /2', 'k9 conv 64', 'attention, 12 heads'."""
    facts: Any = operator
    name = operator.name
    if name in ("conv", "deconv"):
        return f"{_kernel(facts.k)} {_conv(facts, inputs)}{_stride(facts.s)}"
    if name == "deformconv":
        return f"{_kernel(facts.k)} deformable conv {facts.filters}{_stride(facts.s)}"
    if name in _POOLS:
        return f"{_kernel(facts.k)} {_POOLS[name]}{_stride(facts.s)}"
    if name == "attention":
        return _attention(facts, len(inputs) > 1)
    if TABLE.get(name) == "recurrent":
        return _recurrent(facts)
    told = _PHRASES.get(name)
    return told(facts) if told else _SIGNS.get(name) or _plain(operator)


_PHRASES: dict[str, Callable[[Any], str]] = {
    "linear": lambda op: f"linear {op.units}",
    "embedding": lambda op: f"embedding {op.words} × {op.channels}",
    "deformconv": lambda op: f"{_kernel(op.k)} deformable conv {op.filters}{_stride(op.s)}",
    "gap": lambda _: "global avg pool",
    "adaptivepool": lambda op: f"adaptive {'max' if op.max else 'avg'} pool to {_pair(op.size)}",
    "windowattention": lambda op: (
        f"{_pair(op.window)} {'shifted ' if op.shift else ''}window attention, {op.heads} heads"
    ),
    "todepth": lambda op: f"{_pair(op.factor)} space to depth",
    "pixelunshuffle": lambda op: f"pixel unshuffle /{_short(op.factor)}",
    "pixelshuffle": lambda op: f"pixel shuffle ×{_short(op.factor)}",
    "slice": lambda op: f"{op.axis} {op.start}–{op.start + op.size - 1}",
}


def _recurrent(facts: Any) -> str:
    """Return text like 'bidirectional lstm 256, 2 layers'."""
    both = "bidirectional " if facts.both else ""
    several = f", {facts.layers} layers" if facts.layers != 1 else ""
    return f"{both}{facts.name} {facts.units}{several}"


def _attention(facts: Any, crossed: bool) -> str:
    """Return text like 'causal attention, 32 heads, 8 of keys'; `crossed` makes it cross-attention."""
    masked = "causal " if facts.causal else ""
    near = "" if facts.window is None else f"{facts.window} wide "
    fewer = "" if facts.kv in (None, facts.heads) else f", {facts.kv} of keys"
    kind = "cross-attention" if crossed else "attention"
    return f"{masked}{near}{kind}, {facts.heads} heads{fewer}"


def _conv(facts: Any, inputs: tuple[Shape, ...]) -> str:
    kind = _CONVS[facts.kind(*inputs)]
    words = "depthwise" if kind == "depthwise" else "up-conv" if kind == "upconv" else "conv"
    dilated = getattr(facts, "d", (1, 1))
    told = f"{words} {facts.filters}"
    if kind == "grouped":
        told += f", {facts.g} groups"
    return told if set(dilated) == {1} else f"{told}, dilation {_short(dilated)}"


def _stride(pair: tuple[int, ...]) -> str:
    return "" if set(pair) == {1} else f" /{_short(pair)}"


def _short(pair: tuple[int, ...]) -> str:
    return str(pair[0]) if len(set(pair)) == 1 else _pair(pair)


def _kernel(pair: tuple[int, ...]) -> str:
    """Return '3×3', or 'k9' along one axis, because a number alone would be unclear."""
    return f"k{pair[0]}" if len(pair) == 1 else _pair(pair)


def _pair(pair: Any) -> str:
    return "×".join(map(str, pair if isinstance(pair, tuple) else (pair, pair)))


def _plain(operator: Operator) -> str:
    """Return an operator's name and required arguments, without numerical constants."""
    return " ".join(w for w in str(operator).split() if not w.startswith("eps="))


def brief(operator: Operator) -> str:
    """Return the name of a small operator that shares a box."""
    return _plain(operator) if operator.name in ("token", "reshape") else operator.name


def suffix(operator: Operator) -> str:
    """Return the arguments of a join that its sign does not show."""
    return "crop" if getattr(operator, "crop", False) else ""
