"""Shape rules of ONNX's operators, by name: a node with its inputs → its outputs, constants folded."""

from __future__ import annotations

from archcalc.interop.onnx.rules import elementwise, moving, products, reducing, selecting, windows
from archcalc.interop.onnx.values import Rule

RULES: dict[str, Rule] = {
    **elementwise.RULES,
    **windows.RULES,
    **moving.RULES,
    **selecting.RULES,
    **reducing.RULES,
    **products.RULES,
}
