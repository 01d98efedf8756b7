"""Decode JSON that others wrote, within limits of size and depth."""

from __future__ import annotations

from typing import Any

from archcalc.errors import ArchError

MOST_JSON = 96 << 20  # bytes of a graph
_MOST_MEMORY = 400 << 20  # bytes that Python's objects for it may take
_SMALL = 4 << 20  # bytes of a text that never takes so much


def parsed(text: bytes, what: str) -> Any:
    """Return the value of a JSON text; messages call it `what`.

    Raises:
        ArchError: it is no JSON, or would take more memory than any model's graph.
    """
    import json

    if len(text) > MOST_JSON or (len(text) > _SMALL and _memory_for(text) > _MOST_MEMORY):
        raise ArchError(f"{what} of {len(text):,} bytes is too large to be read")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ArchError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise ArchError(f"{what} is no JSON: {str(error)[:80]}") from error


def _memory_for(text: bytes) -> int:
    """Return an upper bound of the bytes of Python's objects for a JSON text."""
    parts = 200 * text.count(b"{") + 90 * text.count(b"[") + 45 * text.count(b",")
    return parts + 35 * text.count(b'"') + len(text) * (2 if text.isascii() else 8)
