"""Move top-level keys out of the [table] above them, into which TOML puts them."""

from __future__ import annotations

from typing import Any

from archcalc.errors import shown
from archcalc.spec.mistakes import TOP_LEVEL, Mistakes
from archcalc.spec.model import JOINS

TABLES = ("inputs", "vars", "variants", "defaults", "block", "space", "train", "budget")


def lifted(document: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """Return the document with `input` and `layers` at top level; report those inside a [table]."""
    for key in ("input", "layers"):
        place = () if key in document else _astray(key, document)
        if place:
            value, document = _take(document, (*place, key))
            message = f"`{key}` stands inside [{'.'.join(map(shown, place))}]"
            mistakes.fault(message, (*place, key), TOP_LEVEL, -1)
            document[key] = value
    return document


def _astray(key: str, document: dict[str, Any]) -> tuple[str, ...]:
    """Return the table that holds a top-level key by mistake, or ()."""
    if key == "layers" and any(join in document for join in JOINS):
        return ()
    for name in TABLES:
        table = document.get(name)
        if not isinstance(table, dict):
            continue
        if key in table and name != "block":
            return (name,)
        for inner, body in table.items() if name in ("block", "variants") else ():
            own = key == "input" and name == "variants"
            if isinstance(body, dict) and key in body and not own:
                joined = any(join in body for join in JOINS)
                if name == "variants" or key == "input" or joined:
                    return (name, inner)
    return ()


def _take(document: dict[str, Any], keys: tuple[str, ...]) -> tuple[Any, dict[str, Any]]:
    """Return the value of `keys`, and the document without it."""
    name, *rest = keys
    if not rest:
        return document[name], {k: v for k, v in document.items() if k != name}
    value, inner = _take(document[name], tuple(rest))
    return value, {**document, name: inner}
