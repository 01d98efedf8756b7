"""Describe how files store the tensors of a network: in our layout or torch's, under which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np

from archcalc.errors import Diagnostic, UsageError, shown, suggestion
from archcalc.execution.model import Array
from archcalc.execution.weights import Dims, Slot, slots
from archcalc.graph.model import Graph, Node
from archcalc.operators import ATTENTION, RECURRENT
from archcalc.operators.shape import Shape
from archcalc.tuples import NamedTuple
from archcalc.units import printable


class Storage(NamedTuple):
    """A way to store a tensor: the ends of its names, their shapes, and the conversion to our layout.

    `torch` says whether it is torch's layout; None if both layouts are equal.
    """

    names: tuple[str, ...]
    shapes: tuple[Dims, ...]
    torch: bool | None
    convert: Callable[..., Array]


class TensorMatch(NamedTuple):
    """A tensor of the network, its names in a file, and the storage forms that fit the file."""

    slot: Slot
    names: tuple[str, ...]
    forms: list[Storage]


INWARD = ("query", "key", "value")
# names of attention weights in files: query, key and value in one tensor, or in one tensor each
_TOGETHER = ("in_proj_", "qkv.")
_ALONE = {
    "query": ("q_proj", "query", "q"),
    "key": ("k_proj", "key", "k"),
    "value": ("v_proj", "value", "v"),
    "output": ("out_proj", "proj", "o_proj", "dense", "o"),
}
_TORCH = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}


def stored_forms(graph: Graph) -> Iterator[tuple[Slot, list[Storage]]]:
    """Yield each tensor of the network with the forms in which files store it, ours first.

    torch has channels first, so a layer after `flatten` sees its inputs in another order.
    """
    wanted, orders = list(slots(graph)), _orders(graph)
    siblings: dict[int, dict[str, Slot]] = {}
    for slot in wanted:
        siblings.setdefault(slot.layer, {})[slot.name] = slot
    for slot in wanted:
        forms = _forms(slot, orders[slot.node.inputs[0]], siblings[slot.layer])
        if len(siblings[slot.layer]) == 1:  # the layer's name may be the whole name: `class_token`
            forms += [form._replace(names=("",)) for form in forms if len(form.names) == 1]
        yield slot, forms


def check_map(mapping: Mapping[str, str], wanted: Sequence[Slot]) -> None:
    """Check that a map names only layers with weights, or groups that contain such layers.

    Raises:
        UsageError: it names anything else.
    """
    known: dict[str, None] = {}
    for slot in wanted if mapping else ():
        parts = slot.node.path.split("/")
        known |= dict.fromkeys("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        known[str(slot)] = None
    for layer in mapping:
        if layer not in known:
            help = suggestion(layer, known) or "paths are those of `archcalc params --all`"
            message = f"the map names `{printable(shown(layer))}`, which is no layer with weights"
            raise UsageError(Diagnostic(message, help=help))


def named_forms(
    slot: Slot, forms: list[Storage], mapping: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], Storage]]:
    """Yield the forms of a tensor, each with its full names in a file.

    `mapping` has the file's name for a layer, for its group, or for `path.role`.
    """
    parts = slot.node.path.split("/")
    befores = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
    mapped = next((before for before in befores if before in mapping), None)
    prefixes = [slot.node.path, ".".join(parts)]
    if str(slot) in mapping:
        prefixes, forms = (
            [mapping[str(slot)]],
            [f._replace(names=("",)) for f in forms if not f.names[1:]],
        )
    elif mapped is not None:
        prefixes = [".".join([mapping[mapped], *parts[mapped.count("/") + 1 :]])]
    for prefix in prefixes:
        for form in forms:
            yield tuple(f"{prefix}.{end}" if end else prefix for end in form.names), form


def settle(
    matches: list[TensorMatch], torch: bool | None
) -> Iterator[tuple[Slot, tuple[str, ...], Storage | None]]:
    """Choose one form per tensor; if two fit, the layout of the rest of the file decides, else None.

    The layout of the file is that of shapes that fit only one layout; without such shapes the names
    decide: only ours have slashes between layers.
    """
    layouts = [{form.torch for form in match.forms} for match in matches]
    if torch is None:
        kinds = {kind.copy().pop() for kind in layouts if len(kind) == 1} - {None}
        if not kinds:
            kinds = {"/" not in names[0] for slot, names, _ in matches if "/" in slot.node.path}
        torch = kinds.pop() if len(kinds) == 1 else None
    for (slot, names, forms), layout in zip(matches, layouts, strict=True):
        fitting = [form for form in forms if form.torch == torch or len(layout) == 1]
        yield slot, names, fitting[0] if fitting else None


def _forms(slot: Slot, order: Array | None, siblings: Mapping[str, Slot]) -> list[Storage]:
    """Return the forms of a tensor; `order` has torch's index of each input channel, if they differ."""
    operator: Any = slot.node.operator
    ours = Storage((slot.name,), (slot.shape,), False, _same)
    kernel = operator.name in ("conv", "deconv", "deformconv", "linear")
    if operator.name in ATTENTION:
        return [ours, *_attention_forms(slot, siblings)]
    if operator.name in RECURRENT and slot.role == "weight":
        return [ours, Storage((slot.name,), (slot.shape[::-1],), True, lambda x: x.T)]
    if slot.name == "fixed":
        return [ours]
    if kernel and slot.name == "weight":
        if getattr(operator, "table", None) is not None:
            return [ours]
        forms = _deconv_forms(slot) if operator.name == "deconv" else _kernel_forms(slot, order)
        return [ours, *forms]
    theirs = _TORCH.get(slot.name, slot.name)
    if order is not None and not kernel and slot.shape[-1] == len(order):
        return [ours, Storage((theirs,), (slot.shape,), True, lambda x: x[order])]
    # shapes with axes of 1 around: a token or position for all images, a scale for all positions
    shapes = [slot.shape, (1, *slot.shape), (1, 1, *slot.shape), (*slot.shape, 1, 1)]
    ends = dict.fromkeys((theirs, slot.name))
    return [Storage((end,), (x,), None, lambda x: x.reshape(slot.shape)) for x in shapes for end in ends]


def _kernel_forms(slot: Slot, order: Array | None) -> list[Storage]:
    """Return the forms of a kernel: out × in × kernel; a linear layer may be stored as a 1×1 conv."""
    *taps, inside, outside = slot.shape

    def convert(x: Array) -> Array:
        kernel = x.reshape(outside, inside, *taps)
        kernel = kernel.transpose(*range(2, kernel.ndim), 1, 0)
        return kernel if order is None or len(order) != inside else np.take(kernel, order, axis=-2)

    shapes = [(outside, inside, *taps)]
    if set(taps) <= {1}:
        shapes += [(outside, inside) if taps else (outside, inside, 1, 1)]
    return [Storage(("weight",), (shape,), True, convert) for shape in shapes]


def _deconv_forms(slot: Slot) -> list[Storage]:
    """Return the forms of a transposed convolution's kernel: in × out/groups × kernel."""
    operator: Any = slot.node.operator
    *taps, inside, outside = slot.shape
    groups = operator.g

    def convert(x: Array) -> Array:
        kernel = x.reshape(groups, inside, outside // groups, *taps)
        return kernel.transpose(*range(3, kernel.ndim), 1, 0, 2).reshape(slot.shape)

    shape = (groups * inside, outside // groups, *taps)
    return [Storage(("weight",), (shape,), True, convert)]


def _attention_forms(slot: Slot, siblings: Mapping[str, Slot]) -> list[Storage]:
    """Return the forms of query, key and value: in one tensor (torch, torchvision's Swin), or each."""
    operator: Any = slot.node.operator
    if slot.role == "position":
        return [_table_form(slot)]
    part, _, role = slot.name.rpartition(".")
    inward = [siblings[f"{name}.{role}"] for name in INWARD]
    begin = sum(other.shape[-1] for other in inward[: INWARD.index(part)]) if part in INWARD else 0
    factor = sqrt(operator.heads / slot.shape[-1]) if part == "query" else 1

    def convert(x: Array) -> Array:
        own = factor * x[begin : begin + slot.shape[-1]] if len(x) != slot.shape[-1] else factor * x
        return own.swapaxes(0, -1)

    alone = slot.shape[::-1]
    names = [f"{name}.{role}" for name in _ALONE[part]]
    forms = [Storage((name,), (alone,), True, convert) for name in names]
    if part in INWARD and (role == "bias" or len({other.shape[0] for other in inward}) == 1):
        together = (sum(other.shape[-1] for other in inward), *alone[1:])
        forms += [Storage((f"{name}{role}",), (together,), True, convert) for name in _TOGETHER]
    return forms


def _table_form(slot: Slot) -> Storage:
    *places, heads = slot.shape
    names = ("relative_position_bias_table",)
    return Storage(names, ((prod(places), heads),), True, lambda x: x.reshape(slot.shape))


def _same(x: Array) -> Array:
    return x


def _orders(graph: Graph) -> list[Array | None]:
    """Return for each node torch's index of each output channel; None if the orders are equal."""
    orders: list[Array | None] = []
    for node in graph.nodes:
        shapes = graph.input_shapes(node)
        orders.append(_order(node, shapes, [orders[i] for i in node.inputs]))
    return orders


def _order(node: Node, shapes: tuple[Shape, ...], before: list[Array | None]) -> Array | None:
    name = node.operator.name
    if name == "flatten" and shapes[0].rank > 1 and int(shapes[0].positions) > 1:
        return np.arange(int(shapes[0].values)).reshape(int(shapes[0].channels), -1).T.reshape(-1)
    if node.operator.weight_layer or name == "rbf" or all(order is None for order in before):
        return None
    if name != "concat":
        return next(order for order in before if order is not None)
    parts, begin = [], 0
    for shape, order in zip(shapes, before, strict=True):
        parts.append((np.arange(int(shape.channels)) if order is None else order) + begin)
        begin += int(shape.channels)
    return np.concatenate(parts)
