"""Describe a sweep's directory: the sweep it holds, and the counts of each part.

Each document holds a digest of itself, so that a changed document is rejected.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from archcalc import __version__
from archcalc.regular import open_regular
from archcalc.spec.settings import show_value
from archcalc.sweeps.metrics import MEANING, Count, NetworkCount
from archcalc.sweeps.space.points import Points

PART = 1 << 20  # points
SCHEMA = 3
MANIFEST = "_manifest.json"  # readers of Parquet folders skip names that begin with _
LARGEST = 1 << 26  # the most bytes of a document


def identity(
    points: Points, dtype: str, where: str, format: str, others: Sequence[Count] = ()
) -> dict[str, Any]:
    """Return the facts about a sweep on which its rows depend."""
    network = points.space.network
    kind = {"points": points.size, "keys": list(points.plan.keys) if points.plan else []}
    if points.chosen is not None:
        kind["chosen"] = digest("".join(f"{number}," for number in points.chosen))
    return {
        "schema_version": SCHEMA,
        "archcalc": __version__,
        "network": network.name,
        "spec": digest(network.spec.source.text),
        "settings": {k: v if k == "input" else show_value(v) for k, v in network.changed.items()},
        "space": {
            axis.name: [len(axis.values), axis.text(0), digest(repr(axis.values))]
            for axis in points.space.axes
        },
        "drawn": kind,
        "dtype": dtype,
        "where": where.strip(),
        "training": [
            [one.batch, one.optimizer, *(one.roof or ())]
            for one in others
            if isinstance(one, NetworkCount)
        ],
        "format": format,
        "part": PART,
    }


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def write_document(place: str, document: dict[str, Any]) -> None:
    """Write a document completely or not at all.

    Raises:
        OSError: the document cannot be written.
    """
    new = beside(place)
    with open(new, "w", encoding="utf-8") as file:
        json.dump({**document, "digest": _seal(document)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, place)


def read_document(place: str) -> dict[str, Any]:
    """Read a document.

    Raises:
        OSError: the document cannot be read.
        ValueError: the file is no such document, or it was changed.
    """
    with open_regular(place) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("it is no document of a sweep")
    try:
        document = json.loads(data)
    except RecursionError:
        raise ValueError("it is no document of a sweep") from None
    if not isinstance(document, dict):
        raise ValueError("it is no document of a sweep")
    seal = document.pop("digest", None)
    if document.get("schema_version", SCHEMA) == SCHEMA and seal != _seal(document):
        raise ValueError("it is not as it was written")
    return document


def _seal(document: dict[str, Any]) -> str:
    return digest(json.dumps(document, sort_keys=True))


def beside(place: str) -> str:
    """Return a unique name, because a worker believed dead may still write the same part."""
    return f"{place}.{uuid4().hex}.new"


def is_manifest(found: dict[str, Any]) -> bool:
    """Return whether a document has the form of a manifest."""
    drawn, part = found.get("drawn"), found.get("part")
    return (
        isinstance(found.get("network"), str)
        and isinstance(found.get("space"), dict)
        and found.get("format") in ("parquet", "csv")
        and isinstance(drawn, dict)
        and all(type(number) is int and number > 0 for number in (drawn.get("points"), part))
    )


def is_record(found: dict[str, Any], points: int) -> bool:
    """Return whether these are the counts of a part of this size, and the digest of its file."""
    refused, counts = found.get("refused"), [found.get(name) for name in ("rows", "networks", "points")]
    sized = type(found.get("bytes")) is int and isinstance(found.get("sha256"), str)
    if not (sized and isinstance(refused, dict) and all(type(number) is int for number in counts)):
        return False
    pairs = refused.values()
    told = all(isinstance(pair, list) and [type(n) for n in pair] == [int, int] for pair in pairs)
    ordered: list[Any] = [0, *counts]
    spread = _is_spread(found.get("spreads"))
    return told and spread and ordered == sorted(ordered) and counts[2] == points


def _is_spread(found: Any) -> bool:
    """Return whether this is the least, the most, the sum and the step of each metric."""
    if not isinstance(found, dict) or found.keys() != MEANING.keys():
        return False
    whole = all(isinstance(n, list) and [type(v) for v in n] == [int] * 4 for n in found.values())
    return whole and all(0 <= n[0] <= n[1] and n[2] >= 0 and n[3] >= 0 for n in found.values())
