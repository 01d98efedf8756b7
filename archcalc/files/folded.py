"""Compute operations of a model file that depend on stored tensors alone (constant folding)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archcalc.execution.model import Array
from archcalc.interop.trace import Operation

Values = Sequence[Array]
Folding = Callable[[Operation, Values, tuple[int, ...]], Array | None]


def folded(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
    """Return the result of an operation on known tensors, in this shape; None if it is unknown."""
    rule = _RULES.get(op.word)
    return None if rule is None or not values else rule(op, values, shape)


def _same(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    return values[0].reshape(shape)


def _permuted(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    return values[0].transpose(op.attributes["dims"])


def _expanded(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(values[0], shape)


def _joined(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    return np.concatenate(values, int(op.attributes.get("dim") or 0))


def _indexed(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
    if len(values) != 2 or op.inputs[1] is None:
        return None
    return np.asarray(values[0][values[1].astype(np.int64)])


def _step(
    function: Callable[..., Array],
) -> Folding:
    def rule(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
        other: Any = values[1] if len(values) > 1 else op.attributes.get("other")
        return function(values[0], other) if isinstance(other, (int, float, np.ndarray)) else None

    return rule


def _linear(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    found = values[0] @ values[1].T
    return found + values[2] if len(values) > 2 else found


def _matmul(op: Operation, values: Values, shape: tuple[int, ...]) -> Array:
    return np.asarray(values[0] @ values[1])


def _selected(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
    index = op.attributes.get("index")
    return (
        np.take(values[0], index, int(op.attributes.get("dim", 0))) if isinstance(index, int) else None
    )


def _standardized(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
    """Compute a batch norm with the input's own statistics, which standardizes filters."""
    x, given = values[0], [name for name in op.inputs[1:] if name]
    if op.attributes.get("training") is not True or any(op.inputs[2:]):
        return None
    axes = (0, *range(2, x.ndim))
    spread = np.sqrt(x.var(axes, keepdims=True) + op.attributes.get("eps", 1e-5))
    scale = values[1].reshape(1, -1, *(1,) * (x.ndim - 2)) if given else 1.0
    return np.asarray((x - x.mean(axes, keepdims=True)) / spread * scale)


def _normed(op: Operation, values: Values, shape: tuple[int, ...]) -> Array | None:
    """Compute a layer norm of a stored tensor, such as a latent query."""
    count = len(op.attributes.get("normalized_shape") or ())
    if not count:
        return None
    x, axes = values[0], tuple(range(-count, 0))
    spread = np.sqrt(x.var(axes, keepdims=True) + op.attributes.get("eps", 1e-5))
    found = (x - x.mean(axes, keepdims=True)) / spread
    for value, name in zip(values[1:], (n for n in op.inputs[1:] if n), strict=True):
        found = found * value if name == op.inputs[1] else found + value
    return np.asarray(found)


_RULES: dict[str, Folding] = {
    **dict.fromkeys(("copy", "cast", "dropout", "checks", "view"), _same),
    "permute": _permuted,
    "expand": _expanded,
    "cat": _joined,
    "index": _indexed,
    "add": _step(np.add),
    "sub": _step(np.subtract),
    "mul": _step(np.multiply),
    "div": _step(np.divide),
    "linear": _linear,
    "matmul": _matmul,
    "select": _selected,
    "batch_norm": _standardized,
    "layer_norm": _normed,
}
