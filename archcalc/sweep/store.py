"""A sweep's rows on disk: parts of a fixed range of points, each there as a whole or not at all.

A part is written beside its place and moved there; then its counts follow, alike. A part with counts is
done. So a sweep may stop at any moment, and goes on where it was, nothing lost and nothing twice.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple
from uuid import uuid4

from archcalc import __version__
from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.spec.settings import show_value
from archcalc.sweep.metrics import MEANING
from archcalc.sweep.points import Points
from archcalc.sweep.recording import columns
from archcalc.units import printable, safe

PART = 1 << 20  # points
BATCH = 1 << 16  # rows that are read at once
SCHEMA = 1
MANIFEST = "_manifest.json"  # other programs that read a folder of Parquet leave out what begins so
INSTALL = "pip install 'archcalc[sweep]' for Parquet, or --format csv"


class Part(NamedTuple):
    """The rows of a part: numbers, digits [axis, row], results [metric, row]."""

    numbers: Any
    digits: Any
    results: Any


def identity(points: Points, dtype: str, where: str, format: str) -> dict[str, Any]:
    """What a sweep is, as far as its rows depend on it."""
    network = points.space.network
    kind = {"points": points.size, "keys": list(points.plan.keys) if points.plan else []}
    if points.chosen is not None:
        kind["chosen"] = _digest("".join(f"{number}," for number in points.chosen))
    return {
        "schema_version": SCHEMA,
        "archcalc": __version__,
        "network": network.name,
        "spec": _digest(network.spec.source.text),
        "settings": {k: v if k == "input" else show_value(v) for k, v in network.changed.items()},
        "space": {
            axis.name: [len(axis.values), axis.text(0), _digest(repr(axis.values))]
            for axis in points.space.axes
        },
        "drawn": kind,
        "dtype": dtype,
        "where": where.strip(),
        "format": format,
        "part": PART,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Store:
    """A directory of parts."""

    def __init__(self, path: str, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest
        self.format: str = manifest["format"]

    @property
    def size(self) -> int:
        """The points of the sweep."""
        return int(self.manifest["drawn"]["points"])

    @property
    def parts(self) -> int:
        return -(-self.size // self.part)

    @property
    def part(self) -> int:
        """The points of a part."""
        return int(self.manifest["part"])

    def counts(self) -> dict[int, dict[str, Any]]:
        """What the parts that are done have counted, by their numbers."""
        found = {}
        for name in sorted(os.listdir(self.path)):
            if name.startswith("_part-") and name.endswith(".json"):
                place = os.path.join(self.path, name)
                with _reading(place) as file:
                    counted = json.load(file)
                    if not _is_record(counted):
                        raise ValueError("no record of a part")
                    found[int(name[6:-5])] = counted
        return found

    def file(self, part: int) -> str:
        return os.path.join(self.path, f"part-{part:09}.{self.format}")

    def write(self, number: int, points: Points, part: Part, counts: dict[str, Any]) -> None:
        """A part, and then its counts.

        Raises:
            ArchError: the disk does not take it.
        """
        with _writing(self.path):
            place = self.file(number)
            write = _write_parquet if self.format == "parquet" else _write_csv
            new = _beside(place)
            write(new, points, part)
            os.replace(new, place)
            _replace(os.path.join(self.path, f"_part-{number:09}.json"), counts)

    def clear(self) -> None:
        """Remove what was left half-written.

        Raises:
            ArchError: the directory cannot be changed.
        """
        with _writing(self.path):
            for name in os.listdir(self.path):
                if name.endswith(".new"):
                    with suppress(FileNotFoundError):  # whoever wrote it was not dead
                        os.remove(os.path.join(self.path, name))

    def rows(self, part: int) -> Iterator[dict[str, list[Any]]]:
        """The columns of a part, some thousand rows at a time."""
        if self.format == "parquet":
            parquet = _parquet()
            with _reading(self.file(part)):
                file = parquet.ParquetFile(self.file(part))
                for batch in file.iter_batches(BATCH):
                    yield batch.to_pydict()
            return
        with _reading(self.file(part)) as text:
            rows = list(csv.DictReader(text))
        yield {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}

    def columns(self, part: int, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Columns of integers of a part, as arrays of some thousand rows."""
        from archcalc.numerics.histograms import integers

        with _reading(self.file(part)) as text:
            if self.format == "parquet":
                file = _parquet().ParquetFile(self.file(part))
                for batch in file.iter_batches(BATCH, columns=list(names)):
                    yield {name: batch.column(name).to_numpy() for name in names}
                return
            rows = csv.DictReader(text)
            while batch := list(islice(rows, BATCH)):
                yield {name: integers([int(row[name]) for row in batch]) for name in names}


def create(path: str, manifest: dict[str, Any], resume: bool) -> Store:
    """A new directory, or one that holds the beginning of the same sweep.

    Raises:
        UsageError: it holds something else.
        ArchError: it cannot be written.
    """
    if manifest["format"] == "parquet":
        _parquet()
    if os.path.exists(os.path.join(path, MANIFEST)):
        if not resume:
            help = "--resume goes on with it; another directory takes a new one"
            raise UsageError(Diagnostic(f"{printable(path)} holds a sweep already", help=help))
        return _resumed(path, manifest)
    with _writing(path):
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            raise UsageError(f"{printable(path)} is not empty, and holds no sweep")
        _replace(os.path.join(path, MANIFEST), manifest)
    return Store(path, manifest)


def _resumed(path: str, manifest: dict[str, Any]) -> Store:
    found = open_store(path)
    for key, value in manifest.items():
        if found.manifest.get(key) != value:
            what = f"its {key} differs" if key != "spec" else "the spec's text differs"
            help = "the same options go on with it; another directory takes a new sweep"
            message = f"{printable(path)} holds another sweep: {what}"
            raise UsageError(Diagnostic(message, help=help))
    found.clear()
    return found


def open_store(path: str) -> Store:
    """The sweep in a directory.

    Raises:
        UsageError: there is none, or one of another version.
    """
    try:
        with open(os.path.join(path, MANIFEST), encoding="utf-8") as file:
            manifest = json.load(file)
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"{printable(path)} holds no sweep: its {MANIFEST} cannot be read") from None
    if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA:
        raise UsageError(f"{printable(path)} was written by another version of archcalc")
    if not _is_manifest(manifest):
        raise UsageError(f"{printable(path)} holds no sweep: its {MANIFEST} is none of ours")
    return Store(path, manifest)


def _is_manifest(found: dict[str, Any]) -> bool:
    """Whether what is read of it has the form in which it was written."""
    drawn, part = found.get("drawn"), found.get("part")
    return (
        isinstance(found.get("network"), str)
        and isinstance(found.get("space"), dict)
        and found.get("format") in ("parquet", "csv")
        and isinstance(drawn, dict)
        and all(type(number) is int and number > 0 for number in (drawn.get("points"), part))
    )


def _is_record(found: Any) -> bool:
    """Whether these are the counts of a part."""
    if not isinstance(found, dict) or not isinstance(found.get("refused"), dict):
        return False
    counts: list[Any] = [found.get(name) for name in ("rows", "networks", "points")]
    if not all(type(number) is int for number in counts):
        return False
    pairs = found["refused"].values()
    told = all(isinstance(pair, list) and [type(n) for n in pair] == [int, int] for pair in pairs)
    return told and [0, *counts] == sorted([0, *counts])


def _replace(place: str, document: dict[str, Any]) -> None:
    new = _beside(place)
    with open(new, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, place)


def _beside(place: str) -> str:
    """A name of its own: a worker given up for dead may still write the same part."""
    return f"{place}.{uuid4().hex}.new"


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        help = "what is written is whole; --resume goes on when there is room"
        raise ArchError(
            Diagnostic(f"cannot write {printable(path)}: {printable(reason)}", help=help)
        ) from None


@contextmanager
def _reading(path: str) -> Iterator[Any]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            yield file
    except (OSError, ValueError, KeyError) as error:  # a KeyError is a column that is missing
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read {printable(path)}: {shown(printable(reason))}"
        help = "what has no record (_part-….json) is written again by --resume"
        raise ArchError(Diagnostic(message, help=help)) from None


def _parquet() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(Diagnostic("Parquet needs pyarrow", help=INSTALL)) from None


def _axis_columns(points: Points, digits: Any) -> Iterator[tuple[str, bool, Sequence[Any], Any]]:
    """Name, whether it is an integer, its values or texts, the digits."""
    for number, (axis, row) in enumerate(zip(points.space.axes, digits, strict=True)):
        sizes = columns(axis, number)
        if sizes is not None and len(sizes) == 1 and sizes[0].name == axis.name:
            yield axis.name, True, axis.values, row
        else:
            yield axis.name, False, [axis.text(i) for i in range(len(axis.values))], row


def _write_parquet(place: str, points: Points, part: Part) -> None:
    pyarrow: Any = import_module("pyarrow")
    if part.results.dtype == object:
        help = "--format csv writes integers of any size"
        raise ArchError(Diagnostic("some results go beyond the 64 bits of Parquet", help=help))
    found: dict[str, Any] = {"point": pyarrow.array(part.numbers)}
    for name, integer, values, row in _axis_columns(points, part.digits):
        kind = pyarrow.int64() if integer else pyarrow.string()
        found[name] = pyarrow.array(list(values), kind).take(pyarrow.array(row))
    found |= {name: pyarrow.array(row) for name, row in zip(MEANING, part.results, strict=True)}
    table = pyarrow.table(found)
    numbers = [f.name for f in table.schema if f.type == pyarrow.int64()]
    encoding = dict.fromkeys(numbers, "BYTE_STREAM_SPLIT")
    _parquet().write_table(
        table, place, compression="zstd", use_dictionary=False, column_encoding=encoding
    )
    _settle(place)


def _write_csv(place: str, points: Points, part: Part) -> None:
    axes = [
        (name, [str(v) if integer else safe(v) for v in values], row)
        for name, integer, values, row in _axis_columns(points, part.digits)
    ]
    with open(place, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["point", *(name for name, _, _ in axes), *MEANING])
        texts = [[values[digit] for digit in row.tolist()] for _, values, row in axes]
        writer.writerows(zip(part.numbers.tolist(), *texts, *part.results.tolist(), strict=True))
    _settle(place)


def _settle(place: str) -> None:
    """Have the file on the disk before it gets its name."""
    with open(place, "rb+") as file:
        os.fsync(file.fileno())
