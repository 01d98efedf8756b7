"""Merge the linear layer that follows attention into it, as its output projection."""

from __future__ import annotations

from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.axes import Layout
from archcalc.interop.lowering.model import LoweringError


def projected_out(low: LoweringState, layout: Layout, units: int, weight: str, bias: str | None) -> bool:
    """Merge a linear layer into the attention before it; return whether that is possible."""
    node = low.nodes[layout.node]
    if layout.node not in low.pending or units != node.shape.channels or low.readers(layout.node) > 1:
        return False
    operator = node.operator
    if low.nodes[node.inputs[0]].shape.channels != units:
        return False
    if operator.name == "attention":
        if getattr(operator, "nobias", False) != (bias is None):
            return False
        given = {name: getattr(operator, name) for name in ("heads", "causal", "nobias")}
        low.nodes[layout.node] = node._replace(operator=low.operator("attention", given, 1))
    elif bias is None:
        return False
    del low.pending[layout.node]
    low.place(layout.node, [("output.weight", weight, (units, units), (1, 0))])
    if bias is not None:
        low.place(layout.node, [("output.bias", bias, (units,), (0,))])
    return True


def unfinished(low: LoweringState) -> None:
    """Check that every window attention is complete.

    Raises:
        LoweringError: one has no output projection, or its map is not rolled back.
    """
    for node in low.pending:
        if low.nodes[node].operator.name == "windowattention":
            raise LoweringError(f"the attention {low.nodes[node].path} has no output projection")
    for node in low.rolled:
        raise LoweringError(f"the map behind {low.nodes[node].path} is not rolled back")
