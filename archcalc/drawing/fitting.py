"""Close blocks of a picture that is too tall, from the deepest level on, until it fits."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.drawing.layout import Drawable, draw
from archcalc.drawing.model import Drawing

TALLEST = 2400  # the most pixels of height; a page of a paper, at its letter size, has a third


def fitting(parts: Sequence[Drawable]) -> tuple[Drawing, list[Drawable]]:
    """Return a drawing and its parts, with blocks closed unless the wishes say what to show.

    Raises:
        UsageError: a block to expand does not exist.
    """
    drawing, whole = draw(parts), list(parts)
    told = any(w.depth or w.expand or w.columns for w in (part.wishes for part in parts))
    if told or drawing.height <= TALLEST:
        return drawing, whole
    deepest = max(node.path.count("/") for part in parts for node in part.analysis.graph.nodes)
    for depth in range(deepest, 0, -1):
        closed = [part._replace(wishes=part.wishes._replace(depth=depth)) for part in parts]
        found = draw(closed)
        if found.height <= TALLEST:
            return found, closed
    return drawing, whole


def closed_at(parts: Sequence[Drawable]) -> str:
    """Return the hint that blocks were closed."""
    return f"blocks {parts[0].wishes.depth} deep are closed"


def opened_by(parts: Sequence[Drawable]) -> str:
    """Return the hint on how a command opens the blocks that were closed."""
    return f"{closed_at(parts)}: --depth {(parts[0].wishes.depth or 0) + 1} opens them"
