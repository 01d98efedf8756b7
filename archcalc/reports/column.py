"""Read a column of numbers by network from a CSV file."""

from __future__ import annotations

import csv
import io
from math import isfinite

from archcalc.errors import Diagnostic, UsageError, listed, suggestion
from archcalc.regular import open_regular
from archcalc.units import printable

LARGEST = 8 << 20  # bytes


def column(word: str) -> dict[str, float]:
    """Return the numbers of `FILE:COLUMN`, by the names in the column `name`, else in the first column.

    Raises:
        UsageError: no such file or column, or a value that is no number.
    """
    path, _, name = word.rpartition(":")
    if not path or not name:
        help = "as in --by accuracy.csv:top1"
        raise UsageError(Diagnostic(f"--by: `{printable(word)}` names no column of a file", help=help))
    try:
        with open_regular(path) as file:
            text = file.read(LARGEST + 1).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--by: cannot read `{printable(path)}`: {reason.lower()}") from None
    if len(text) > LARGEST:
        raise UsageError(f"--by: `{printable(path)}` is larger than {LARGEST >> 20} MiB")
    rows = list(csv.DictReader(io.StringIO(text)))
    names = list(rows[0]) if rows else []
    if name not in names:
        help = suggestion(name, names) or f"columns: {listed(names) or 'none'}"
        raise UsageError(
            Diagnostic(f"--by: {printable(path)} has no column `{printable(name)}`", help=help)
        )
    key = "name" if "name" in names else names[0]
    found = {}
    for number, row in enumerate(rows, 2):
        try:
            value = float(row[name])
        except (TypeError, ValueError):
            value = float("nan")
        if not isfinite(value):
            place = f"line {number} of {printable(path)}"
            raise UsageError(f"--by: `{printable(str(row[name]))}` in {place} is no number")
        found[str(row[key])] = value
    return found
