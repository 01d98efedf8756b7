"""The claims that `identities` proves, each as two sides to execute.

A side is a small network in the language of the specs, run by the forward pass in float64 on seeded
values; the weights of one side are made from those of the other, as the claim says.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple
from zlib import crc32

import numpy as np

from archcalc.execution.counted import loops
from archcalc.execution.forward import Forward
from archcalc.execution.reference import Array, Weights
from archcalc.execution.weights import make, slots
from archcalc.graph.build import build
from archcalc.graph.model import Graph
from archcalc.spec.model import Source
from archcalc.spec.read import read

EPSILON = 1e-3  # of every batch norm here; Inception v3 has it


class Sides(NamedTuple):
    """What was executed, and what came out."""

    left: str
    right: str
    values: Array
    others: Array


# ---- running a side


def network(input: str, layers: str, *blocks: str) -> Graph:
    """A network of one line, with blocks in TOML."""
    text = "\n".join([f'input = "{input}"', f'layers = "{layers}"', *blocks])
    spec = read(Source("identity", text))
    return build(spec, {})


def run(graph: Graph, weights: dict[str, Weights], x: Array) -> Array:
    """The output for images × height × width × channels, in float64.

    Each layer by itself, as somebody watches: chains that run as one would fold the batch norm.
    """
    forward = Forward(graph, weights, len(x), np.float64)
    return forward.run(x, lambda index, value: None)["output"].copy()


def seeded(graph: Graph) -> dict[str, Weights]:
    """Values for every tensor, biases and statistics as well; a variance is positive."""
    weights: dict[str, Weights] = {}
    for slot in slots(graph):
        values = _random(str(slot), *slot.shape)
        kept = np.abs(values) + 0.5 if slot.name in ("variance", "fixed") else values
        weights.setdefault(slot.node.path, {})[slot.name] = kept
    return weights


def image(graph: Graph, batch: int = 1) -> Array:
    """Seeded input."""
    return _random("image", batch, *map(int, graph.input))


def _random(name: str, *shape: int) -> Array:
    return np.random.default_rng(crc32(name.encode())).standard_normal(shape)


# ---- layers that are others


def _dense_over_a_map() -> Sides:
    left, right = network("5x5x16", "flatten | linear 120"), network("5x5x16", "conv 120 k5")
    weights, x = seeded(left), image(left)
    linear = weights["linear"]
    as_kernel = {"weight": linear["weight"].reshape(5, 5, 16, 120), "bias": linear["bias"]}
    values, others = run(left, weights, x), run(right, {"conv": as_kernel}, x)
    return Sides("5×5×16: flatten | linear 120", "conv 120 k5", values, others)


def _dense_over_a_vector() -> Sides:
    left, right = network("1x1x120", "linear 84"), network("1x1x120", "conv 84")
    weights, x = seeded(left), image(left)
    linear = weights["linear"]
    as_kernel = {"weight": linear["weight"][None, None], "bias": linear["bias"]}
    values, others = run(left, weights, x), run(right, {"conv": as_kernel}, x)
    return Sides("120: linear 84", "conv 84", values, others)


def _pointwise_as_dot_products() -> Sides:
    left, right = network("6x6x32", "conv 5"), network("1x1x32", "linear 5")
    weights, x = seeded(left), image(left)
    conv = weights["conv"]
    dense = {"linear": {"weight": conv["weight"][0, 0], "bias": conv["bias"]}}
    positions = run(right, dense, x.reshape(36, 1, 1, 32))
    return Sides("6×6×32: conv 5", "36 × linear 5", run(left, weights, x), positions.reshape(1, 6, 6, 5))


def _pointwise_of_one_channel() -> Sides:
    graph = network("6x6x1", "conv 1 nobias")
    weights, x = seeded(graph), image(graph)
    factor = float(weights["conv"]["weight"].item())
    return Sides("6×6×1: conv 1 nobias", "a number × input", run(graph, weights, x), factor * x)


def _pointwise_twice() -> Sides:
    left = network("6x6x32", "conv 16 nobias | conv 8 nobias")
    right = network("6x6x32", "conv 8 nobias")
    weights, x = seeded(left), image(left)
    product = weights["conv"]["weight"][0, 0] @ weights["conv2"]["weight"][0, 0]
    others = run(right, {"conv": {"weight": product[None, None]}}, x)
    return Sides("conv 16 | conv 8", "conv 8", run(left, weights, x), others)


def _two_towers() -> Sides:
    towers = "\n".join(
        f'concat.{name} = "slice 4 from={start} | conv 6 k3"' for name, start in (("a", 0), ("b", 4))
    )
    left = network("7x7x8", "conv 12 k3 g2")
    right = network("7x7x8", "towers", f"[block.towers]\n{towers}")
    weights, x = seeded(left), image(left)
    conv, halves = weights["conv"], {"a": slice(0, 6), "b": slice(6, 12)}
    split = {
        f"towers/{name}/conv": {role: values[..., half] for role, values in conv.items()}
        for name, half in halves.items()
    }
    return Sides("conv 12 k3 g2", "two conv 6 k3", run(left, weights, x), run(right, split, x))


def _side_by_side() -> Sides:
    branches = '[block.module]\nconcat.a = "conv 3"\nconcat.b = "conv 5"'
    left, right = network("7x7x8", "module", branches), network("7x7x8", "conv 8")
    weights, x = seeded(left), image(left)
    a, b = weights["module/a/conv"], weights["module/b/conv"]
    joined = {role: np.concatenate([a[role], b[role]], axis=-1) for role in a}
    values, others = run(left, weights, x), run(right, {"conv": joined}, x)
    return Sides("concat: conv 3, conv 5", "conv 8", values, others)


def _factorized() -> Sides:
    left = network("9x9x1", "conv 1 k1x7 nobias | conv 1 k7x1 nobias")
    right = network("9x9x1", "conv 1 k7 nobias")
    weights, x = seeded(left), image(left)
    kernel = weights["conv"]["weight"] * weights["conv2"]["weight"]  # 1×7 and 7×1: the outer product
    others = run(right, {"conv": {"weight": kernel}}, x)
    return Sides("conv k1x7 | conv k7x1", "conv k7", run(left, weights, x), others)


# ---- normalization


def _norm_undone() -> Sides:
    graph = network("7x7x8", f"bn eps={{{EPSILON}}}")
    weights, x = seeded(graph), image(graph)
    norm = weights["bn"]
    norm |= {"scale": np.sqrt(norm["variance"] + EPSILON), "shift": norm["mean"]}
    return Sides("bn with γ = √(σ²+ε), β = μ", "its input", run(graph, weights, x), x)


def _norm_of_its_own_input() -> Sides:
    """Means are 0; the variance is short of 1 by ε's share."""
    graph = network("32x32x8", f"bn eps={{{EPSILON}}}")
    x = 3 * image(graph, 4) + 5
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    norm = {"mean": mean, "variance": variance, "scale": np.ones(8), "shift": np.zeros(8)}
    y = run(graph, {"bn": norm}, x)
    values = np.stack([y.mean((0, 1, 2)), y.var((0, 1, 2))])
    others = np.stack([np.zeros(8), variance / (variance + EPSILON)])
    return Sides("mean, variance behind bn", "0, σ²/(σ²+ε)", values, others)


def _norm_folded() -> Sides:
    left, right = network("7x7x8", f"conv 12 k3 | bn eps={{{EPSILON}}}"), network("7x7x8", "conv 12 k3")
    weights, x = seeded(left), image(left)
    conv, norm = weights["conv"], weights["bn"]
    factor = norm["scale"] / np.sqrt(norm["variance"] + EPSILON)
    bias = (conv["bias"] - norm["mean"]) * factor + norm["shift"]
    others = run(right, {"conv": {"weight": conv["weight"] * factor, "bias": bias}}, x)
    return Sides("conv 12 k3 | bn", "conv 12 k3", run(left, weights, x), others)


# ---- shortcuts


UNIT = (
    '[block.unit]\nadd.main = "conv 16 k3 half | relu | conv 16 k3 half"\nadd.in = "@in"\nthen = "relu"'
)


def _silent_residual() -> Sides:
    """W and b of the second conv are zero: a[l+2] = g(0 + a[l]), and a[l] is not negative."""
    graph = network("7x7x16", "unit", UNIT)
    weights, x = seeded(graph), np.abs(image(graph))
    silent = {role: np.zeros_like(w) for role, w in weights["unit/main/conv2"].items()}
    values = run(graph, {**weights, "unit/main/conv2": silent}, x)
    return Sides("residual block, W = b = 0", "its input", values, x)


def _zero_padded_shortcut() -> Sides:
    left, right = network("7x7x8", "padchannels 16"), network("7x7x8", "conv 16 nobias")
    x = image(left)
    fixed = {"conv": {"weight": np.eye(8, 16)[None, None]}}
    return Sides("padchannels 16", "conv 16, W = [I 0]", run(left, {}, x), run(right, fixed, x))


# ---- global average pooling


def _mean_as_dot() -> Sides:
    left, right = network("7x7x16", "gap"), network("7x7x16", "flatten | linear 16 nobias")
    x = image(left)
    each = np.broadcast_to(np.eye(16) / 49, (49, 16, 16)).reshape(49 * 16, 16)
    others = run(right, {"linear": {"weight": each}}, x)
    return Sides("7×7×16: gap", "dot with 1/49", run(left, {}, x), others)


def _class_maps() -> Sides:
    left, right = network("7x7x16", "gap | linear 10"), network("7x7x16", "conv 10 | gap")
    weights, x = seeded(left), image(left)
    linear = weights["linear"]
    maps = {"conv": {"weight": linear["weight"][None, None], "bias": linear["bias"]}}
    return Sides("gap | linear 10", "conv 10 | gap", run(left, weights, x), run(right, maps, x))


# ---- what an output sees


def _seen(layers: str, side: int) -> Array:
    """Which pixels of a side × side input change the output in the middle, if each is changed alone."""
    graph = network(f"{side}x{side}x1", layers)
    weights = {path: {k: np.abs(w) for k, w in own.items()} for path, own in seeded(graph).items()}
    x = np.abs(image(graph))
    changed = x + np.eye(side * side).reshape(-1, side, side, 1)
    middle = [size // 2 for size in graph.nodes[graph.output].shape[:2]]
    before, after = (run(graph, weights, each)[:, middle[0], middle[1], 0] for each in (x, changed))
    return (after != before).reshape(side, side).astype(np.float64)


def _views(left: str, right: str, side: int) -> Callable[[], Sides]:
    def execute() -> Sides:
        values, others = _seen(left, side), _seen(right, side)
        return Sides(_pixels(left, values), _pixels(right, others), values, others)

    return execute


def _pixels(layers: str, seen: Array) -> str:
    return f"{layers}: {int(seen.sum())} pixels"


# ---- how many multiplies, by doing them


def _products(input: str, layers: str) -> int:
    """The products that the loops count on their way through a chain of convolutions."""
    graph, products = network(input, layers), 0
    weights, x = make(graph), image(graph).astype(np.float32)
    for node in graph.nodes[1:]:
        done = loops.run(node.operator, [x], weights[node.path])
        x, products = done.output, products + done.counts["products"]
    return products


def _counted(input: str, layers: str, *sums: tuple[int, ...]) -> Callable[[], Sides]:
    def execute() -> Sides:
        products, exact = _products(input, layers), sum(prod(factors) for factors in sums)
        formula = " + ".join("·".join(map(str, factors)) for factors in sums)
        return Sides(f"{products:,} counted", formula, np.array([products]), np.array([exact]))

    return execute


def _ratio(left: str, right: str, part: int, whole: int) -> Callable[[], Sides]:
    def execute() -> Sides:
        one, other = (_products("28x28x16", layers) for layers in (left, right))
        texts = f"{one:,} counted", f"{part}/{whole} of {other:,} counted"
        return Sides(*texts, np.array([whole * one]), np.array([part * other]))

    return execute


CLAIMS: dict[str, Callable[[], Sides]] = {
    "a dense layer is a convolution over its whole input": _dense_over_a_map,
    "a dense layer on a vector is a 1×1 convolution": _dense_over_a_vector,
    "a 1×1 convolution is a dot product at each position": _pointwise_as_dot_products,
    "a 1×1 convolution of one channel multiplies by a number": _pointwise_of_one_channel,
    "two 1×1 convolutions without a nonlinearity are one": _pointwise_twice,
    "two groups are two towers side by side": _two_towers,
    "convolutions side by side, concatenated, are one": _side_by_side,
    "1×7, then 7×1, is a 7×7 of their outer product": _factorized,
    "batch norm makes mean 0 and variance 1": _norm_of_its_own_input,
    "batch norm with γ = √(σ²+ε), β = μ is the identity": _norm_undone,
    "batch norm folds into the convolution before it": _norm_folded,
    "a residual block with zero weights is the identity": _silent_residual,
    "a shortcut padded with zeros is a fixed matrix": _zero_padded_shortcut,
    "global average pooling is a dot product with 1/positions": _mean_as_dot,
    "a class score is the mean of its class map": _class_maps,
    "two 3×3 see what a 5×5 sees": _views("conv 1 k3 | conv 1 k3", "conv 1 k5", 9),
    "three 3×3 see what a 7×7 sees": _views("conv 1 k3 | conv 1 k3 | conv 1 k3", "conv 1 k7", 11),
    "a 1×1 convolution sees nothing more": _views("conv 4 k3 | conv 1", "conv 1 k3", 7),
    "a 5×5 on 28×28×192 takes 120,422,400 multiplies": _counted(
        "28x28x192", "conv 32 k5 half", (28, 28, 32, 5, 5, 192)
    ),
    "a 1×1 bottleneck of 16 leaves 12,443,648 of them": _counted(
        "28x28x192", "conv 16 | conv 32 k5 half", (28, 28, 16, 192), (28, 28, 32, 5, 5, 16)
    ),
    "two 3×3 take 18/25 of the multiplies of a 5×5": _ratio(
        "conv 16 k3 half | conv 16 k3 half", "conv 16 k5 half", 18, 25
    ),
    "three 3×3 take 27/49 of the multiplies of a 7×7": _ratio(
        "conv 16 k3 half | conv 16 k3 half | conv 16 k3 half", "conv 16 k7 half", 27, 49
    ),
    "a 5×5 takes 25/9 of the multiplies of a 3×3": _ratio("conv 16 k5 half", "conv 16 k3 half", 25, 9),
}
