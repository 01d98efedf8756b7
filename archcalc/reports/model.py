"""Define a report: columns, rows, a total, remarks, before they are text."""

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
    """A column: the key of its cells, its header, and how a cell is shown.

    Cells: name, text, words and math hold text; count and scaled ('25.6 M') an integer; data one that
    only csv shows; figure a `Measurement`; share and bar (part, whole); change (base, changed) or text.
    Each may be a `Ranked`. `None` is shown as –. `spare`: columns with the highest are dropped first
    when room is short; before that words are cut, or broken into lines if they are `whole`.
    """

    key: str
    header: str
    kind: ColumnKind
    spare: int = 0
    hide_empty: bool = False
    whole: bool = False

    @property
    def left(self) -> bool:
        return self.kind in ("name", "words", "bar", "change", "math")


class Report(NamedTuple):
    """What a command shows of one network (or of the list of networks).

    `rows` and `total` map column keys to cells; `documents` makes the JSON. `name` is the network of
    the rows. Each row of a `listing` is one line in a pipe, however long, for grep and sort.
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
        expected: has rows and a total as wide as those to come.
        rows: made one after the other, on demand.
        finish: makes the total and the remarks from the rows so far, also after an interrupt.
    """

    expected: Report
    rows: Iterable[dict[str, Any]]
    finish: Callable[[], tuple[dict[str, Any] | None, tuple[str, ...]]]


BAR = 10


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
    """Return a column for each count; one that is not 0 is never empty."""
    most = max(counts)
    return "".join(" ▁▂▃▄▅▆▇█"[-(-8 * count // most)] for count in counts)


def visible(report: Report) -> tuple[Column, ...]:
    """Return the columns for people that hold something."""
    rows = [*report.rows, *([report.total] if report.total else [])]
    shown = (c for c in report.columns if c.kind != "data")
    return tuple(c for c in shown if not c.hide_empty or any(row.get(c.key) for row in rows))
