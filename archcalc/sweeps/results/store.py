"""Store a sweep's rows on disk in parts: each part has a fixed range of points, and is atomic.

A part is written to a temporary file and moved to its place. Then its record (its counts and the digest
of its file) is written in the same way. A part is done if its record is sound and matches its file. So a
sweep may stop at any moment and continue later, with nothing lost or repeated, and damage is detected.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from archcalc.errors import ArchError, Diagnostic, UsageError, shown
from archcalc.sweeps.evaluation.stream import cores
from archcalc.sweeps.results import parts
from archcalc.sweeps.results.manifest import (
    MANIFEST,
    SCHEMA,
    beside,
    is_manifest,
    is_record,
    read_document,
    write_document,
)
from archcalc.sweeps.results.parts import POINT, Part
from archcalc.sweeps.space.points import Points
from archcalc.units import printable

# KeyError: a missing column; NotImplementedError: a feature of Parquet that pyarrow lacks
UNREADABLE = (OSError, ValueError, KeyError, NotImplementedError, csv.Error)
T = TypeVar("T")
AGAIN = "the same sweep with --resume writes it again"


class Store:
    """A directory of parts."""

    def __init__(self, path: str, manifest: dict[str, Any]) -> None:
        self.path, self.manifest = path, manifest
        self.format: str = manifest["format"]
        self._sound: dict[int, dict[str, Any]] = {}  # records whose files were checked

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

    def file(self, part: int) -> str:
        return os.path.join(self.path, f"part-{part:09}.{self.format}")

    def _record(self, part: int) -> str:
        return os.path.join(self.path, f"_part-{part:09}.json")

    def counts(self) -> dict[int, dict[str, Any]]:
        """Return the counts of all parts, by their numbers.

        Raises:
            ArchError: a part is damaged.
        """
        return dict(on_all_cores(lambda number: (number, self._checked(number)), self._recorded()))

    def sound(self) -> dict[int, dict[str, Any]]:
        """Return the counts of the parts that are done: a damaged part is not."""
        numbers = self._recorded()
        on_all_cores(self._is_sound, numbers)
        return {number: self._sound[number] for number in numbers if number in self._sound}

    def _is_sound(self, number: int) -> None:
        with suppress(ArchError):
            self._checked(number)

    def _recorded(self) -> list[int]:
        """Return the numbers of the parts that have a record.

        Raises:
            ArchError: the directory cannot be read.
        """
        try:
            names = sorted(os.listdir(self.path))
        except OSError as error:
            raise ArchError(f"cannot read {printable(self.path)}: {_reason(error)}") from None
        numbers = [n[6:-5] for n in names if n.startswith("_part-") and n.endswith(".json")]
        return [int(n) for n in numbers if n.isascii() and n.isdecimal() and int(n) < self.parts]

    def _checked(self, number: int) -> dict[str, Any]:
        if number not in self._sound:
            with self._reading(number):
                record = read_document(self._record(number))
                if not is_record(record, min(self.part, self.size - number * self.part)):
                    raise ValueError("its record is none of ours")
                if parts.digest_of(self.file(number)) != {k: record[k] for k in ("bytes", "sha256")}:
                    raise ValueError("it is not as it was written")
            self._sound[number] = record
        return self._sound[number]

    def write(self, number: int, points: Points, part: Part, counts: dict[str, Any]) -> None:
        """Write a part, and then its record.

        Raises:
            ArchError: the disk refuses it.
        """
        with _writing(self.path):
            place = self.file(number)
            new = beside(place)
            parts.write_part(new, self.format, points, part)
            digest = parts.digest_of(new)
            os.replace(new, place)
            write_document(self._record(number), counts | digest)
            self._sound[number] = counts | digest

    def clear(self) -> None:
        """Remove half-written files.

        Raises:
            ArchError: the directory cannot be changed.
        """
        with _writing(self.path):
            for name in os.listdir(self.path):
                if name.endswith(".new"):
                    with suppress(FileNotFoundError):  # its writer was still alive
                        os.remove(os.path.join(self.path, name))

    def rows(
        self, part: int, wanted: Collection[int], whole: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of these points of a part, with integers in the `whole` columns.

        Raises:
            ArchError: the part is damaged.
        """
        self._checked(part)
        with self._reading(part):
            yield from parts.read_rows(self.file(part), self.format, wanted, whole)

    def columns(self, part: int, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield columns of integers of a part, as arrays of some thousand rows.

        Raises:
            ArchError: the part is damaged: it is unreadable, its number of rows or its metrics differ
                from its record, or its points are not its own in order.
        """
        record = self._checked(part)
        counted, spreads = record["rows"], record["spreads"]
        rows, last, end = 0, part * self.part - 1, (part + 1) * self.part
        wanted = tuple(dict.fromkeys((POINT, *names)))
        with self._reading(part):
            for batch in parts.read_integers(self.file(part), self.format, wanted):
                numbers = batch[POINT]
                rows += len(numbers)
                if numbers[0] <= last or numbers[-1] >= end or not (numbers[1:] > numbers[:-1]).all():
                    raise ValueError("its points are not in order")
                last = int(numbers[-1])
                for name in spreads.keys() & batch.keys():
                    if batch[name].min() < spreads[name][0] or batch[name].max() > spreads[name][1]:
                        raise ValueError("it has other values than were counted")
                yield batch
            if rows != counted:
                raise ValueError("it has other rows than were counted")

    @contextmanager
    def _reading(self, part: int) -> Iterator[None]:
        try:
            yield
        except UNREADABLE as error:
            what = f"part {part} of {printable(self.path)} is damaged"
            name = os.path.basename(self.file(part))
            message = f"{what} ({name}): {_reason(error)}"
            raise ArchError(Diagnostic(message, help=AGAIN)) from None


def on_all_cores(work: Callable[[int], T], numbers: Sequence[int]) -> list[T]:
    """Return the results of `work` on each part, computed on all cores."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(work, numbers))


def create(path: str, manifest: dict[str, Any], resume: bool) -> Store:
    """Return a new directory, or one that holds the beginning of the same sweep.

    Raises:
        UsageError: the directory holds something else.
        ArchError: the directory cannot be written.
    """
    if manifest["format"] == "parquet":
        parts.parquet()
    if os.path.exists(os.path.join(path, MANIFEST)):
        if not resume:
            help = "--resume goes on with it; another directory takes a new one"
            raise UsageError(Diagnostic(f"{printable(path)} holds a sweep already", help=help))
        return _resumed(path, manifest)
    with _writing(path):
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            raise UsageError(f"{printable(path)} is not empty, and holds no sweep")
        write_document(os.path.join(path, MANIFEST), manifest)
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
    """Return the sweep in a directory.

    Raises:
        UsageError: there is none, or it has another version.
    """
    try:
        manifest = read_document(os.path.join(path, MANIFEST))
    except (OSError, ValueError) as error:
        reason = "" if isinstance(error, FileNotFoundError) else f": {_reason(error)}"
        message = f"{printable(path)} holds no sweep: its {MANIFEST} cannot be read{reason}"
        raise UsageError(message) from None
    if manifest.get("schema_version") != SCHEMA:
        help = "sweep it again into another directory"
        message = f"{printable(path)} was written by another version of archcalc"
        raise UsageError(Diagnostic(message, help=help))
    if not is_manifest(manifest):
        raise UsageError(f"{printable(path)} holds no sweep: its {MANIFEST} is none of ours")
    return Store(path, manifest)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        help = "what is written is whole; --resume goes on when there is room"
        message = f"cannot write {printable(path)}: {printable(error.strerror or str(error))}"
        raise ArchError(Diagnostic(message, help=help)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no column {error}"
    return shown(printable(getattr(error, "strerror", None) or str(error)))
