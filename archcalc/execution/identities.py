"""Prove architectural identities by executing both sides.

The weights of one side are made from those of the other, as the identity says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from archcalc.execution.model import Array
from archcalc.execution.sides import Sides, counted_products, image, network, run, seeded, seen_pixels
from archcalc.tuples import NamedTuple

EPSILON = 1e-3  # of every batch norm here; Inception v3 has it
TOLERANCE = 1e-12  # of the largest value, between two ways to sum up in float64


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
    """Compare the means and variances behind a norm of its own input with 0 and σ²/(σ²+ε)."""
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


def _views(left: str, right: str, side: int) -> Callable[[], Sides]:
    def execute() -> Sides:
        values, others = seen_pixels(left, side), seen_pixels(right, side)
        return Sides(_pixels(left, values), _pixels(right, others), values, others)

    return execute


def _pixels(layers: str, seen: Array) -> str:
    return f"{layers}: {int(seen.sum())} pixels"


# ---- how many multiplies, by doing them


def _counted(input: str, layers: str, *sums: tuple[int, ...]) -> Callable[[], Sides]:
    def execute() -> Sides:
        products, exact = counted_products(input, layers), sum(prod(factors) for factors in sums)
        formula = " + ".join("·".join(map(str, factors)) for factors in sums)
        return Sides(f"{products:,} counted", formula, np.array([products]), np.array([exact]))

    return execute


def _ratio(left: str, right: str, part: int, whole: int) -> Callable[[], Sides]:
    def execute() -> Sides:
        one, other = (counted_products("28x28x16", layers) for layers in (left, right))
        texts = f"{one:,} counted", f"{part}/{whole} of {other:,} counted"
        return Sides(*texts, np.array([whole * one]), np.array([part * other]))

    return execute


IDENTITIES: dict[str, Callable[[], Sides]] = {
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


class Identity(NamedTuple):
    """A claim, the execution of both sides, and their difference."""

    claim: str
    left: str
    right: str
    largest: float  # absolute value on the right
    difference: float  # the largest between both sides

    @property
    def holds(self) -> bool:
        return self.difference <= TOLERANCE * self.largest


def identities() -> Iterator[Identity]:
    """Yield every identity as it is proven."""
    for claim, execute in IDENTITIES.items():
        left, right, values, others = execute()
        same = values.shape == others.shape
        difference = float(np.max(np.abs(values - others))) if same else np.inf
        yield Identity(claim, left, right, float(np.max(np.abs(others))), difference)
