"""Shape rules of ONNX's operators, by name: a node with its inputs → its outputs, constants folded."""

from __future__ import annotations

from archcalc.interop.onnx.rules import (
    contributed,
    elementwise,
    moving,
    products,
    reducing,
    selecting,
    sequences,
    windows,
)
from archcalc.interop.onnx.values import Rule

RULES: dict[str, Rule] = {
    **elementwise.RULES,
    **windows.RULES,
    **moving.RULES,
    **sequences.RULES,
    **selecting.RULES,
    **reducing.RULES,
    **products.RULES,
    **contributed.RULES,
}
