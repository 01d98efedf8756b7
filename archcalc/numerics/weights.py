"""The tensors that a network wants, seeded values for them, and the layouts in which files store them.

Seeded weights depend on the seed and the layer's path, and on nothing else: a layer keeps them whatever
is added around it, and float64 gets the very numbers of float32.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from heapq import heapify, heappop, heappush
from math import prod, sqrt
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from archcalc.errors import Diagnostic, UsageError, listed, shown, suggestion
from archcalc.graph.model import Graph, Node
from archcalc.numerics.reference import Array, Weights
from archcalc.operators.model import Shape, Tokens
from archcalc.units import binary, grouped, printable

INITS = ("he", "xavier", "normal", "zeros", "zero-residual")
Precision = Literal["float32", "float64"]
Dims: TypeAlias = tuple[int, ...]
ATTENTION = ("attention", "windowattention")

NORMAL = 0.01  # standard deviation of `normal`
EMBEDDING = 0.02  # of tokens, positions and relative places, as ViT and Swin have it
_BLOCK = 1 << 20  # values drawn at a time
_CONSTANT = {"bias": 0, "shift": 0, "mean": 0, "variance": 1, "scale": 1}


class Slot(NamedTuple):
    """A tensor that a layer wants, under its role. `layer` is the index of the layer's node."""

    layer: int
    node: Node
    name: str
    shape: Dims

    def __str__(self) -> str:
        return f"{self.node.path}.{self.name}"


def slots(graph: Graph) -> Iterator[Slot]:
    """Every tensor that the network wants, layer by layer."""
    for index, node in enumerate(graph.nodes):
        for role, shape in node.operator.weights(*graph.input_shapes(node)):
            yield Slot(index, node, role, tuple(int(size) for size in shape))


def make(
    graph: Graph, init: str = "he", seed: int = 0, dtype: Precision = "float32"
) -> dict[str, Weights]:
    """Seeded weights: layer path → role → array of the declared shape, for layers that have any.

    he: normal with variance 2 / fan-in (He et al. 2015); xavier: normal with variance
    2 / (fan-in + fan-out) (Glorot & Bengio 2010); normal: standard deviation 0.01; zeros;
    zero-residual: he, but `residual_ends` are zero. Fan-in is the number of products that an output
    sums up. Biases, shifts and means are 0, scales and variances 1, fixed patterns ±1, learned tokens
    and positions normal with 0.02. Queries carry the factor 1/√(channels/heads).

    Raises:
        UsageError: no such init, a seed below 0, more weights than memory.
    """
    if init not in INITS:
        help = suggestion(init, INITS) or f"one of: {listed(INITS)}"
        raise UsageError(Diagnostic(f"unknown init `{printable(init)}`", help=help))
    if seed < 0:
        raise UsageError(Diagnostic(f"a seed of {seed}", help="a seed is an integer of 0 or more"))
    require_memory(graph, dtype)
    zero = residual_ends(graph) if init == "zero-residual" else frozenset()
    weights: dict[str, Weights] = {}
    try:
        for slot in slots(graph):
            silent = slot.layer in zero and slot.name != "variance"
            values = np.zeros(slot.shape, dtype) if silent else _values(slot, init, seed, dtype)
            weights.setdefault(slot.node.path, {})[slot.name] = values
    except MemoryError:
        weights.clear()
        raise UsageError(_too_much(graph, dtype)) from None
    return weights


def require_memory(graph: Graph, dtype: Precision) -> None:
    """Refuse weights that this machine cannot hold.

    Raises:
        UsageError: they take more than there is of physical memory.
    """
    if hasattr(os, "sysconf"):  # not on Windows
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if sum(prod(slot.shape) for slot in slots(graph)) * np.dtype(dtype).itemsize > memory:
            raise UsageError(_too_much(graph, dtype))


def _too_much(graph: Graph, dtype: Precision) -> Diagnostic:
    values = sum(prod(slot.shape) for slot in slots(graph))
    size = binary(values * np.dtype(dtype).itemsize)
    message = f"the weights take {size} of memory, more than there is"
    return Diagnostic(message, help=f"{grouped(values)} values of {dtype}")


def _values(slot: Slot, init: str, seed: int, dtype: Precision) -> Array:
    operator: Any = slot.node.operator
    if slot.name in _CONSTANT:
        return np.full(slot.shape, _CONSTANT[slot.name], dtype)
    if slot.name == "fixed":
        signs = _generator(seed, slot, 0).integers(0, 2, slot.shape, np.int8)
        return (2 * signs - 1).astype(dtype)
    if init == "zeros":
        return np.zeros(slot.shape, dtype)
    if operator.name == "scale":
        return np.ones(slot.shape, dtype)
    values = _normal(slot, seed, _deviation(slot, init))
    if operator.name in ATTENTION and slot.name == "weight":
        values[0] *= np.float32(sqrt(operator.heads / slot.shape[-1]))
    return values.astype(dtype, copy=False)


def _generator(seed: int, slot: Slot, block: int) -> np.random.Generator:
    """The stream of one block of a tensor; SFC64 is the fastest that numpy has."""
    digest = hashlib.sha256(str(slot).encode()).digest()
    return np.random.Generator(np.random.SFC64([seed, int.from_bytes(digest, "little"), block]))


def _normal(slot: Slot, seed: int, deviation: float) -> Array:
    """Blocks have streams of their own, so that all cores draw and the values do not depend on them."""
    values = np.empty(slot.shape, np.float32)
    flat = values.reshape(-1)

    def draw(begin: int) -> None:
        block = flat[begin : begin + _BLOCK]
        _generator(seed, slot, begin // _BLOCK).standard_normal(dtype=np.float32, out=block)
        block *= np.float32(deviation)

    if flat.size <= _BLOCK:
        draw(0)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(draw, range(0, flat.size, _BLOCK)))
    return values


def _deviation(slot: Slot, init: str) -> float:
    if init == "normal":
        return NORMAL
    if slot.name == "position" or slot.node.operator.name == "classtoken":
        return EMBEDDING
    fan_in, fan_out = _fans(slot)
    return sqrt(2 / (fan_in + fan_out) if init == "xavier" else 2 / fan_in)


def _fans(slot: Slot) -> tuple[float, float]:
    """How many products an output sums up, and how many an input takes part in (at stride 1)."""
    operator: Any = slot.node.operator
    if operator.name in ATTENTION:
        return slot.shape[-2], slot.shape[-1]
    if operator.name == "conv" and operator.table is not None:
        sources = {channel for row in operator.table for channel in row}
        links = prod(slot.shape)
        return links / operator.filters, links / len(sources)
    taps, groups = prod(slot.shape[:-2]), getattr(operator, "g", 1)
    fan_in, fan_out = taps * slot.shape[-2], taps * slot.shape[-1] / groups
    if operator.name == "deconv":  # a window of the output is reached by one input in s·s
        return fan_in / prod(operator.s), fan_out
    return fan_in, fan_out


# ---- what `zero-residual` silences


def residual_ends(graph: Graph) -> frozenset[int]:
    """The layers that make every residual branch zero if their scale or weight is zero.

    Of the branches that end in an `add`, the one with the fewest weight layers is the shortcut, which
    stays (the last of equal ones: what arrives comes first). In each other one it is the last norm with
    a scale, or else the last weight layer, of those that all of the branch passes through.
    """
    ends: set[int] = set()
    for node in graph.nodes:
        if node.operator.name != "add":
            continue
        branches = _branches(graph, node.inputs)
        depths = [sum(bool(graph.nodes[i].operator.weight_layer) for i in b.nodes) for b in branches]
        shortcut = max(i for i, depth in enumerate(depths) if depth == min(depths))
        for number, branch in enumerate(branches):
            end = _end(graph, branch) if number != shortcut else None
            ends |= set() if end is None else {end}
    return frozenset(ends)


class _Branch(NamedTuple):
    """One way into a join: the nodes that only it needs, and those that all of it passes through."""

    nodes: list[int]
    passed: list[int]  # last first


def _branches(graph: Graph, inputs: tuple[int, ...]) -> list[_Branch]:
    """Walk back from all inputs of a join at once, as long as there are nodes that only one needs."""
    needed: dict[int, int] = {}  # node → bits of the inputs that need it
    for bit, index in enumerate(inputs):
        needed[index] = needed.get(index, 0) | 1 << bit
    queue = [-index for index in needed]
    heapify(queue)
    branches = [_Branch([], []) for _ in inputs]
    alone = sum(_single(bits) for bits in needed.values())
    while alone:
        index = -heappop(queue)
        bits = needed.pop(index)
        if _single(bits):
            alone -= 1
            branch = branches[bits.bit_length() - 1]
            branch.nodes.append(index)
            if not any(other & bits for other in needed.values()):  # no way around it
                branch.passed.append(index)
        for source in set(graph.nodes[index].inputs):
            before = needed.get(source, 0)
            if not before:
                heappush(queue, -source)
            needed[source] = before | bits
            alone += _single(before | bits) - _single(before)
    return branches


def _single(bits: int) -> bool:
    return bits.bit_count() == 1


def _end(graph: Graph, branch: _Branch) -> int | None:
    """The layer to silence, or None if nothing in the branch can be."""
    for index in branch.passed:
        node = graph.nodes[index]
        if any(w.role == "scale" for w in node.operator.weights(*graph.input_shapes(node))):
            return index
    return next((i for i in branch.passed if graph.nodes[i].operator.weight_layer), None)


# ---- how files store them


class Form(NamedTuple):
    """A way to store a tensor: the ends of its names, the shapes under them, and how they become ours.

    `torch`: whether it is torch's layout; None where both are the same.
    """

    names: tuple[str, ...]
    shapes: tuple[Dims, ...]
    torch: bool | None
    convert: Callable[..., Array]


class Match(NamedTuple):
    """A tensor that the network wants, its names in a file, and the forms that fit what is there."""

    slot: Slot
    names: tuple[str, ...]
    forms: list[Form]


_TORCH = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}


def stored_forms(graph: Graph) -> Iterator[tuple[Slot, list[Form]]]:
    """Every tensor that the network wants, with the ways in which files have it, ours first.

    Torch has channels first, so that what follows a `flatten` sees the values in another order.
    """
    wanted, orders = list(slots(graph)), _orders(graph)
    counts: dict[int, int] = {}
    for slot in wanted:
        counts[slot.layer] = counts.get(slot.layer, 0) + 1
    for slot in wanted:
        forms = _forms(slot, orders[slot.node.inputs[0]])
        if counts[slot.layer] == 1:  # then the layer's name may be all there is: torch's `class_token`
            forms += [form._replace(names=("",)) for form in forms if len(form.names) == 1]
        yield slot, forms


def check_map(mapping: Mapping[str, str], wanted: Sequence[Slot]) -> None:
    """Raises:
    UsageError: the map names what is no layer with weights, nor has any in it.
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
    slot: Slot, forms: list[Form], mapping: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], Form]]:
    """The forms of a tensor, each with the full names that it would have in a file.

    `mapping`: the file's name for a layer, for what it is in, or for `path.role`.
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
    matches: list[Match], torch: bool | None
) -> Iterator[tuple[Slot, tuple[str, ...], Form | None]]:
    """One form for each tensor: where two fit, that of the layout of the rest of the file, or None.

    Shapes that fit only one layout tell it, and else the names: slashes between layers are ours.
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


def _forms(slot: Slot, order: Array | None) -> list[Form]:
    """`order`: torch's place of each channel that arrives, if it has another."""
    operator: Any = slot.node.operator
    ours = Form((slot.name,), (slot.shape,), False, _same)
    kernel = operator.name in ("conv", "deconv", "linear")
    if operator.name in ATTENTION:
        return [ours, *_attention_forms(slot)]
    if slot.name == "fixed":
        return [ours]
    if kernel and slot.name == "weight":
        if getattr(operator, "table", None) is not None:
            return [ours]
        forms = _deconv_forms(slot) if operator.name == "deconv" else _kernel_forms(slot, order)
        return [ours, *forms]
    theirs = _TORCH.get(slot.name, slot.name)
    if order is not None and not kernel:
        return [ours, Form((theirs,), (slot.shape,), True, lambda x: x[order])]
    # one token or position for all images; a scale for all places
    shapes = [slot.shape, (1, *slot.shape), (1, 1, *slot.shape), (*slot.shape, 1, 1)]
    ends = dict.fromkeys((theirs, slot.name))
    return [Form((end,), (x,), None, lambda x: x.reshape(slot.shape)) for x in shapes for end in ends]


def _kernel_forms(slot: Slot, order: Array | None) -> list[Form]:
    """out × in × height × width; what is linear here may be a 1×1 convolution there, and vice versa."""
    *taps, inside, outside = slot.shape

    def convert(x: Array) -> Array:
        kernel = x.reshape(outside, inside, *taps)
        kernel = kernel.transpose(*range(2, kernel.ndim), 1, 0)
        return kernel if order is None or len(order) != inside else np.take(kernel, order, axis=-2)

    shapes = [(outside, inside, *taps)]
    if set(taps) <= {1}:
        shapes += [(outside, inside) if taps else (outside, inside, 1, 1)]
    return [Form(("weight",), (shape,), True, convert) for shape in shapes]


def _deconv_forms(slot: Slot) -> list[Form]:
    """in × out/groups × height × width."""
    operator: Any = slot.node.operator
    height, width, inside, outside = slot.shape
    groups = operator.g

    def convert(x: Array) -> Array:
        kernel = x.reshape(groups, inside, outside // groups, height, width)
        return kernel.transpose(3, 4, 1, 0, 2).reshape(slot.shape)

    shape = (groups * inside, outside // groups, height, width)
    return [Form(("weight",), (shape,), True, convert)]


def _attention_forms(slot: Slot) -> list[Form]:
    """Query, key and value in one, and the output: torch's MultiheadAttention, torchvision's Swin."""
    operator: Any = slot.node.operator
    if slot.name == "position":
        places, _, heads = slot.shape
        names = ("relative_position_bias_table",)
        return [Form(names, ((places * places, heads),), True, lambda x: x.reshape(slot.shape))]
    channels = slot.shape[-1]

    def convert(inward: Array, output: Array) -> Array:
        parts = np.concatenate([inward, output]).reshape(slot.shape)
        parts[0] *= sqrt(operator.heads / channels)
        return parts.swapaxes(-1, -2) if slot.name == "weight" else parts

    shapes = ((3 * channels, *slot.shape[2:]), (channels, *slot.shape[2:]))
    pairs = (("in_proj_", "out_proj."), ("qkv.", "proj."))
    return [Form((a + slot.name, b + slot.name), shapes, True, convert) for a, b in pairs]


def _same(x: Array) -> Array:
    return x


def _orders(graph: Graph) -> list[Array | None]:
    """For each node, torch's place of each channel of its output; None where it is the same."""
    orders: list[Array | None] = []
    for node in graph.nodes:
        shapes = graph.input_shapes(node)
        orders.append(_order(node, shapes, [orders[i] for i in node.inputs]))
    return orders


def _order(node: Node, shapes: tuple[Shape, ...], before: list[Array | None]) -> Array | None:
    name = node.operator.name
    if name == "flatten" and not isinstance(shapes[0], Tokens) and int(shapes[0].positions) > 1:
        height, width, channels = map(int, shapes[0])
        return np.arange(channels * height * width).reshape(channels, -1).T.reshape(-1)
    if node.operator.weight_layer or name == "rbf" or all(order is None for order in before):
        return None
    if name != "concat":
        return next(order for order in before if order is not None)
    parts, begin = [], 0
    for shape, order in zip(shapes, before, strict=True):
        parts.append((np.arange(int(shape.channels)) if order is None else order) + begin)
        begin += int(shape.channels)
    return np.concatenate(parts)
