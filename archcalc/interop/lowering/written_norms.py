"""Recognize norms that a file writes out in steps: vectors scaled to length 1, and layer norms."""

from __future__ import annotations

from typing import Protocol

from archcalc.interop.trace import Operation, Tensor

_SHORTEST = 1e-5  # the largest lower bound of a length that only protects zeros from division by 0


class Steps(Protocol):
    """The live operations, by the tensors that they make."""

    tensors: dict[str, Tensor]

    def step(self, name: str | None) -> Operation | None: ...


def written_norm(steps: Steps, op: Operation) -> Operation | None:
    """Return the norm that ends with this division as one operation, or None."""
    if op.word != "div" or len(op.inputs) != 2:
        return None
    dim = _of_length(steps, op)
    if dim is not None:
        return Operation("unit", op.inputs[:1], op.outputs, {"dim": dim}, op.module, op.place)
    found = _centered(steps, op)
    if found is None:
        return None
    name, eps = found
    given = {"normalized_shape": steps.tensors[name].shape[-1:], "eps": eps}
    return Operation("layer_norm", (name,), op.outputs, given, op.module, op.place)


def _of_length(steps: Steps, op: Operation) -> int | None:
    """Return the axis along which a tensor is divided by the length of its vectors, or None."""
    step = steps.step(op.inputs[1])
    while step is not None and (step.word in ("expand", "copy") or _is_bound(step)):
        step = steps.step(step.inputs[0])
    if step is None or step.word != "norm" or step.inputs[0] != op.inputs[0]:
        return None
    before, after = (steps.tensors[n or ""].shape for n in (step.inputs[0], step.outputs[0]))
    dim, order = step.attributes.get("dim"), step.attributes.get("ord", 2)
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    if (
        len(dims) != 1
        or not isinstance(dims[0], int)
        or len(before) != len(after)
        or order not in (2, 2.0)
    ):
        return None
    return dims[0] % len(before)


def _is_bound(step: Operation) -> bool:
    low, high = step.attributes.get("min"), step.attributes.get("max")
    plain = step.word == "clamp" and len(step.inputs) == 1 and high is None
    return plain and isinstance(low, int | float) and low <= _SHORTEST


def _centered(steps: Steps, op: Operation) -> tuple[str, float] | None:
    """Return the tensor that is normalized along its last axis, and the epsilon; else None."""
    centered, root = (steps.step(name) for name in op.inputs)
    if centered is None or root is None or (centered.word, root.word) != ("sub", "sqrt"):
        return None
    plus = steps.step(root.inputs[0])
    eps = (plus.attributes.get("scalar", plus.attributes.get("other"))) if plus else None
    if plus is None or plus.word != "add" or not isinstance(eps, int | float):
        return None
    found = [steps.step(name) for name in plus.inputs]
    mean = next((step for step in found if step), None)
    square = steps.step(mean.inputs[0]) if mean and mean.word == "mean" else None
    own = steps.step(centered.inputs[1]) if len(centered.inputs) == 2 else None
    if square is None or own is None or mean is None or own.word != "mean":
        return None
    squared = square.word in ("pow", "square", "mul") and set(square.inputs) == {centered.outputs[0]}
    if square.word == "pow" and square.attributes.get("exponent") not in (2, 2.0):
        return None
    rank = len(steps.tensors[centered.outputs[0]].shape)
    last = all(_reduces_last(step, rank) for step in (mean, own))
    if not squared or not last or own.inputs[0] != centered.inputs[0]:
        return None
    return own.inputs[0] or "", float(eps)


def _reduces_last(step: Operation, rank: int) -> bool:
    return step.attributes.get("dim") in (-1, rank - 1, (-1,), (rank - 1,))
