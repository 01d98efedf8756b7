"""Report the readings of a printed number: what it may count."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from archcalc.audit.printed import Printed
from archcalc.audit.readings import Reading
from archcalc.audit.search import Findings, Match, Nearest
from archcalc.audit.verdicts import Verdict
from archcalc.reports.model import Column, Report
from archcalc.reports.reconcile_words import explained, in_print, name_of, unexplained
from archcalc.tuples import NamedTuple
from archcalc.units import grouped, printable

MOST_SOURCES = 3  # that are named
HOW = {"exact": "exact", "rounds": "rounded", "truncates": "truncated"}


COLUMNS = (
    Column("reading", "reading", "name"),
    Column("count", "count", "count"),
    Column("quantity", "of", "text", spare=2),
    Column("how", "digits", "text", spare=1),
    Column("departures", "departures", "data"),
)


NEAREST_COLUMNS = (
    Column("reading", "nearest", "name"),
    Column("count", "count", "count"),
    Column("quantity", "of", "text", spare=2),
    Column("off", "off by", "count"),
    Column("departures", "departures", "count", spare=1),
)


class AskedNumber(NamedTuple):
    """A printed number that is said to be of a network or a model file, whose full name is `title`."""

    name: str
    title: str
    printed: Printed
    quantity: str | None


def report(
    asked: AskedNumber,
    findings: Findings,
    sources: list[Verdict],
    known: list[Verdict],
    most: int | None,
) -> Report:
    """Return up to `most` readings that print like the number, or the nearest; and who has printed it.

    `known` are the `sources` that are about this network: see `known_in_print`.
    """
    printed = asked.printed
    matches = findings.matches
    flops = (printed.unit or asked.quantity) == "FLOPs"
    leads = bool(known) and not _agrees(matches, known)
    remarks = explained(findings, flops) if matches else unexplained(findings, printed)
    rows = list(map(_row, matches[:most]) if matches or leads else map(_nearest_row, findings.nearest))
    said = in_print(sources)[:MOST_SOURCES]
    if leads and matches:  # the sum is not that of the first row
        remarks = (*said, f"computed without it, {name_of(matches[0].reading)}:", *remarks)
    else:
        remarks = tuple(said) if leads else (*remarks, *said)
    rows = [*map(_known_row, known[:leads]), *rows]
    return Report(
        f"{asked.title} · {printable(printed.text)}: {_range(printed)}",
        COLUMNS if matches or leads else NEAREST_COLUMNS,
        tuple(rows),
        None,
        remarks,
        lambda: [_document(asked, findings, sources, bool(known))],
        asked.title,
    )


def _range(printed: Printed) -> str:
    """Return the counts that print like this: '3,750,000,000 to 3,899,999,999'."""
    if printed.whole:
        return "this very count"
    if printed.scales[0].assumed:
        return "no unit, tried as G and M"
    ranges = []
    for scale in printed.scales:
        low, high = printed.interval(scale)
        ranges.append(f"{grouped(ceil(low))} to {grouped(ceil(high) - 1)}")
    return " or ".join(ranges)


def _row(match: Match) -> dict[str, Any]:
    return {
        "reading": name_of(match.reading),
        "count": match.reading.value,
        "quantity": match.reading.quantity,
        "how": "fitted" if match.fitted else HOW[match.how],
        "departures": match.steps,
    }


def known_in_print(name: str, sources: list[Verdict]) -> list[Verdict]:
    """Return the published numbers of the network of that name that the audit explains."""
    return [v for v in sources if v.number.network.split(":")[0] == name and v.kind != "unexplained"]


def _agrees(matches: Sequence[Match], known: Sequence[Verdict]) -> bool:
    """Return whether the first match is the network's own count, or the audit's of a known number."""
    return bool(matches) and (not matches[0].steps or matches[0].reading.value in map(_reached, known))


def _reached(verdict: Verdict) -> Any:
    return verdict.computed if verdict.reached is None else verdict.reached


def _known_row(verdict: Verdict) -> dict[str, Any]:
    count, source = _reached(verdict), verdict.number.source.partition(",")[0]
    return {
        "reading": printable(f"{verdict.number.subject}, {source}"),
        "count": int(count) if isinstance(count, int) else None,
        "quantity": verdict.number.quantity.replace("_", " "),
        "how": verdict.kind,
        "departures": None,
    }


def _nearest_row(nearest: Nearest) -> dict[str, Any]:
    return {
        "reading": name_of(nearest.reading),
        "count": nearest.reading.value,
        "quantity": nearest.reading.quantity,
        "off": round(nearest.off),
        "departures": nearest.reading.steps,
    }


def _document(
    asked: AskedNumber, findings: Findings, sources: list[Verdict], known: bool
) -> dict[str, Any]:
    printed = asked.printed
    intervals = [printed.interval(scale) for scale in printed.scales]
    return {
        "name": asked.name,
        "printed": printed.text,
        "intervals": [[ceil(low), ceil(high) - 1] for low, high in intervals],
        "explained": bool(findings.matches) or known,
        "most_departures": findings.most,
        "tried": findings.tried,
        "by_chance": round(findings.chance, 6),
        "matches": [_match(match) for match in findings.matches],
        "doubtful": [_match(match) for match in findings.doubtful],
        "nearest": [{**_reading(n.reading), "off": round(n.off)} for n in findings.nearest],
        "in_print": [_source(verdict) for verdict in sources],
    }


def _source(verdict: Verdict) -> dict[str, Any]:
    number = verdict.number
    told = {"network": number.network, "layer": number.at, "quantity": number.quantity}
    return {**told, "printed": number.printed, "source": number.source, "verdict": verdict.kind}


def _match(match: Match) -> dict[str, Any]:
    how = "fitted" if match.fitted else match.how
    told = {"how": how, "prints": match.wording, "unit": match.scale.says, "steps": match.steps}
    return {**_reading(match.reading), **told}


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "network": reading.network.name,
        "quantity": reading.quantity,
        "value": reading.value,
        "departures": [departure._asdict() for departure in reading.departures],
        "each": reading.way.each,
        "parts": [part._asdict() for part in reading.parts],
    }
