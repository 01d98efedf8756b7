"""Count what multiplies weights and inputs: conv, linear, matmul, attention, einsum.

A sum of k products takes k − 1 additions; positions in the padding count, as everywhere.
"""

from __future__ import annotations

from math import prod

from archcalc.interop.counts import CountingError, Counts, ShapedOperation
from archcalc.interop.pointwise import softmax_of
from archcalc.interop.trace import Shape

_MOST_TAPS = 1 << 20  # that a dilated transposed conv may touch along an axis


def sums(outputs: int, products: int, bias: bool = False) -> Counts:
    """Return the counts of outputs that each sum a number of products, and a bias."""
    return Counts(products=outputs * products, additions=outputs * (products - 1 + bias))


def conv(op: ShapedOperation) -> Counts:
    """Inputs x [n, c, …], weight [out, c / groups, …], bias."""
    return sums(op.values, prod(op.shape(1)[1:]), op.has(2))


def conv_transpose(op: ShapedOperation) -> Counts:
    """Inputs x [n, c, …], weight [c, out / groups, …], bias; attributes stride, dilation.

    Every input value is spread over a window, also over what the padding then crops; an output takes
    one addition fewer than it gets products.
    """
    x, weight = op.shape(0), op.shape(1)
    spread = prod(x) * prod(weight[1:])
    filters = op.outputs[0][1] if len(op.outputs[0]) > 1 else 1
    axes = range(len(weight) - 2)
    stride, dilation = (_each(op.attributes.get(name, 1), len(axes)) for name in ("stride", "dilation"))
    touched = prod(_touched(x[2 + i], stride[i], weight[2 + i], dilation[i]) for i in axes)
    first = x[0] * filters * touched
    return Counts(products=spread, additions=spread - first + op.values * op.has(2))


def _touched(n: int, stride: int, kernel: int, dilation: int) -> int:
    """Return the number of outputs along an axis that get at least one product."""
    if dilation == 1 or kernel == 1:
        return (n - 1) * min(stride, kernel) + kernel
    if n * kernel > _MOST_TAPS:
        raise CountingError(f"{n} inputs with dilated windows are too many")
    return len({i * stride + j * dilation for i in range(n) for j in range(kernel)})


def _each(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    values = (value,) * axes if isinstance(value, int) else tuple(value)
    return values * axes if len(values) == 1 else values


def deform_conv(op: ShapedOperation) -> Counts:
    """Inputs x, weight, offset, mask, bias (torchvision's order): a conv of values between pixels.

    Each sampled value is 4 multiplies and 3 additions (bilinear), and one more with a mask.
    """
    weight, offset = op.shape(1), op.shape(2)
    taps, (n, channels) = prod(weight[2:]), op.shape(0)[:2]
    sampled = n * channels * taps * prod(offset[2:])
    plain = sums(op.values, prod(weight[1:]), op.has(4))
    return plain.plus(Counts(multiplies=sampled * (4 + op.has(3)), additions=3 * sampled))


def linear(op: ShapedOperation) -> Counts:
    """Inputs x […, in], weight [out, in], bias."""
    return sums(op.values, op.shape(1)[-1], op.has(2))


def matmul(op: ShapedOperation) -> Counts:
    """Inputs a […, n, k] and b […, k, m]; either may be a vector."""
    return sums(op.values, op.shape(0)[-1])


def addmm(op: ShapedOperation) -> Counts:
    """Inputs c, a, b: a matmul of a and b, to which c is added."""
    return sums(op.values, op.shape(1)[-1], bias=True)


def bilinear(op: ShapedOperation) -> Counts:
    """Inputs a […, n], b […, m], weight [out, n, m], bias: every product of two values has a weight."""
    _, n, m = op.shape(2)
    outer = op.values // op.outputs[0][-1] * n * m
    return sums(op.values, n * m, op.has(3)).plus(Counts(multiplies=outer))


def cdist(op: ShapedOperation) -> Counts:
    """Inputs a […, n, d], b […, m, d]: a difference, a square and a sum a channel; a root a pair."""
    pairs, width = op.values, op.shape(0)[-1]
    return Counts(multiplies=pairs * width, additions=pairs * (2 * width - 1), roots=pairs)


def attention(op: ShapedOperation) -> Counts:
    """Inputs query […, l, e], key […, s, e], value […, s, v], mask: scores, their softmax, their sums.

    All pairs count, also those that a mask or `is_causal` forbids; a mask is one addition a score. The
    factor 1/√e belongs to the query's weights.
    """
    query, key, value = op.shape(0), op.shape(1), op.shape(2)
    rows, keys = op.values // value[-1] if value[-1] else 0, key[-2]
    scores = sums(rows * keys, query[-1], op.has(3))
    mixed = sums(rows * value[-1], keys)
    return scores.plus(mixed).plus(softmax_of(rows, keys))


def einsum(op: ShapedOperation) -> Counts:
    """Attribute equation; operands are joined from the left, two at a time, as torch does."""
    equation = str(op.attributes.get("equation", "")).replace(" ", "")
    left, arrow, result = equation.partition("->")
    shapes = [op.shape(i) for i in range(len(op.inputs))]
    terms, sizes = _terms(left.split(","), shapes)
    if not arrow:
        letters = "".join("".join(term) for term in terms)
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    last = _letters(result, terms)
    if len(terms) == 1:
        return Counts(additions=prod(sizes[c] for c in set(terms[0])) - op.values)
    counts, have = Counts(), terms[0]
    for i, term in enumerate(terms[1:], 2):
        later = set(last).union(*terms[i:])
        joined = set(have) | set(term)
        have = [c for c in sorted(joined) if c in later]
        outputs = prod(sizes[c] for c in have)
        counts = counts.plus(sums(outputs, prod(sizes[c] for c in joined - set(have))))
    return counts


def _terms(texts: list[str], shapes: list[Shape]) -> tuple[list[list[str]], dict[str, int]]:
    """Return the letters of every operand, '…' replaced by numbers from the right, and their sizes."""
    if len(texts) != len(shapes):
        raise CountingError("its equation names a different number of operands")
    terms: list[list[str]] = []
    sizes: dict[str, int] = {}
    for text, shape in zip(texts, shapes, strict=True):
        free = len(shape) - len(text.replace("...", ""))
        before, dots, after = text.partition("...")
        letters = [*before, *(str(i) for i in range(free, 0, -1) if dots), *after]
        if len(letters) != len(shape):
            raise CountingError("its equation does not fit its operands")
        for letter, size in zip(letters, shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
        terms.append(letters)
    return terms, sizes


def _letters(text: str, terms: list[list[str]]) -> list[str]:
    before, dots, after = text.partition("...")
    free = sorted({c for term in terms for c in term if c.isdigit()}) if dots else []
    return [*before, *free, *after]
