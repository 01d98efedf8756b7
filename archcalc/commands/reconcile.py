"""archcalc reconcile: what a printed number counts, of which network, and how."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import click

from archcalc.api import Network, load
from archcalc.audit.conventions import KINDS
from archcalc.audit.neighbors import Neighbor
from archcalc.audit.printed import Printed, counted, parse
from archcalc.audit.quoted import quoted, quoted_ratio
from archcalc.audit.ratios import Ratio, is_ratio
from archcalc.audit.ratios import found as pairs_of
from archcalc.audit.ratios import parse as ratio
from archcalc.audit.readings import Reading
from archcalc.audit.search import Findings, Match, Nearest, find
from archcalc.audit.verdicts import Networks, Verdict
from archcalc.commands.options import FORMAT, show, spec_command
from archcalc.commands.reconcile_words import explained, in_print, name_of, unexplained
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.layout import label
from archcalc.reports.model import Column, Report
from archcalc.reports.ratios import report as ratio_report
from archcalc.reports.table import Table
from archcalc.units import grouped, printable

MOST_ROWS = 4
MOST_SOURCES = 3
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


@spec_command("reconcile", most=1, usage="SPEC NUMBER")
@click.option(
    "--quantity",
    type=click.Choice([name for name in KINDS if name]),
    help="What NUMBER counts, where its own unit does not say.",
)
@FORMAT
def command(networks: list[Network], table: Table, quantity: str | None, words: list[str]) -> None:
    """Explain a printed NUMBER of SPEC: which network it is, what it counts, how it was rounded.

    \b
    Example: archcalc reconcile resnet50 3.8G
             archcalc reconcile vgg16 218.59MB
             archcalc reconcile resnet50 25,636,712
             archcalc reconcile inception 9.68x

    A number means every count that rounds or truncates to its digits; one with all its
    digits, that count alone; a fraction without a unit is tried in units of G and of M,
    as torchinfo prints such numbers. Variants of the network, its switches, usual input
    sizes and both ways of rounding a pool are combined with what tools and tables count.
    What departs least from archcalc's own count comes first. Exit code 1: nothing matches.
    A ratio (55%, 2.78x, 12x fewer parameters) is that of two counts: parts of the network and
    the whole, a variant and another, a kernel and another.

    \b
    reading      the network, and the conventions by which it counts
    count        the exact count that prints as NUMBER
    digits       whether NUMBER is it rounded, truncated or exactly
    departures   in how many ways the reading is not archcalc's own count of
                 SPEC; a number of up to 3 digits is given two, others three,
                 because with more almost any number can be had; three at once
                 are no explanation, but arithmetic that fits; values
                 (activations) are one where NUMBER does not say that it counts
                 them
    by chance    how many of the readings would print so if they lay anywhere
                 within a factor of two; where that is likely, two departures
                 are believed only if each has a name of its own: a variant,
                 a tool, a part of the network, truncation
    in print     who has printed these digits, and what `archcalc audit` finds; it
                 leads where the first reading has another count
    """
    (network,) = networks
    number = _number(words)
    if is_ratio(number):
        _ratio(network, ratio(number), table)
    else:
        _count(network, counted(parse(number), quantity or ""), quantity, table)


def _count(network: Network, printed: Printed, quantity: str | None, table: Table) -> None:
    """What prints so; exit code 1 if nothing does."""
    findings = find(Neighbor.of(network), printed, quantity or "")
    most = None if table.format == "csv" else MOST_ROWS
    networks_by_name = Networks(load)
    sources = list(quoted(network.spec.source.name, printed, networks_by_name))
    show("reconcile", [_report(network, printed, quantity, findings, sources, most)], table.format)
    if not findings.matches and not _known(network, sources):
        click.get_current_context().exit(1)


def _ratio(network: Network, asked: Ratio, table: Table) -> None:
    """What has the ratio; exit code 1 if nothing has."""
    origin = Neighbor.of(network)
    networks = Networks(load)
    sources = list(quoted_ratio(network.spec.source.name, asked, networks))
    pairs = pairs_of(origin, asked)
    most = None if table.format == "csv" else MOST_ROWS
    title = label(network)
    show("reconcile", [ratio_report(origin, title, asked, pairs, in_print(sources), most)], table.format)
    if not pairs.matches and not _known(network, sources):
        click.get_current_context().exit(1)


def _number(words: list[str]) -> str:
    if not words:
        help = "as in `archcalc reconcile resnet50 3.8G`"
        raise UsageError(Diagnostic("reconcile needs a NUMBER behind the SPEC", help=help))
    return " ".join(words)


def _report(
    network: Network,
    printed: Printed,
    quantity: str | None,
    findings: Findings,
    sources: list[Verdict],
    most: int | None,
) -> Report:
    matches = findings.matches
    flops = (printed.unit or quantity) == "FLOPs"
    known = _known(network, sources)
    leads = bool(known) and not _agrees(matches, known)
    remarks = explained(findings, flops) if matches else unexplained(findings, printed)
    rows = list(map(_row, matches[:most]) if matches or leads else map(_nearest_row, findings.nearest))
    said = in_print(sources)[:MOST_SOURCES]
    remarks = (*remarks, *said) if not leads else (*said, *remarks) if matches else tuple(said)
    rows = [*map(_known_row, known[:leads]), *rows]
    return Report(
        f"{label(network)} · {printable(printed.text)}: {_range(printed)}",
        COLUMNS if matches or leads else NEAREST_COLUMNS,
        tuple(rows),
        None,
        remarks,
        lambda: [_document(network, printed, findings, sources)],
        label(network),
    )


def _range(printed: Printed) -> str:
    """'3,750,000,000 to 3,899,999,999': the counts that print so."""
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
        "how": {"rounds": "rounded", "truncates": "truncated"}.get(match.how, "exact"),
        "departures": match.steps,
    }


def _known(network: Network, sources: list[Verdict]) -> list[Verdict]:
    """Those in print about this network whose number the audit can tell."""
    name = network.entry.name
    return [v for v in sources if v.number.network.split(":")[0] == name and v.kind != "unexplained"]


def _agrees(matches: Sequence[Match], known: Sequence[Verdict]) -> bool:
    """Whether the first match is the network's own count, or one that the audit reaches, too."""
    return bool(matches) and (not matches[0].steps or matches[0].reading.value in map(_reached, known))


def _reached(verdict: Verdict) -> Any:
    return verdict.computed if verdict.reached is None else verdict.reached


def _known_row(verdict: Verdict) -> dict[str, Any]:
    count = _reached(verdict)
    return {
        "reading": printable(verdict.number.subject),
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
    network: Network, printed: Printed, findings: Findings, sources: list[Verdict]
) -> dict[str, Any]:
    intervals = [printed.interval(scale) for scale in printed.scales]
    return {
        "name": network.name,
        "printed": printed.text,
        "intervals": [[ceil(low), ceil(high) - 1] for low, high in intervals],
        "explained": bool(findings.matches or _known(network, sources)),
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
    told = {"how": match.how, "prints": match.wording, "unit": match.scale.says, "steps": match.steps}
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
