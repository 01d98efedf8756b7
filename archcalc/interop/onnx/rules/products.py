"""Rules of matrix products, attention and recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.errors import ArchError
from archcalc.interop.onnx.tensors import INT32
from archcalc.interop.onnx.values import NodeCall, Rule, Shape, Value, shared, sized


def product(a: Shape, b: Shape) -> Shape:
    """numpy's matmul: vectors are a row and a column, axes before the last two broadcast."""
    left, right = ((1, *a) if len(a) == 1 else a), ((*b, 1) if len(b) == 1 else b)
    if len(left) < 2 or len(right) < 2 or left[-1] != right[-2]:
        raise ArchError(f"{sized(a)} and {sized(b)} cannot be multiplied")
    found = shared(left[:-2], right[:-2])
    return (*found, *(left[-2:-1] if len(a) > 1 else ()), *(right[-1:] if len(b) > 1 else ()))


def matmul(a: int, b: int, dtype: int = 0) -> Rule:
    """Return a rule of a product of the inputs at these places."""

    def rule(call: NodeCall) -> list[Value]:
        shape = product(call.value(a).shape, call.value(b).shape)
        return [Value(shape, dtype or call.value(a).dtype)]

    return rule


def quantized_matmul(call: NodeCall) -> list[Value]:
    return [Value(product(call.value(0).shape, call.value(3).shape), call.value(7).dtype)]


def turned(call: NodeCall, side: str, rank: int) -> tuple[int, ...]:
    """Return the order of an operand's axes: transBatch moves the first before the last."""
    order = list(range(rank))
    if call.integer(f"transBatch{side}", 0):
        order = [*order[1:-1], 0, rank - 1]
    if call.integer(f"trans{side}", 0):
        order[-2:] = order[:-3:-1]
    return tuple(order)


def fused_matmul(call: NodeCall) -> list[Value]:
    """Either operand may be transposed."""
    a, b = call.ranked(0, 2), call.ranked(1, 2)
    left = tuple(a[axis] for axis in turned(call, "A", len(a)))
    right = tuple(b[axis] for axis in turned(call, "B", len(b)))
    return [Value(product(left, right), call.first.dtype)]


def gemm(call: NodeCall) -> list[Value]:
    """a·b + c of two matrices, either one transposed."""
    a, b = call.value(0).shape, call.value(1 if call.op == "Gemm" else 3).shape
    if len(a) != 2 or len(b) != 2:
        raise ArchError(f"{sized(a)} and {sized(b)} are not both matrices")
    rows, inner = a[::-1] if call.integer("transA", 0) else a
    depth, columns = b[::-1] if call.integer("transB", 0) else b
    if inner != depth:
        raise ArchError(f"{sized(a)} and {sized(b)} cannot be multiplied")
    return [Value((rows, columns), call.first.dtype)]


def einsum(call: NodeCall) -> list[Value]:
    """Letters name axes; '...' stands for those in front that broadcast."""
    left, arrow, right = call.text("equation").replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(call.inputs):
        raise ArchError(f"its equation has {len(terms)} terms for {len(call.inputs)} inputs")
    sizes: dict[str, int] = {}
    batch: list[Shape] = []
    for i, term in enumerate(terms):
        shape = call.value(i).shape
        front, dots, behind = term.partition("...")
        free = len(shape) - len(front) - len(behind)
        if free < 0 or (free and not dots):
            raise ArchError(f"term '{term}' does not fit {sized(shape)}")
        batch.append(shape[len(front) : len(front) + free])
        for letter, extent in zip(
            front + behind, shape[: len(front)] + shape[len(front) + free :], strict=True
        ):
            sizes[letter] = max(sizes.get(letter, 1), extent)
    if not arrow:
        letters = left.replace(".", "").replace(",", "")
        right = ("..." if any(batch) else "") + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1)
        )
    front, dots, behind = right.partition("...")
    if not set(front + behind) <= set(sizes):
        raise ArchError(f"the result of equation '{right}' has axes which no term has")
    middle = shared(*batch) if dots else ()
    return [Value((*[sizes[c] for c in front], *middle, *[sizes[c] for c in behind]), call.first.dtype)]


def recurrent(call: NodeCall) -> list[Value]:
    """x [steps, batch, in], weight [directions, gates·hidden, in]: all states, the last ones."""
    x, weight = call.ranked(0, 3), call.ranked(1, 3)
    directions, hidden = weight[0], call.ranked(2, 3)[-1]
    steps, batch = x[:2]
    if call.integer("layout", 0):
        shape: Sequence[int] = (steps, batch, directions, hidden)
        last: Sequence[int] = (steps, directions, hidden)
    else:
        shape, last = (steps, directions, batch, hidden), (directions, batch, hidden)
    if weight[-1] != x[2]:
        raise ArchError(f"weight {sized(weight)} does not fit an input of {x[2]} values a step")
    dtype = call.first.dtype
    return [Value(shape, dtype), Value(last, dtype), Value(last, dtype)]


def attention(call: NodeCall) -> list[Value]:
    """Queries, keys and values as [batch, heads, length, size], or [batch, length, heads·size]."""
    query, key, value = (call.ranked(i, 3) for i in range(3))
    dtype, past = call.first.dtype, call.maybe(4)
    heads, groups = call.integer("q_num_heads", 0), call.integer("kv_num_heads", 0)
    if len(query) == 3:
        if heads < 1 or groups < 1:
            raise ArchError("it has no q_num_heads and kv_num_heads")
        deep = value[-1] // groups * heads
        keys: list[Shape] = [(s[0], groups, s[1], s[-1] // groups) for s in (key, value)]
        result: Shape = (*query[:2], deep)
        query = (query[0], heads, query[1], query[-1] // heads)
    else:
        keys, result = [key, value], (*query[:-1], value[-1])
    if past is not None and len(past.shape) == 4:
        keys = [(*s[:-2], s[-2] + past.shape[-2], s[-1]) for s in keys]
    scores = (*query[:3], keys[0][-2])
    return [Value(shape, dtype) for shape in (result, *keys, scores)]


RULES: dict[str, Rule] = {
    "MatMul": matmul(0, 1),
    "MatMulInteger": matmul(0, 1, INT32),
    "QLinearMatMul": quantized_matmul,
    "Gemm": gemm,
    "Einsum": einsum,
    "LSTM": recurrent,
    "GRU": recurrent,
    "RNN": recurrent,
    "Attention": attention,
}
