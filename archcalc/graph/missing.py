"""What other tools have and archcalc has not: nothing that looks alike would do."""

from __future__ import annotations

from archcalc.spec.tokens import VOLUMES

_SENTENCES = {
    "deformconv": "there is no deformable conv here; its offsets alone come from a plain `conv`",
    "3d": VOLUMES,
    "conv3d": f"`conv` is 3-D where a volume arrives: {VOLUMES}",
    "conv1d": f"`conv` is 1-D where a sequence arrives: {VOLUMES}",
}
_ALIASES = {
    "deformconv2d": "deformconv",
    "deformable": "deformconv",
    "deformableconv": "deformconv",
    "dcn": "deformconv",
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
