"""Word the errors about sizes that a file fixes, the same for every kind of file.

A `.pt2` file records the shape of every tensor, and an ONNX file may hold numbers that an exporter
computed for its own sizes: neither can be counted at other sizes.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.errors import Diagnostic, listed

_AGAIN = "export it again with a free axis: dynamic_shapes={…} of torch.export and torch.onnx.export"


def fixed(label: str, name: str, axis: int, own: int, size: int) -> Diagnostic:
    """Return the error for an axis that cannot differ from the file's; the batch can."""
    batch = f"counts are those of one image; `archcalc flops --batch {size}` multiplies them"
    return Diagnostic(
        f"{label}axis {axis} of {name} is fixed at {own}, not {size}", help=batch if not axis else _AGAIN
    )


def free_ones(names: Iterable[str]) -> str:
    """Return which sizes are free, or what to do if none is."""
    own = list(dict.fromkeys(names))
    return f"free dimensions: {listed(own)}" if own else f"all sizes are fixed; {_AGAIN}"
