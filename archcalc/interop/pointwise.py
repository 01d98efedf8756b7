"""Count what works value by value, along a line of values, or over a window, without weight products.

The formulas are those of the census: an activation as it is evaluated, a mean of n values as n − 1
additions and a multiply, a norm as its textbook formula.
"""

from __future__ import annotations

from math import prod

from archcalc.interop.counts import NONE, Counts, Rule, ShapedOperation
from archcalc.interop.trace import Shape


def each(**steps: int) -> Rule:
    """Return a rule that does these steps once for each value of the output."""
    step = Counts(**steps)
    return lambda op: step.times(op.values)


def free(op: ShapedOperation) -> Counts:
    """Moves values, and computes none."""
    return NONE


def joined(kind: str) -> Rule:
    """One step a value and further input; an input that is a plain number counts like a tensor."""

    def rule(op: ShapedOperation) -> Counts:
        return Counts(**{kind: op.values * max(len(op.inputs) - 1, 1)})

    return rule


def power(op: ShapedOperation) -> Counts:
    """Attribute exponent: 2 and 3 are multiplies, 1/2 a root, −1 a division; else a power a value."""
    steps: dict[object, Counts] = {
        0: NONE,
        1: NONE,
        2: Counts(multiplies=1),
        3: Counts(multiplies=2),
        0.5: Counts(roots=1),
        -0.5: Counts(roots=1, divisions=1),
        -1: Counts(divisions=1),
    }
    return steps.get(op.attributes.get("exponent"), Counts(powers=1)).times(op.values)


def addcmul(op: ShapedOperation) -> Counts:
    """Inputs a, b, c: a + b·c."""
    return Counts(multiplies=op.values, additions=op.values)


def gelu(op: ShapedOperation) -> Counts:
    """Attribute approximate: 'none' is the error function (Abramowitz & Stegun 7.1.26), else by tanh.

    x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))): multiplies x², x³, its factor, the root's, x/2 and the
    last; additions inside, 2 in tanh and 1 outside.
    """
    if op.attributes.get("approximate", "none") == "none":
        steps = Counts(multiplies=11, additions=7, comparisons=2, divisions=1, exponentials=1)
    else:
        steps = Counts(multiplies=6, additions=4, divisions=1, exponentials=2)
    return steps.times(op.values)


def clamp(op: ShapedOperation) -> Counts:
    """One comparison a bound: attributes min, max, or inputs; two where the file names none."""
    bounds = sum(op.attributes.get(name) is not None for name in ("min", "max"))
    bounds += sum(shape is not None for shape in op.inputs[1:])
    return Counts(comparisons=op.values * (bounds or 2))


def softmax_of(lines: int, n: int) -> Counts:
    """Softmax of lines of n values: the largest found and subtracted, exponentials, sum, quotients."""
    return Counts(
        comparisons=lines * (n - 1),
        additions=lines * (2 * n - 1),
        exponentials=lines * n,
        divisions=lines * n,
    )


def softmax(op: ShapedOperation) -> Counts:
    """Attribute dim."""
    n = _along(op)
    return softmax_of(op.values // n, n) if n else NONE


def log_softmax(op: ShapedOperation) -> Counts:
    """Attribute dim: x − largest − log Σ exp(x − largest)."""
    n = _along(op)
    lines = op.values // n if n else 0
    return Counts(
        comparisons=lines * (n - 1),
        additions=lines * (3 * n - 1),
        exponentials=lines * (n + 1),
    )


def logsumexp(op: ShapedOperation) -> Counts:
    """largest + log Σ exp(x − largest), a line for each output."""
    values, lines = prod(op.shape(0)), op.values
    return Counts(
        comparisons=values - lines,
        additions=2 * values,
        exponentials=values + lines,
    )


def _along(op: ShapedOperation) -> int:
    """Values along the attribute dim (default: the last)."""
    shape, dim = op.shape(0), int(op.attributes.get("dim", -1))
    return shape[dim] if shape else 1


def fold(kind: str, **last: int) -> Rule:
    """Return a rule for reductions: inputs − outputs steps, then `last` for each output."""
    end = Counts(**last)

    def rule(op: ShapedOperation) -> Counts:
        steps = max(prod(op.shape(0)) - op.values, 0)
        return Counts(**{kind: steps}).plus(end.times(op.values))

    return rule


def bag(op: ShapedOperation) -> Counts:
    """Inputs weight [n, d], indices, offsets, factor of each index; attribute mode: sum, mean, largest.

    The rows that a bag looks up become one: a step fewer than there are rows, each of d values.
    """
    width, mode = op.shape(0)[-1], op.attributes.get("mode", 0)
    steps = max(prod(op.shape(1)) * width - op.values, 0)
    scaled = prod(op.shape(1)) * width * op.has(3) + op.values * (mode == 1)
    return Counts(comparisons=steps) if mode == 2 else Counts(additions=steps, multiplies=scaled)


def cumulative(kind: str) -> Rule:
    """Return a rule for running sums along the attribute dim: one step per value but the first."""

    def rule(op: ShapedOperation) -> Counts:
        n = _along(op)
        return Counts(**{kind: op.values // n * (n - 1)}) if n else NONE

    return rule


def variance(op: ShapedOperation) -> Counts:
    """Return the mean, the differences from it, the sum of their squares, its quotient by a number."""
    n, lines = prod(op.shape(0)), op.values
    return Counts(multiplies=n + 2 * lines, additions=3 * n - 2 * lines)


def deviation(op: ShapedOperation) -> Counts:
    """Return the same, and a root."""
    return variance(op).plus(Counts(roots=op.values))


def euclidean(op: ShapedOperation) -> Counts:
    """Return the root of the sum of squares."""
    n, lines = prod(op.shape(0)), op.values
    return Counts(multiplies=n, additions=n - lines, roots=lines)


def normalize(lines: int, n: int, scale: bool, shift: bool) -> Counts:
    """Lines of n values to mean 0 and variance 1, then scaled and shifted.

    A value: its square and the multiply by 1/σ; the mean, centering, the variance. A line besides: 2
    multiplies by 1/n, a root, a division and an addition (eps) where two sums take one fewer each.
    """
    return Counts(
        multiplies=lines * (n * (2 + scale) + 2),
        additions=lines * (n * (3 + shift) - 1),
        roots=lines,
        divisions=lines,
    )


def batch_norm(op: ShapedOperation) -> Counts:
    """Inputs x, scale, shift, mean, variance: as at inference, a multiply and an addition a value."""
    return Counts(multiplies=op.values, additions=op.values)


def layer_norm(op: ShapedOperation) -> Counts:
    """Inputs x, scale, shift; attribute normalized_shape, the last axes (default: the last one)."""
    n = prod(op.attributes.get("normalized_shape") or op.outputs[0][-1:])
    return normalize(op.values // n, n, op.has(1), op.has(2)) if n else NONE


def group_norm(op: ShapedOperation) -> Counts:
    """Inputs x [n, c, …], scale, shift; attribute num_groups."""
    groups = op.shape(0)[0] * int(op.attributes.get("num_groups", 1))
    return normalize(groups, op.values // groups, op.has(1), op.has(2)) if groups else NONE


def instance_norm(op: ShapedOperation) -> Counts:
    """Inputs x [n, c, …], scale, shift: every map by itself."""
    maps = prod(op.shape(0)[:2])
    return normalize(maps, op.values // maps, op.has(1), op.has(2)) if maps else NONE


def rms_norm(op: ShapedOperation) -> Counts:
    """Inputs x, scale; attribute normalized_shape: by the root of the mean square, no mean taken off."""
    n = prod(op.attributes.get("normalized_shape") or op.outputs[0][-1:])
    lines = op.values // n if n else 0
    multiplies = lines * (n * (2 + op.has(1)) + 1)
    return Counts(multiplies=multiplies, additions=lines * n, roots=lines, divisions=lines)


def local_response_norm(op: ShapedOperation) -> Counts:
    """Attribute size: size + 1 multiplies, size additions, a power and a division a value."""
    size = int(op.attributes.get("size", 1))
    return Counts(multiplies=size + 1, additions=size, powers=1, divisions=1).times(op.values)


def _window(op: ShapedOperation) -> int:
    kernel = op.attributes.get("kernel_size", 1)
    sizes: Shape = (kernel,) if isinstance(kernel, int) else tuple(kernel)
    return prod(sizes * max(len(op.shape(0)) - 2, 1) if len(sizes) == 1 else sizes)


def max_pool(op: ShapedOperation) -> Counts:
    """Attribute kernel_size: window − 1 comparisons an output."""
    return Counts(comparisons=op.values * (_window(op) - 1))


def avg_pool(op: ShapedOperation) -> Counts:
    """Attribute kernel_size: window − 1 additions and a multiply an output."""
    return Counts(additions=op.values * (_window(op) - 1), multiplies=op.values)


def adaptive_pool(kind: str, **last: int) -> Rule:
    """Return a rule for pools to a fixed size: n inputs, m outputs read n + m − gcd(n, m) values."""
    end = Counts(**last)

    def rule(op: ShapedOperation) -> Counts:
        x, y = op.shape(0), op.outputs[0]
        axes = len(y) - 2
        read = prod(y[:2]) * prod(_read(n, m) for n, m in zip(x[-axes:], y[-axes:], strict=True))
        return Counts(**{kind: read - op.values}).plus(end.times(op.values))

    return rule


def _read(n: int, m: int) -> int:
    from math import gcd

    return n + m - gcd(n, m)


def resize(taps: int) -> Rule:
    """Return a rule for interpolation between n neighbors along each axis: 4 bilinear, 16 bicubic.

    An output is their weighted sum: a multiply a neighbor and one addition fewer.
    """

    def rule(op: ShapedOperation) -> Counts:
        x, y = op.shape(0), op.outputs[0]
        neighbors = taps ** max(len(y) - 2, 1) if len(x) == len(y) else taps
        return Counts(multiplies=neighbors, additions=neighbors - 1).times(op.values)

    return rule


def sort(op: ShapedOperation) -> Counts:
    """Attribute dim: ⌈log₂ n⌉ comparisons a value, what sorting by merging takes at most."""
    shape: Shape = op.shape(0)
    n = _along(op)
    return Counts(comparisons=prod(shape) * max(n - 1, 0).bit_length())
