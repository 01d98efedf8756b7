"""One ATen call as an operation of the vocabulary: its word, its tensors in order, its attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from archcalc.interop.torch.arguments import Arguments
from archcalc.interop.torch.words import kept, order_of, word_of
from archcalc.interop.trace import OPAQUE, Shape
from archcalc.tuples import NamedTuple

_PREFIX = "torch.ops."
_KNOWN = ("aten", "torchvision", "quantized_decomposed")  # namespaces whose names the table means
_QUANTIZED = {"quantize": "quantize", "dequantize": "dequantize"}
_ORDERED_BY_TWO = ("transpose", "swapaxes", "swapdims", "t", "mT", "numpy_T", "adjoint", "matrix_H")


class Call(NamedTuple):
    """A word with its inputs and attributes."""

    word: str
    inputs: tuple[str | None, ...]
    attributes: Mapping[str, Any]


_OF_CELL = ("w_ih", "w_hh", "b_ih", "b_hh")
Special = Callable[[str, str, Arguments, Mapping[str, Shape]], Call]


@lru_cache(1024)
def split_target(target: str) -> tuple[str, str, str]:
    """Split 'torch.ops.aten.add_.Tensor' → ('aten', 'add_', 'Tensor'); ('', …) for any other."""
    parts = target[len(_PREFIX) :].split(".") if target.startswith(_PREFIX) else []
    if len(parts) < 2:
        return "", target, ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def call(target: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Return the operation of a node; `shapes` are those of its tensors. Unknown ones are opaque."""
    namespace, name, overload = split_target(target)
    word = word_of(name) if namespace in _KNOWN else None
    if namespace == "quantized_decomposed":
        word = _QUANTIZED.get(name.partition("_")[0])
    if word is None or (overload.endswith("out") and "out" in given.tensors):
        return Call(OPAQUE, _all(given), {"name": target})
    special = _BY_NAME.get(name.removesuffix("_")) or _BY_WORD.get(word)
    if special is not None:
        found = special(word, name, given, shapes)
    else:
        found = Call(word, _ordered(word, given), kept(word, given.values))
    if word == name.removesuffix("_"):
        return found
    return found._replace(attributes={**found.attributes, "function": name.removesuffix("_")})


def _all(given: Arguments) -> tuple[str | None, ...]:
    return tuple(name for names in given.tensors.values() for name in names)


def _ordered(word: str, given: Arguments) -> tuple[str | None, ...]:
    order = order_of(word)
    if order is None:
        return _all(given)
    found: list[str | None] = []
    for names in order:
        tensors = [given.tensors[name] for name in names.split() if name in given.tensors]
        found += tensors[0] if tensors else [None]
    return tuple(found)


def _permute(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Return every reordering of axes as a permutation: attribute dims."""
    inputs = _all(given)
    rank = len(shapes[inputs[0] or ""])
    values = given.values
    order = list(range(rank))
    base = name.removesuffix("_")
    if base == "permute":
        order = [dim % rank for dim in values["dims"]]
    elif base in ("movedim", "moveaxis"):
        source, target = (_several(values[key]) for key in ("source", "destination"))
        order = [axis for axis in order if axis not in [dim % rank for dim in source]]
        for at, axis in sorted((t % rank, s % rank) for s, t in zip(source, target, strict=True)):
            order.insert(at, axis)
    elif base in _ORDERED_BY_TWO and rank > 1:
        pair = [values.get(f"dim{i}", values.get(f"axis{i}", i - 2)) % rank for i in (0, 1)]
        order[pair[0]], order[pair[1]] = order[pair[1]], order[pair[0]]
    return Call(word, inputs, {"dims": tuple(order)})


def _several(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


def _conv(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    if given.values.get("transposed"):
        word = "conv_transpose"
    return Call(word, _ordered(word, given), kept("conv", given.values))


def _extreme(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Read `max` or `min`: of two tensors it is another word than of one."""
    inputs = _all(given)
    if len(inputs) > 1:
        return Call("maximum" if name == "max" else "minimum", inputs, {})
    return Call(word, inputs, kept(word, given.values))


def _recurrent(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Inputs x, states, weights; attributes units (of all layers and directions) and states."""
    cell, states = name.endswith("_cell"), given.tensors["hx"]
    of_cell = [tensor for key in _OF_CELL for tensor in given.tensors.get(key, [])]
    params = of_cell if cell else given.tensors["params"]
    hidden = [shapes[names] for names in params if names is not None and len(shapes[names]) == 2]
    layers = given.values.get("num_layers", 1) * (2 if given.values.get("bidirectional") else 1)
    gates = {"lstm": 4, "gru": 3}.get(word, 1)
    units = layers * (hidden[0][0] // gates)
    attributes = {
        "units": units,
        "states": len(states),
        "batch_first": cell or bool(given.values.get("batch_first")),
    }
    return Call(word, (*given.tensors["input"], *states, *params), attributes)


def _power(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    exponent = given.values.get("exponent")
    return Call(word, _all(given), {} if exponent is None else {"exponent": exponent})


def _divide(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    rounded = given.values.get("rounding_mode") is not None
    attributes = {"other": given.values["other"]} if "other" in given.values else {}
    return Call("floor_divide" if rounded else word, _all(given), attributes)


def _copy(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Read `copy`, in place or not: it replaces all values that it writes into."""
    return Call("expand", tuple(given.tensors["src"]), {})


def _index_select(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Read an index along an axis: x[:, ids] for dim 1."""
    x, ids = given.tensors["self"], given.tensors["index"]
    before = given.values["dim"] % max(len(shapes[x[0] or ""]), 1)
    return Call(word, (*x, *[None] * before, *ids), {})


def _strided(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    """Read `as_strided`: with the tensor's own size, it only changes the order in memory."""
    inputs = _all(given)
    same = given.values.get("size") == shapes[inputs[0] or ""]
    return Call("copy" if same else word, inputs, {})


def _bounds(word: str, name: str, given: Arguments, shapes: Mapping[str, Shape]) -> Call:
    attributes: dict[str, Any] = {
        key: given.values[key] for key in ("min", "max") if key in given.values
    }
    return Call(word, _all(given), attributes)


_BY_NAME: dict[str, Special] = {
    "convolution": _conv,
    "_convolution": _conv,
    "max": _extreme,
    "min": _extreme,
    "copy": _copy,
    "index_select": _index_select,
    "as_strided": _strided,
}
_BY_WORD: dict[str, Special] = {
    "permute": _permute,
    "pow": _power,
    "div": _divide,
    "clamp": _bounds,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
}
