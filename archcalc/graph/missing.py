"""Explain the words of other tools: what they are called here, or how to do without them."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.errors import suggestion
from archcalc.graph.aliases import ALIASES, DEPTHWISE
from archcalc.spec.tokens import VOLUMES

_SENTENCES = {
    "split": "a part each, from where it begins: `slice 64`, `slice 64 from=64 axis=height`",
    "rope": "queries and keys turn in their layer: `attention 8 rotary`",
    "einsum": "two matrices are `matmul @label`, with `permute` before where axes stand otherwise",
    "3d": VOLUMES,
    "conv3d": f"`conv` is 3-D where a volume arrives: {VOLUMES}",
    "conv1d": f"`conv` is 1-D where a sequence arrives: {VOLUMES}",
}
_ALIASES = {
    "rotary": "rope",
    "rotaryembedding": "rope",
    "chunk": "split",
    "unbind": "split",
    "deconv3d": "conv3d",
    "pool3d": "conv3d",
    "maxpool3d": "conv3d",
    "avgpool3d": "conv3d",
    "batchnorm3d": "conv3d",
}


def missing(name: str) -> str:
    """Return a sentence about an operator that only other tools have; else ''."""
    squeezed = name.lower().replace("_", "")
    return _SENTENCES.get(_ALIASES.get(squeezed, squeezed), "")


def meant(name: str, known: Iterable[str]) -> str:
    """Return a help for a name that is none of `known`: what it is in other tools, or a similar name."""
    if name.lower() in DEPTHWISE:
        return "a depthwise conv is `conv {channels} k3 half g{channels}`"
    alias = ALIASES.get(name.lower())
    return f"did you mean `{alias}`?" if alias else missing(name) or suggestion(name, known)
