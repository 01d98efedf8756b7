"""JSON Schema, as much of it as archcalc's own file uses; a word that is not known here is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
SAID = ("$schema", "$defs", "title", "description")


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "") -> Iterator[str]:
    """Yield what of a value the schema forbids, with its place."""
    for word, wanted in schema.items():
        if word not in SAID:
            yield from RULES[word](value, wanted, root, at, schema)


def _reference(value: Any, wanted: str, root: Any, at: str, _: Any) -> Iterator[str]:
    yield from faults(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)


def _type(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(
        isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in names
    ):
        yield f"{at}: {value!r} is no {wanted}"


def _properties(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    for key, inner in wanted.items():
        if isinstance(value, dict) and key in value:
            yield from faults(value[key], inner, root, f"{at}/{key}")


def _required(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at}: `{key}` is missing" for key in wanted if key not in value)


def _additional(value: Any, wanted: Any, root: Any, at: str, schema: Any) -> Iterator[str]:
    more = set(value) - set(schema.get("properties", {})) if isinstance(value, dict) else set()
    for key in sorted(more):
        if wanted is False:
            yield f"{at}: `{key}` is in no schema"
        else:
            yield from faults(value[key], wanted, root, f"{at}/{key}")


def _items(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    for i, item in enumerate(value if isinstance(value, list) else ()):
        yield from faults(item, wanted, root, f"{at}/{i}")


def _any(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    tried = [list(faults(value, each, root, at)) for each in wanted]
    if all(tried):
        yield from min(tried, key=len)


def _all(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    for each in wanted:
        yield from faults(value, each, root, at)


def _one_of(value: Any, wanted: Any, root: Any, at: str, _: Any) -> Iterator[str]:
    if value not in (wanted if isinstance(wanted, list) else [wanted]):
        yield f"{at}: {value!r} is not {wanted!r}"


def _least(value: Any, wanted: int, root: Any, at: str, _: Any) -> Iterator[str]:
    if isinstance(value, list) and len(value) < wanted:
        yield f"{at}: fewer than {wanted}"


def _most(value: Any, wanted: int, root: Any, at: str, _: Any) -> Iterator[str]:
    if isinstance(value, list) and len(value) > wanted:
        yield f"{at}: more than {wanted}"


RULES = {
    "$ref": _reference,
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any,
    "allOf": _all,
    "enum": _one_of,
    "const": _one_of,
    "minItems": _least,
    "maxItems": _most,
}
