"""Measure the width of texts by the advance widths of Helvetica, Arial and Liberation Sans.

DejaVu Sans Condensed, the last named font of the list, is about as wide.
"""

from __future__ import annotations

from functools import lru_cache

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans Condensed', sans-serif"
# thousandths of the size, for the characters from 32 to 126 (Adobe's font metrics of Helvetica)
_REGULAR = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722
778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278
556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"""
_BOLD = """
278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556
556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778
667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611
611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"""
_OTHERS = {"×": 584, "·": 333, "–": 556, "−": 584, "…": 1000, "→": 1000}
_WIDEST = 1100  # the width assumed for a character that is not listed

# size and weight of each kind of caption
STYLES = {
    "title": (13, True),
    "label": (11, False),
    "join": (13, True),
    "small": (9, False),
    "name": (10, True),
    "times": (12, True),
    "shape": (9, False),
    "key": (9.5, False),
}


@lru_cache(1)
def _widths() -> tuple[dict[str, int], dict[str, int]]:
    tables = [{chr(32 + i): int(w) for i, w in enumerate(t.split())} for t in (_REGULAR, _BOLD)]
    return {**tables[0], **_OTHERS}, {**tables[1], **_OTHERS}


@lru_cache(4096)
def width(text: str, kind: str) -> float:
    """Return the width of a caption in pixels."""
    size, bold = STYLES[kind]
    table = _widths()[bold]
    return sum(table.get(c, _WIDEST) for c in text) * size / 1000


def fitted(text: str, kind: str, room: float) -> str:
    """Return the text, or as much of it as `room` holds and an ellipsis."""
    if width(text, kind) <= room:
        return text
    while text and width(f"{text}…", kind) > room:
        text = text[:-1]
    return f"{text}…"
