"""Joins, of which one input may be a constant of the file."""

from __future__ import annotations

from archcalc.interop.lowering import values
from archcalc.interop.lowering.assembly import LoweringState
from archcalc.interop.lowering.model import Unlowered
from archcalc.interop.trace import Operation


def join(low: LoweringState, op: Operation) -> None:
    live = [name for name in op.inputs if low.live(name)]
    if op.word == "div" or len(live) < len(op.inputs) or len(op.inputs) == 1:
        raise Unlowered("a constant is joined with it")
    values.join(low, op, [low.lie(name) for name in op.inputs])
