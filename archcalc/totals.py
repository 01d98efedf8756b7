"""Cache totals of the bundled networks between runs, so that `archcalc list` starts at once.

A cached row is valid only under the digest of its spec's text and of all code that computes it: a
changed spec or rule is a new key, so nothing stale is shown. The first line of the file is a digest of
the rest. What cannot be read or written, or was changed, is silently computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeGuard

from archcalc.caches import cache_folder
from archcalc.regular import open_regular
from archcalc.spec.bundle import families
from archcalc.spec.model import Source
from archcalc.spec.source import read_file
from archcalc.units import printable

Row = dict[str, Any]

_TEXTS = ("name", "title", "family")
_COUNTS = ("parameters", "multiplies")
LARGEST = 2**24  # bytes of what is remembered; 150 networks take 40,000
_CODE = ("spec", "operators", "graph", "analysis")  # with the modules beside them: what decides a number


def totals() -> list[Row]:
    """Return one row per bundled network, by family: name, title, year, input, and its totals."""
    known, code = _remembered(), _code_digest()
    rows: list[Row] = []
    fresh: dict[str, list[Row]] = {}
    for file in families():
        source = read_file(file)
        key = hashlib.sha256(f"{code}\n{os.path.basename(file)}\n{source.text}".encode()).hexdigest()
        found = known.get(key)
        fresh[key] = found if _sound(found) else list(_compute(os.path.basename(file), source))
        rows += fresh[key]
    if fresh.keys() != known.keys():
        _remember(fresh)
    return rows


def _compute(file: str, source: Source) -> Iterator[Row]:
    from archcalc.api import Network
    from archcalc.spec.catalog import entries

    for entry in entries(source._replace(name=file)):
        network = Network(entry, {})
        analysis = network.analyze()
        yield {
            "name": network.name,
            "title": network.title,
            "year": network.about("year"),
            "family": file.removesuffix(".toml"),
            "input": list(analysis.graph.input),
            "parameters": analysis.parameters,
            "multiplies": analysis.multiplies,
        }


def _code_digest() -> str:
    """Return a digest of every file whose code decides a number."""
    digest = hashlib.sha256()
    package = os.path.dirname(os.path.abspath(__file__))
    for folder in ("", *_CODE):
        for name in sorted(os.listdir(os.path.join(package, folder))):
            if name.endswith(".py"):
                with open(os.path.join(package, folder, name), "rb") as file:
                    digest.update(name.encode() + file.read())
    return digest.hexdigest()


def _sound(rows: Any) -> TypeGuard[list[Row]]:
    """Return whether these are rows as `_compute` makes them, and not someone else's data."""
    return isinstance(rows, list) and bool(rows) and all(map(_is_row, rows))


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict) or row.keys() != {*_TEXTS, *_COUNTS, "year", "input"}:
        return False
    texts, sizes, year = [row[key] for key in _TEXTS], row["input"], row["year"]
    if not (isinstance(sizes, list) and sizes and all(isinstance(text, str) for text in texts)):
        return False
    counts = [*(row[key] for key in _COUNTS), *sizes, 0 if year is None else year]
    counted = all(type(count) is int and 0 <= count < 2**63 for count in counts)
    return counted and all(printable(text) == text for text in texts)


def _place() -> str | None:
    folder = cache_folder()
    return None if folder is None else os.path.join(folder, "totals")


def _remembered() -> dict[str, list[Row]]:
    place = _place()
    if place is None:
        return {}
    try:
        with open_regular(place) as file:
            seal, _, text = file.read(LARGEST).partition(b"\n")
        if seal != _seal(text):
            return {}
        known = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _seal(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _remember(rows: dict[str, list[Row]]) -> None:
    """Write a new file beside the old one, then put it in its place: no reader sees half of it."""
    place = _place()
    if place is None:
        return
    beside = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        text = json.dumps(rows).encode()
        with open(beside, "wb") as file:
            file.write(_seal(text) + b"\n" + text)
        os.replace(beside, place)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
