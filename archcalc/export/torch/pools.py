"""Write pools as torch code, with padding in torch's order."""

from __future__ import annotations

from typing import Any

from archcalc.export.refusal import ExportError
from archcalc.export.torch.piece import LayerCode, PieceRule, sizes
from archcalc.export.windows import Sides, counts_zeros, declared
from archcalc.graph.model import Graph, Node


def around(pairs: Sides) -> str:
    """Return padding in the order of F.pad: the last axis first."""
    return f"({', '.join(str(n) for pair in reversed(pairs) for n in pair)})"


def even(pairs: Sides) -> bool:
    return all(before == behind for before, behind in pairs)


def by_name(words: dict[str, Any], usual: dict[str, Any]) -> str:
    """Return the keyword arguments that differ from torch's defaults."""
    found = []
    for name, values in words.items():
        listed = [int(v) for v in values]
        if any(v != usual[name] for v in listed):
            found.append(f", {name}={sizes(name, listed)}")
    return "".join(found)


def max_pool(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    x = graph.input_shapes(node)[0]
    given = declared(op, x)
    read, padding = "{0}", ""
    fits = all(2 * before <= int(k) for (before, _), k in zip(given, op.k, strict=True))
    if even(given) and fits:
        padding = by_name({"padding": [a for a, _ in given]}, {"padding": 0})
    else:
        read = f"F.pad({{0}}, {around(given)}, value=-torch.inf)"
    more = padding + by_name({"dilation": op.d}, {"dilation": 1})
    more += ", ceil_mode=True" if op.ceil else ""
    call = f"F.max_pool{x.rank}d({read}, {sizes('window', op.k)}, {sizes('stride', op.s)}{more})"
    return LayerCode("first", call)


def avg_pool(graph: Graph, node: Node) -> LayerCode:
    """Write a mean; for uneven padding that does not count, a sum divided by the number of values."""
    op: Any = node.operator
    x = graph.input_shapes(node)[0]
    given, counts = declared(op, x), op.name == "sumpool" or counts_zeros(op)
    tail = f"{sizes('window', op.k)}, {sizes('stride', op.s)}"
    mode = (", ceil_mode=True" if op.ceil else "") + (
        ", divisor_override=1" if op.name == "sumpool" else ""
    )
    pool, padded = f"F.avg_pool{x.rank}d", any(n for pair in given for n in pair)
    fits = all(2 * before <= int(k) for (before, _), k in zip(given, op.k, strict=True))
    if op.name == "sumpool" and (x.rank == 1 or op.ceil):
        raise ExportError("a sum of windows, but over maps")
    if not padded or (even(given) and fits):
        more = by_name({"padding": [a for a, _ in given]}, {"padding": 0}) if padded else ""
        more += "" if counts or not padded else ", count_include_pad=False"
        return LayerCode("first", f"{pool}({{0}}, {tail}{more}{mode})")
    wide = f"{pool}(F.pad({{0}}, {around(given)}), {tail}{mode})"
    if op.ceil:
        raise ExportError("rounding up beyond padding of one side")
    if counts:
        return LayerCode("first", wide)
    ones = f"{pool}(F.pad(torch.ones_like({{0}}), {around(given)}), {tail})"
    return LayerCode("first", f"{wide} / {ones}")


def gap(graph: Graph, node: Node) -> LayerCode:
    rank = graph.input_shapes(node)[0].rank
    return LayerCode("first", f"F.adaptive_avg_pool{rank}d({{0}}, 1).flatten(1)", made="flat")


def adaptive_pool(graph: Graph, node: Node) -> LayerCode:
    op: Any = node.operator
    kind = "max" if op.max else "avg"
    size = (
        f"({', '.join(str(int(n)) for n in op.size)},)" if len(op.size) == 1 else sizes("size", op.size)
    )
    return LayerCode("first", f"F.adaptive_{kind}_pool{len(op.size)}d({{0}}, {size})")


POOLS: dict[str, PieceRule] = {
    "maxpool": max_pool,
    "avgpool": avg_pool,
    "sumpool": avg_pool,
    "gap": gap,
    "adaptivepool": adaptive_pool,
}
