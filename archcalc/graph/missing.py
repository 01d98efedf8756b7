"""What other tools have and archcalc has not: nothing that looks alike would do."""

from __future__ import annotations

from archcalc.spec.tokens import VOLUMES

_SENTENCES = {
    "split": "a part each, from where it begins: `slice 64`, `slice 64 from=64 axis=height`",
    "einsum": "two matrices are `matmul @label`, with `permute` before where axes stand otherwise",
    "3d": VOLUMES,
    "conv3d": f"`conv` is 3-D where a volume arrives: {VOLUMES}",
    "conv1d": f"`conv` is 1-D where a sequence arrives: {VOLUMES}",
}
_ALIASES = {
    "chunk": "split",
    "unbind": "split",
    "deconv3d": "conv3d",
    "pool3d": "conv3d",
    "maxpool3d": "conv3d",
    "avgpool3d": "conv3d",
    "batchnorm3d": "conv3d",
}


def missing(name: str) -> str:
    """Return a sentence about an operator of other tools, or ''."""
    squeezed = name.lower().replace("_", "")
    return _SENTENCES.get(_ALIASES.get(squeezed, squeezed), "")
