"""Execute every operator in plain NumPy by its definition: slow, short, the oracle of faster code.

Arrays are images × positions along each axis × channels; a vector is a map of 1 × 1. A function gets the
operator, its inputs and its weights by role, and returns a new array; it is written from the definition
and asks no rule of the operator for shapes or counts. The families of `operators/` have a file each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Run, Weights
from archcalc.execution.reference import (
    activation,
    attention,
    convolution,
    deformable,
    embedding,
    joining,
    linear,
    moving,
    normalization,
    pooling,
    recurrent,
    reduction,
    reshaping,
    resizing,
    tokens,
)


def run(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    """Return the operator's output."""
    return REFERENCE[operator.name](operator, inputs, weights)


def _activation(operator: Any, inputs: list[Array], weights: Weights) -> Array:
    return activation.ACTIVATIONS[operator.name](inputs[0])


REFERENCE: dict[str, Run] = {
    "conv": convolution.conv,
    "deconv": convolution.deconv,
    "deformconv": deformable.deformconv,
    "linear": linear.linear,
    "rbf": linear.rbf,
    "matmul": linear.matmul,
    "maxpool": pooling.maxpool,
    "sumpool": pooling.sumpool,
    "avgpool": pooling.avgpool,
    "gap": pooling.gap,
    "adaptivepool": pooling.adaptivepool,
    "bn": normalization.bn,
    "ln": normalization.ln,
    "groupnorm": normalization.groupnorm,
    "instancenorm": normalization.groupnorm,
    "rmsnorm": normalization.rmsnorm,
    "lrn": normalization.lrn,
    "scale": normalization.scale,
    "offset": normalization.offset,
    "factor": normalization.factor,
    "add": joining.join(np.add),
    "sub": joining.join(np.subtract),
    "mul": joining.join(np.multiply),
    "maximum": joining.join(np.maximum),
    "concat": joining.concat,
    **dict.fromkeys(("mean", "sum", "max"), reduction.reduce),
    "flatten": reshaping.flatten,
    "upsample": resizing.resample,
    "resize": resizing.resample,
    "pad": reshaping.pad,
    "crop": reshaping.crop,
    "todepth": reshaping.todepth,
    "pixelshuffle": reshaping.pixelshuffle,
    "pixelunshuffle": reshaping.pixelunshuffle,
    "padchannels": reshaping.padchannels,
    "slice": reshaping.slice_,
    "shuffle": reshaping.shuffle,
    "roll": moving.roll,
    "permute": moving.permute,
    "reshape": moving.reshape,
    "tokens": tokens.tokens,
    "classtoken": tokens.classtoken,
    "posembed": tokens.posembed,
    "token": tokens.token,
    "transpose": tokens.transpose,
    "attention": attention.attention,
    "windowattention": attention.windowattention,
    **dict.fromkeys(recurrent.CELLS, recurrent.recurrent),
    "embedding": embedding.embedding,
    "unembed": embedding.unembed,
    "sinusoid": embedding.sinusoid,
    "clip": activation.clip,
    "leaky": activation.leaky,
    "prelu": activation.prelu,
    "elu": activation.elu,
    **dict.fromkeys(activation.ACTIVATIONS, _activation),
}
