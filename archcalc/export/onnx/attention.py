"""Write attention as ONNX nodes: projections, scores, softmax, weighted sums."""

from __future__ import annotations

from typing import Any

from archcalc.export.onnx.draft import Draft, Values
from archcalc.export.onnx.joins import cut
from archcalc.export.onnx.layers import LayerNodes, product
from archcalc.export.onnx.moves import rolled
from archcalc.export.refusal import ExportError
from archcalc.graph.model import Node


def attention(d: Draft, index: int, node: Node) -> None:
    op: Any = node.operator
    if op.relative is not None:
        raise ExportError("a learned bias by distance")
    names = {weight.name for weight in d.graph.weights(d.graph.holder(node))}
    sizes = {weight.name: weight.shape for weight in d.graph.weights(d.graph.holder(node))}
    sources = [d.get(i, "last", node.path) for i in node.inputs]
    sources += sources[-1:] * (3 - len(sources))
    heads = int(op.heads)
    kv = heads if op.kv is None else int(op.kv)
    parts = []
    for source, name, many in zip(sources, ("query", "key", "value"), (heads, kv, kv), strict=True):
        out = d.shapes[source]
        if f"{name}.weight" in names:
            out = (*out[:-1], int(sizes[f"{name}.weight"][-1]))
            source = product(d, node, source, out, f"{name}.bias" in names, name)
        part = split(d, node, source, many)
        if op.rotary and name != "value":
            part = turned(d, node, part, int(op.base))
        parts.append(_repeated(d, node, part, heads // many))
    query, key, value = parts
    if op.bare:
        query = d.op("Mul", [query, d.number(d.shapes[query][-1] ** -0.5)], d.shapes[query], node.path)
    mixed = mix(d, node, query, key, value, _hidden(d, node, d.shapes[query][-2]))
    if "output.weight" in names:
        out = d.shape_of(index, "last")
        mixed = product(d, node, mixed, out, "output.bias" in names, "output")
    d.put(index, "last", mixed)


def split(d: Draft, node: Node, name: str, heads: int) -> str:
    """Split the channels into heads: [n, tokens, heads · c] → [n, heads, tokens, c]."""
    n, tokens, width = d.shapes[name]
    apart = d.reshape(name, (n, tokens, heads, width // heads), node.path)
    out = (n, heads, tokens, width // heads)
    return d.op("Transpose", [apart], out, node.path, perm=(0, 2, 1, 3))


def _repeated(d: Draft, node: Node, name: str, times: int) -> str:
    """Repeat each head `times` times, next to each other."""
    if times == 1:
        return name
    n, heads, tokens, width = d.shapes[name]
    one = d.reshape(name, (n, heads, 1, tokens, width), node.path)
    wide = (n, heads, times, tokens, width)
    made = d.op("Expand", [one, d.integers(wide)], wide, node.path)
    return d.reshape(made, (n, heads * times, tokens, width), node.path)


def turned(d: Draft, node: Node, name: str, base: int) -> str:
    """Apply rotary embedding: rotate pairs of channels by the angle of their position."""
    shape = d.shapes[name]
    half = (*shape[:-1], shape[-1] // 2)
    first, second = d.ops("Split", [name], [half, half], node.path, axis=-1, num_outputs=2)

    def table(which: int) -> str:
        def make(values: Values) -> Any:
            from archcalc.execution.reference.attention import angles

            return angles(base, shape[-2], shape[-1])[which]

        return d.constant("angles", half[-2:], make)

    cosine, sine = table(0), table(1)

    def times(x: str, factor: str) -> str:
        return d.op("Mul", [x, factor], half, node.path)

    left = d.op("Sub", [times(first, cosine), times(second, sine)], half, node.path)
    right = d.op("Add", [times(second, cosine), times(first, sine)], half, node.path)
    return d.op("Concat", [left, right], shape, node.path, axis=-1)


def _hidden(d: Draft, node: Node, tokens: int) -> str:
    """Return the mask of attention (−∞ for hidden keys), or '' if nothing is hidden."""
    op: Any = node.operator
    if not op.causal and op.window is None:
        return ""

    def make(values: Values) -> Any:
        import numpy as np

        from archcalc.execution.reference.attention import hidden

        apart: Any = hidden(op, tokens)
        return np.where(apart[0], -np.inf, 0)

    return d.constant("mask", (tokens, tokens), make)


def mix(d: Draft, node: Node, query: str, key: str, value: str, *added: str) -> str:
    """Return the values weighted by the softmax of the scores, with the heads merged again."""
    n, heads, tokens, width = d.shapes[query]
    keys, deep = d.shapes[value][-2:]
    across = d.op("Transpose", [key], (n, heads, width, keys), node.path, perm=(0, 1, 3, 2))
    scores = d.op("MatMul", [query, across], (n, heads, tokens, keys), node.path)
    for bias in filter(None, added):
        scores = d.op("Add", [scores, bias], (n, heads, tokens, keys), node.path)
    shares = d.op("Softmax", [scores], (n, heads, tokens, keys), node.path, axis=-1)
    mixed = d.op("MatMul", [shares, value], (n, heads, tokens, deep), node.path)
    back = d.op("Transpose", [mixed], (n, tokens, heads, deep), node.path, perm=(0, 2, 1, 3))
    return d.reshape(back, (n, tokens, heads * deep), node.path)


def window_attention(d: Draft, index: int, node: Node) -> None:
    """Write window attention: pad, roll and cut the map, attend, and undo these steps."""
    from archcalc.execution.reference.attention import padded_size, shifts

    op: Any = node.operator
    height, width, channels = (int(n) for n in node.shape)
    side, heads = int(op.window), int(op.heads)
    down, across = padded_size(op, height, width)
    whole = (1, down, across, channels)
    made = d.get(node.inputs[0], "last", node.path)
    if (down, across) != (height, width):
        ends = d.integers([0, 0, 0, 0, 0, down - height, across - width, 0])
        made = d.op("Pad", [made, ends], whole, node.path)
    moves = shifts(op, height, width)
    for axis, shift in enumerate(moves, 1):
        made = rolled(d, node.path, made, axis, -shift)
    rows, columns = down // side, across // side
    order = (0, 1, 3, 2, 4, 5)
    cut_up = d.reshape(made, (1, rows, side, columns, side, channels), node.path)
    sorted_ = (1, rows, columns, side, side, channels)
    cut_up = d.op("Transpose", [cut_up], sorted_, node.path, perm=order)
    tokens = (rows * columns, side * side, channels)
    made = d.reshape(cut_up, tokens, node.path)
    query, key, value = (
        split(d, node, product(d, node, made, tokens, True, name), heads)
        for name in ("query", "key", "value")
    )
    mixed = mix(d, node, query, key, value, _place_bias(d, node, side, heads), _apart(d, node, tokens))
    made = product(d, node, mixed, tokens, True, "output")
    made = d.reshape(made, sorted_, node.path)
    apart = (1, rows, side, columns, side, channels)
    made = d.reshape(d.op("Transpose", [made], apart, node.path, perm=order), whole, node.path)
    for axis, shift in enumerate(moves, 1):
        made = rolled(d, node.path, made, axis, shift)
    if (down, across) != (height, width):
        made = cut(d, node.path, made, [1, 2], [0, 0], [height, width])
    d.put(index, "last", made)


def _place_bias(d: Draft, node: Node, side: int, heads: int) -> str:
    """Return the learned bias of each pair of positions: heads × queries × keys."""
    many, tokens = 2 * side - 1, side * side
    table = d.weight(node, "position", (many * many, heads), lambda w: w.reshape(-1, heads))
    places = [divmod(i, side) for i in range(tokens)]
    pairs = [
        (row - other + side - 1) * many + column - beside + side - 1
        for row, column in places
        for other, beside in places
    ]
    bias = d.op("Gather", [table, d.integers(pairs)], (tokens * tokens, heads), node.path)
    bias = d.reshape(bias, (tokens, tokens, heads), node.path)
    return d.op("Transpose", [bias], (heads, tokens, tokens), node.path, perm=(2, 0, 1))


def _apart(d: Draft, node: Node, tokens: tuple[int, ...]) -> str:
    """Return the mask (−∞) of pairs that are neighbors only by the roll, or '' without a roll."""
    from archcalc.execution.reference.attention import apart_of, regions

    height, width, _ = (int(n) for n in node.shape)
    apart = apart_of(regions(node.operator, height, width))
    if apart is None:
        return ""

    def make(values: Values) -> Any:
        import numpy as np

        return np.where(apart[:, None], -np.inf, 0)

    return d.constant("mask", (tokens[0], 1, tokens[1], tokens[1]), make)


ATTENTION: dict[str, LayerNodes] = {"attention": attention, "windowattention": window_attention}
