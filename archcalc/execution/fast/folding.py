"""Execute products of matrices and reductions: NumPy writes the result where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.execution.model import Array, Prepared
from archcalc.execution.reference.linear import matrices, scale
from archcalc.execution.reference.reduction import FOLDS, folded, share


def matmul(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Multiply the matrices of two tensors."""
    x, other = matrices(operator, inputs)
    np.matmul(x, other, out=out)
    if operator.scaled:
        np.multiply(out, scale(x), out=out)


def reduce(operator: Any, inputs: list[Array], weights: Prepared, out: Array, scratch: Array) -> None:
    """Combine the values along an axis."""
    (x,) = inputs
    FOLDS[operator.name].reduce(x, axis=folded(operator, x), out=out, keepdims=True)
    if operator.name == "mean":
        np.multiply(out, share(operator, x), out=out)
