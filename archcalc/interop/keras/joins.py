"""Layers of several inputs, and the functions between layers: sums, products, concatenation, slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.errors import shown
from archcalc.interop.keras.emit import Flow, LayerWriter
from archcalc.interop.keras.settings import LayerError, axis_of
from archcalc.interop.keras.windows import LayerRule
from archcalc.interop.trace import Shape


def together(w: LayerWriter, flows: Sequence[Flow]) -> list[Flow]:
    """Return tensors in one order of axes: channels first if one is and all have as many axes."""
    first = any(flow.first for flow in flows) and len({len(flow.shape) for flow in flows}) == 1
    return [
        flow if flow.first == first else flow._replace(name=w.to.other_order(w, flow), first=first)
        for flow in flows
    ]


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of values joined one by one.

    Raises:
        LayerError: the shapes do not fit.
    """
    rank = max(map(len, shapes))
    wide = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    out = tuple(max(sizes) for sizes in zip(*wide, strict=True))
    if any(n not in (1, m) for shape in wide for n, m in zip(shape, out, strict=True)):
        told = " and ".join("×".join(map(str, shape)) for shape in shapes)
        raise LayerError(f"{told} do not fit")
    return out


def join(w: LayerWriter, word: str, flows: Sequence[Flow]) -> Flow:
    """Write values joined one by one."""
    even = together(w, flows)
    names: list[str | None] = [flow.name for flow in even]
    held = broadcast([flow.held for flow in even])
    made = w.op(word, names, held)
    return Flow(made, broadcast([flow.shape for flow in even]), even[0].first)


def merge(word: str) -> LayerRule:
    """Return a layer over all its inputs; one of fewer axes is meant without positions."""

    def rule(w: LayerWriter) -> Flow:
        rank = max(len(flow.shape) for flow in w.inputs)
        flows = [_widened(w, flow, rank) for flow in w.inputs]
        return join(w, word, flows)

    return rule


def _widened(w: LayerWriter, flow: Flow, rank: int) -> Flow:
    if len(flow.shape) == rank:
        return flow
    shape = (flow.shape[0], *(1,) * (rank - len(flow.shape)), *flow.shape[1:])
    return Flow(w.op("view", [w.natural(flow)], shape), shape)


def average(w: LayerWriter) -> Flow:
    return w.like(merge("add")(w), "mul", other=1 / max(len(w.inputs), 1))


def scaled_sum(w: LayerWriter) -> Flow:
    """Add a branch, times a number, to the first input, as Inception-ResNet does."""
    if len(w.inputs) != 2:
        raise LayerError("it joins two inputs")
    scaled = w.like(w.inputs[1], "mul", other=w.settings.get("scale", 1))
    return join(w, "add", [w.inputs[0], scaled])


def cat(w: LayerWriter, flows: Sequence[Flow], axis: Any) -> Flow:
    """Write tensors one behind the other."""
    even = together(w, flows)
    rank = len(even[0].shape)
    at = axis_of(axis, rank)
    if any(len(f.shape) != rank or _without(f.shape, at) != _without(even[0].shape, at) for f in even):
        told = ", ".join("×".join(map(str, flow.shape)) for flow in even)
        raise LayerError(f"{told} do not fit beside each other")
    total = sum(flow.shape[at] for flow in even)
    made = Flow("", (*even[0].shape[:at], total, *even[0].shape[at + 1 :]), even[0].first)
    dim = (0, *range(2, rank), 1)[at] if made.first else at
    return made._replace(name=w.op("cat", [flow.name for flow in even], made.held, dim=dim))


def _without(shape: Shape, at: int) -> Shape:
    return shape[:at] + shape[at + 1 :]


def matmul(w: LayerWriter, a: Flow, b: Flow) -> Flow:
    """Write a product of the last two axes."""
    if min(len(a.shape), len(b.shape)) < 2 or a.shape[-1] != b.shape[-2]:
        raise LayerError("its two inputs have no axis to sum over")
    out = (*broadcast([a.shape[:-2], b.shape[:-2]]), a.shape[-2], b.shape[-1])
    return Flow(w.op("matmul", [w.natural(a), w.natural(b)], out), out)


JOINS: dict[str, LayerRule] = {
    "Add": merge("add"),
    "Subtract": merge("sub"),
    "Multiply": merge("mul"),
    "Maximum": merge("maximum"),
    "Minimum": merge("minimum"),
    "Average": average,
    "CustomScaleLayer": scaled_sum,
    "Concatenate": lambda w: cat(w, w.inputs, w.settings.get("axis", -1)),
}

Evaluated = Callable[[LayerWriter, list[Any]], Flow]


def _arithmetic(word: str) -> Evaluated:
    """Return a function of tensors and plain numbers."""

    def rule(w: LayerWriter, args: list[Any]) -> Flow:
        flows = [arg for arg in args[:2] if isinstance(arg, Flow)]
        numbers = [arg for arg in args[:2] if isinstance(arg, int | float)]
        if not flows or len(flows) + len(numbers) != 2:
            raise LayerError(f"{shown(args[-1])} is no tensor and no number")
        if numbers:
            if word == "div" and not isinstance(args[0], Flow):
                return w.like(w.like(flows[0], "reciprocal"), "mul", other=numbers[0])
            turned = word == "sub" and not isinstance(args[0], Flow)
            return w.like(flows[0], word, other=numbers[0], **({"function": "rsub"} if turned else {}))
        return join(w, word, flows)

    return rule


def _each(word: str) -> Evaluated:
    return lambda w, args: w.like(args[0], word)


FUNCTIONS: dict[str, Evaluated] = {
    "add": _arithmetic("add"),
    "subtract": _arithmetic("sub"),
    "multiply": _arithmetic("mul"),
    "divide": _arithmetic("div"),
    "truediv": _arithmetic("div"),
    "maximum": _arithmetic("maximum"),
    "minimum": _arithmetic("minimum"),
    "matmul": lambda w, args: matmul(w, args[0], args[1]),
    "concat": lambda w, args: cat(w, args[0], args[1] if len(args) > 1 else -1),
    "concatenate": lambda w, args: cat(w, args[0], args[1] if len(args) > 1 else -1),
    **{
        name: _each(word)
        for word, names in {
            "relu": "relu",
            "relu6": "relu6",
            "sigmoid": "sigmoid",
            "tanh": "tanh",
            "silu": "silu swish",
            "neg": "negative",
            "abs": "absolute abs",
            "exp": "exp",
            "log": "log",
            "sqrt": "sqrt",
            "rsqrt": "rsqrt",
            "square": "square",
            "softplus": "softplus",
            "cast": "cast",
        }.items()
        for name in names.split()
    },
}
FUNCTIONS |= {"sub": FUNCTIONS["subtract"], "mul": FUNCTIONS["multiply"], "div": FUNCTIONS["divide"]}
_SPELLED = {"TrueDivide": "divide", "Silu": "silu"}


def function_of(cls: str, origin: str, config: Mapping[str, Any]) -> str:
    """Return the function that an entry stands for, '' for a layer.

    Keras 3 writes `keras.src.ops.numpy` beside `Add`; Keras 2 a TFOpLambda with the function's name.
    """
    if cls == "TFOpLambda":
        return str(config.get("function", "")).rpartition(".")[2]
    if ".ops." in origin:
        return _SPELLED.get(cls, cls.lower())
    return ""
