"""Define a report: its columns, rows, total and remarks, before any of them is text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from archcalc.tuples import NamedTuple
from archcalc.units import grouped, percent, ratio, scaled

ColumnKind = Literal[
    "name", "text", "words", "math", "count", "scaled", "data", "figure", "share", "bar", "change"
]


class Measurement(NamedTuple):
    """A measured number, and its short form for people; csv has it in full."""

    value: float | None
    text: str

    def __str__(self) -> str:
        return self.text


class Ranked(NamedTuple):
    """A text in place of a number: people and csv see the text, `--sort` uses the number."""

    text: str
    rank: Any

    def __str__(self) -> str:
        return self.text


class Column(NamedTuple):
    """A column of a report.

    Attributes:
        key: the key of its cells in a row.
        header: its heading.
        kind: what its cells hold. `name`, `text`, `words`, `math`: text. `count`, `scaled` ('25.6 M'):
            an integer. `data`: a value that only csv shows. `figure`: a `Measurement`. `share`, `bar`:
            (part, whole). `change`: (base, changed), or text. A cell may be a `Ranked`, or None.
        spare: the column with the highest number is dropped first when room is short; one of 0 stays.
        hide_empty: the column is not shown if no row has a value in it.
        whole: words are broken into lines when room is short, not cut.
    """

    key: str
    header: str
    kind: ColumnKind
    spare: int = 0
    hide_empty: bool = False
    whole: bool = False

    @property
    def left(self) -> bool:
        """Whether cells are aligned to the left."""
        return self.kind in ("name", "words", "bar", "change", "math")


class Report(NamedTuple):
    """What a command shows of one network, or of the list of networks.

    Attributes:
        rows, total: the cells by the keys of their columns.
        documents: makes the JSON.
        name: the network of the rows.
        listing: whether each row is one line in a pipe, however long, for grep and sort.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    total: dict[str, Any] | None
    remarks: tuple[str, ...]
    documents: Callable[[], list[dict[str, Any]]]
    name: str = ""
    listing: bool = False


class Live(NamedTuple):
    """A report whose rows take time to compute.

    Attributes:
        expected: the report before the first row, with rows and a total as wide as those to come.
        rows: made one after the other, on demand.
        finish: makes the total and the remarks from the rows so far, also after an interrupt.
    """

    expected: Report
    rows: Iterable[dict[str, Any]]
    finish: Callable[[], tuple[dict[str, Any] | None, tuple[str, ...]]]


BAR = 10  # the characters of a full bar


def cell(column: Column, value: Any) -> str:
    """Return a cell as people read it."""
    if value is None:
        return "–" if column.kind == "count" else ""
    if column.kind == "count":
        return grouped(value)
    if column.kind == "scaled":
        return scaled(value)
    if column.kind == "share":
        return percent(*value)
    if column.kind == "bar":
        part, whole = value
        eighths = round(8 * BAR * part / whole) if whole else 0
        return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]
    if column.kind == "change":
        return str(value) if isinstance(value, str | Ranked) else ratio(*value)
    return str(value)


def spark(counts: Sequence[int]) -> str:
    """Return a bar of one character for each count; only that of 0 is empty."""
    most = max(counts)
    return "".join(" ▁▂▃▄▅▆▇█"[-(-8 * count // most)] for count in counts)


def with_header(columns: Iterable[Column], key: str, header: str) -> tuple[Column, ...]:
    """Return the columns, that of `key` under another header."""
    return tuple(c._replace(header=header) if c.key == key else c for c in columns)


def visible(report: Report) -> tuple[Column, ...]:
    """Return the columns that are shown to people."""
    rows = [*report.rows, *([report.total] if report.total else [])]
    shown = (c for c in report.columns if c.kind != "data")
    return tuple(c for c in shown if not c.hide_empty or any(row.get(c.key) for row in rows))
