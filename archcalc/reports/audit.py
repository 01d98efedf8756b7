"""Report published numbers beside recomputed ones."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from archcalc.audit.verdicts import KINDS, Verdict, shown
from archcalc.reports.model import Column, Report

MOST_NAMED = 2


FINDINGS = ("wrong", "unexplained")


COLUMNS = (
    Column("number", "number", "name"),
    Column("printed", "printed", "text"),
    Column("computed", "computed", "text"),
    Column("verdict", "verdict", "name"),
    Column("source", "source", "words", spare=1),
    Column("reason", "reason", "data"),
)


PLAIN = tuple(c._replace(kind="data") if c.key == "computed" else c for c in COLUMNS)


SUMMARY = (
    Column("source", "source", "name"),
    Column("all", "all", "count"),
    *(Column(kind, "open" if kind == "unexplained" else kind, "count") for kind in KINDS),
)


def reports(verdicts: list[Verdict], every: bool, whole: bool, plain: bool) -> list[Report]:
    """Return a table of the verdicts, after a summary if the audit is of the `whole` collection.

    `every`: whether the table has all verdicts, not only findings. `plain`: see `_table`.
    """
    found = [_table(verdicts, every, plain)]
    return [_summary(verdicts), *found] if whole else found


def _summary(verdicts: list[Verdict]) -> Report:
    """Count verdicts by source: a paper or a tool by its name, without the table or file."""
    by_source: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_source.setdefault(verdict.number.source.partition(",")[0], []).append(verdict)
    rows = [{"source": name, **_counts(by_source[name])} for name in sorted(by_source)]
    total = {"source": "total", **_counts(verdicts)}
    title = f"{len(verdicts)} published numbers, recomputed"
    return Report(title, SUMMARY, tuple(rows), total, (), list)


def _counts(verdicts: list[Verdict]) -> dict[str, int | None]:
    kinds = [verdict.kind for verdict in verdicts]
    return {"all": len(kinds), **{kind: kinds.count(kind) or None for kind in KINDS}}


def _table(verdicts: list[Verdict], every: bool, plain: bool) -> Report:
    """Return the table of verdicts; `plain`: computed numbers are for programs, not for people."""
    listed = [v for v in verdicts if every or v.kind in FINDINGS or v.fails]
    failed = sum(v.fails for v in verdicts)
    remarks = [*_reasons(listed), *([f"{failed} that should hold do not"] if failed else [])]
    title = f"{len(listed)} {'published' if every else 'wrong or unexplained'} numbers"
    documents = [_document(verdict) for verdict in verdicts]
    columns, rows = (PLAIN if plain else COLUMNS), tuple(_row(verdict, plain) for verdict in listed)
    return Report(title, columns, rows, None, tuple(remarks), lambda: documents)


def _reasons(verdicts: list[Verdict]) -> Iterator[str]:
    """Yield each reason once, after the printed numbers that it explains."""
    explained: dict[str, dict[str, None]] = {}
    for verdict in verdicts:
        if verdict.reason and verdict.kind != "rounded":
            explained.setdefault(verdict.reason, {})[f"{_name(verdict)} {verdict.number.printed}"] = None
    for reason, texts in explained.items():
        names = list(texts)
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"{', '.join(names[:MOST_NAMED])}{more}: {reason}"


def _name(verdict: Verdict) -> str:
    """Return the subject of a number: 'googlenet 4a weights'."""
    return f"{verdict.number.subject} {verdict.number.quantity.replace('_', ' ')}"


def _row(verdict: Verdict, plain: bool) -> dict[str, Any]:
    number, computed = verdict.number, verdict.computed
    return {
        "number": _name(verdict),
        "printed": number.printed,
        "computed": _plain(computed) if plain and not isinstance(computed, tuple) else shown(computed),
        "verdict": verdict.kind,
        "reason": verdict.reason,
        "source": number.source,
    }


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        **verdict.number._asdict(),
        "verdict": verdict.kind,
        "computed": _plain(verdict.computed),
        "reached": _plain(verdict.reached),
        "reason": verdict.reason,
        "fails": verdict.fails,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a ratio as a float, a size as a list."""
    if isinstance(value, tuple):
        return list(map(int, value))
    return float(value) if isinstance(value, Fraction) else value
