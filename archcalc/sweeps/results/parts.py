"""Read and write the files of a sweep's rows: Parquet with page checksums, or CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import IO, Any

from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.regular import lines, open_regular
from archcalc.sweeps.metrics import MEANING
from archcalc.sweeps.program.recording import columns
from archcalc.sweeps.space.points import Points
from archcalc.tuples import NamedTuple
from archcalc.units import safe

POINT = "point"
BATCH = 1 << 16  # the rows that are read at once
GROUP = 1 << 17  # the rows of a row group, the smallest unit that can be read alone
CHUNK = 1 << 20  # the bytes that are digested at once
OTHERS = "a column holds other things than integers"
INSTALL = "pip install 'archcalc[sweep]' for Parquet, or --format csv"


class Part(NamedTuple):
    """The rows of a part: numbers, digits [axis, row], results [metric, row]."""

    numbers: Any
    digits: Any
    results: Any


def digest_of(place: str) -> dict[str, Any]:
    """Return the size and SHA-256 of a file, as in a record.

    Raises:
        OSError: the file cannot be read.
    """
    found, size = hashlib.sha256(), 0
    with open_regular(place) as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
            size += len(chunk)
    return {"bytes": size, "sha256": found.hexdigest()}


def write_part(place: str, format: str, points: Points, part: Part) -> None:
    """Write a part of the results to a file, and sync it to disk.

    Raises:
        OSError: the file cannot be written.
        ArchError: the format cannot hold the values.
    """
    (_write_parquet if format == "parquet" else _write_csv)(place, points, part)
    with open(place, "rb+") as file:  # sync to disk before the file gets its name
        os.fsync(file.fileno())


def read_integers(place: str, format: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield columns of integers as arrays, some thousand rows at a time.

    Raises:
            OSError, ValueError, KeyError, csv.Error: the file cannot be read, or lacks such columns.
    """
    from archcalc.sweeps.machine.histograms import integers

    with open_regular(place) as file:
        if format == "parquet":
            for batch in _opened(file, names).iter_batches(BATCH, columns=list(names)):
                found = {name: batch.column(name) for name in names}
                if any(str(c.type) != "int64" or c.null_count for c in found.values()):
                    raise ValueError(OTHERS)
                yield {name: column.to_numpy() for name, column in found.items()}
            return
        rows = _rows(file)
        while batch := list(islice(rows, BATCH)):
            yield {name: integers([int(row[name]) for row in batch]) for name in names}


def read_rows(
    place: str, format: str, wanted: Collection[int], whole: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of these points; the `whole` columns are integers, others are as written.

    Raises:
        as `read_integers`.
    """
    with open_regular(place) as file:
        if format == "csv":
            yield from (_integers(row, whole) for row in _rows(file) if int(row[POINT]) in wanted)
            return
        opened, compute = _opened(file, [POINT]), import_module("pyarrow.compute")
        values = import_module("pyarrow").array(list(wanted))
        for group in range(opened.num_row_groups):
            found = compute.is_in(opened.read_row_group(group, [POINT]).column(0), value_set=values)
            if compute.any(found).as_py():
                rows = opened.read_row_group(group).filter(found).to_pylist()
                yield from (_integers(row, whole) for row in rows)


def _integers(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if not all(type(row[name]) in (int, str) for name in names):
        raise ValueError(OTHERS)
    return row | {name: int(row[name]) for name in names}


def _opened(file: IO[bytes], names: Sequence[str]) -> Any:
    """Return a Parquet file that has these columns."""
    opened = parquet().ParquetFile(file, page_checksum_verification=True)
    missing = [name for name in names if name not in opened.schema_arrow.names]
    if missing:
        raise KeyError(missing[0])
    return opened


def _rows(file: IO[bytes]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, none longer or shorter than its header."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    for row in csv.DictReader(lines(text), restkey="", restval=None):
        if None in row.values() or "" in row:
            raise ValueError("a row has more or fewer values than there are columns")
        yield row


def parquet() -> Any:
    """Return the module `pyarrow.parquet`.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(Diagnostic("Parquet needs pyarrow", help=INSTALL)) from None


def _axis_columns(points: Points, digits: Any) -> Iterator[tuple[str, bool, Sequence[Any], Any]]:
    """Return name, whether it is an integer, its values or texts, and the digits of each column."""
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
    found: dict[str, Any] = {POINT: pyarrow.array(part.numbers)}
    for name, integer, values, row in _axis_columns(points, part.digits):
        kind = pyarrow.int64() if integer else pyarrow.string()
        found[name] = pyarrow.array(list(values), kind).take(pyarrow.array(row))
    found |= {name: pyarrow.array(row) for name, row in zip(MEANING, part.results, strict=True)}
    table = pyarrow.table(found)
    numbers = [f.name for f in table.schema if f.type == pyarrow.int64()]
    parquet().write_table(
        table,
        place,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(numbers, "BYTE_STREAM_SPLIT"),
        write_page_checksum=True,
        row_group_size=GROUP,
    )


def _write_csv(place: str, points: Points, part: Part) -> None:
    axes = [
        (name, [str(v) if integer else safe(v) for v in values], row)
        for name, integer, values, row in _axis_columns(points, part.digits)
    ]
    with open(place, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([POINT, *(name for name, _, _ in axes), *MEANING])
        texts = [[values[digit] for digit in row.tolist()] for _, values, row in axes]
        writer.writerows(zip(part.numbers.tolist(), *texts, *part.results.tolist(), strict=True))
