"""What is said of sizes that a file does not leave free: of every kind of file the same.

A `.pt2` file records the shape of every tensor, and an ONNX file may hold numbers that an exporter
computed for its own sizes: neither is counted at sizes that it was not made for.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.errors import Diagnostic, listed

_AGAIN = "export it again with a free axis: dynamic_shapes={…} of torch.export and torch.onnx.export"


def fixed(label: str, name: str, axis: int, own: int, size: int) -> Diagnostic:
    """An axis of an input cannot be another size than the file's; the batch need not be."""
    batch = f"counts are those of one image; `archcalc flops --batch {size}` multiplies them"
    return Diagnostic(
        f"{label}axis {axis} of {name} is fixed at {own}, not {size}", help=batch if not axis else _AGAIN
    )


def free_ones(names: Iterable[str]) -> str:
    """Which sizes are free, or what to do where none is."""
    own = list(dict.fromkeys(names))
    return f"free dimensions: {listed(own)}" if own else f"all sizes are fixed; {_AGAIN}"
