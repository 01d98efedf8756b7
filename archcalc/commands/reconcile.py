"""archcalc reconcile: what a printed number counts, of which network, and how."""

from __future__ import annotations

from math import ceil
from typing import Any

import click

from archcalc.api import Network, load
from archcalc.audit.conventions import KINDS
from archcalc.audit.printed import Printed, counted, parse
from archcalc.audit.quoted import quoted
from archcalc.audit.readings import Reading
from archcalc.audit.relatives import Relative
from archcalc.audit.search import Findings, Match, Nearest, find
from archcalc.audit.verdicts import Networks, Verdict
from archcalc.commands.options import FORMAT, show, spec_command
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.layout import label
from archcalc.reports.model import Column, Report
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

    A number means every count that rounds or truncates to its digits; one with all its
    digits, that count alone; a fraction without a unit is tried in units of G and of M,
    as torchinfo prints such numbers. Variants of the network, its switches, usual input
    sizes and both ways of rounding a pool are combined with what tools and tables count.
    What departs least from archcalc's own count comes first. Exit code 1: nothing matches.

    \b
    reading      the network, and the conventions by which it counts
    count        the exact count that prints as NUMBER
    digits       whether NUMBER is it rounded, truncated or exactly
    departures   in how many ways the reading is not archcalc's own count of
                 SPEC; a number of up to 3 digits is given two, others three,
                 because with more almost any number can be had; values
                 (activations) are one where NUMBER does not say that it counts
                 them
    by chance    how many of the readings would print so if they lay anywhere
                 within a factor of two; where that is likely, two departures
                 are believed only if each has a name of its own: a variant,
                 a tool, a part of the network, truncation
    in print     who has printed these digits, and what `archcalc audit` finds; it
                 leads where no reading of up to two departures matches
    """
    (network,) = networks
    printed = counted(parse(_number(words)), quantity or "")
    findings = find(relative(network), printed, quantity or "")
    most = None if table.format == "csv" else MOST_ROWS
    networks_by_name = Networks(lambda name: relative(load(name)))
    sources = list(quoted(network.spec.source.name, printed, networks_by_name))
    show("reconcile", [_report(network, printed, quantity, findings, sources, most)], table.format)
    if not findings.matches and not _known(network, sources):
        click.get_current_context().exit(1)


def _number(words: list[str]) -> str:
    if not words:
        help = "as in `archcalc reconcile resnet50 3.8G`"
        raise UsageError(Diagnostic("reconcile needs a NUMBER behind the SPEC", help=help))
    return " ".join(words)


def relative(network: Network) -> Relative:
    """The network as the search takes it."""
    given = {name: value for name, value in network.changed.items() if name != "input"}
    return Relative(network.entry, given, network.graph.input if "input" in network.changed else None)


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
    leads = bool(known) and (not matches or matches[0].steps > 2)
    remarks = _explained(findings, flops) if matches else _unexplained(findings, printed)
    rows = list(map(_row, matches[:most]) if matches or leads else map(_nearest_row, findings.nearest))
    said = _in_print(sources)[:MOST_SOURCES]
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


def _name(reading: Reading) -> str:
    """'resnet50_paper, Netscope', 'googlenet 3b'."""
    conventions = reading.way.conventions
    between = " " if any(c.slot == "path" for c in conventions) else ", "
    return between.join([printable(reading.network.name), *(c.name for c in conventions)])


def _row(match: Match) -> dict[str, Any]:
    return {
        "reading": _name(match.reading),
        "count": match.reading.value,
        "quantity": match.reading.quantity,
        "how": {"rounds": "rounded", "truncates": "truncated"}.get(match.how, "exact"),
        "departures": match.steps,
    }


def _known(network: Network, sources: list[Verdict]) -> list[Verdict]:
    """Those in print about this network whose number the audit can tell."""
    name = network.entry.name
    return [v for v in sources if v.number.network.split(":")[0] == name and v.kind != "unexplained"]


def _known_row(verdict: Verdict) -> dict[str, Any]:
    count = verdict.computed if verdict.reached is None else verdict.reached
    return {
        "reading": printable(verdict.number.subject),
        "count": int(count) if isinstance(count, int) else None,
        "quantity": verdict.number.quantity.replace("_", " "),
        "how": verdict.kind,
        "departures": None,
    }


def _nearest_row(nearest: Nearest) -> dict[str, Any]:
    return {
        "reading": _name(nearest.reading),
        "count": nearest.reading.value,
        "quantity": nearest.reading.quantity,
        "off": round(nearest.off),
        "departures": nearest.reading.steps,
    }


def _signed(amount: int) -> str:
    return f"{'−' if amount < 0 else '+'} {grouped(abs(amount))}"


def _explained(findings: Findings, flops: bool) -> tuple[str, ...]:
    """The first match as a sum from the network's own count, and how many others there are.

    `flops`: the number calls itself FLOPs.
    """
    best = findings.matches[0]
    reading = best.reading
    lines = [reading.decomposition]
    if reading.departures:
        lines = [f"{grouped(reading.own)} {reading.quantity} of {reading.origin.name}"]
        lines += [f"{_signed(d.amount)} {d.says}" for d in reading.departures]
        lines.append(f"= {reading.decomposition}")
    if flops and reading.factor == 1:
        lines.append(_multiplies(reading))
    lines += _helps(reading)
    lines.append("; ".join(word for word in (best.wording, best.scale.says) if word))
    others = len(findings.matches) - 1
    if others:
        count = "1 other count matches" if others == 1 else f"{others} other counts match"
        lines.append(f"{count} with as many departures")
    if findings.doubtful:
        lines.append(_doubtful(findings))
    if reading.network.changes and not reading.network.pooling:
        pair = f"{reading.origin.name} {reading.network.name}"
        lines.append(f"layer by layer: archcalc compare {pair}")
    return tuple(printable(line) for line in lines if line)


def _multiplies(reading: Reading) -> str:
    """That what is called FLOPs counts a product once."""
    network = reading.network
    flops = grouped(2 * int(network.analysis.multiplies))
    says = "printed as FLOPs, but a product counts once: these are multiplies (MACs)"
    return f"{says}; the FLOPs of {network.name}, 2 × multiplies, are {flops}"


def _doubtful(findings: Findings) -> str:
    """Matches that chance would make as well, the first by name."""
    count, about = len(findings.doubtful), findings.chance
    expected = f"{about:.1f}" if about < 0.95 else f"{about:.0f}"
    says = f"of {grouped(findings.tried)} readings about {expected} would print so by chance"
    others = "another one does" if count == 1 else f"{count} others do"
    return f"{says}; {others}, as {_name(findings.doubtful[0].reading)}"


def _helps(reading: Reading) -> list[str]:
    """What the spec says about the variables that differ."""
    variables, own = reading.network.entry.spec.variables, reading.origin.values
    changed = [name for name, value in reading.network.values.items() if own.get(name, value) != value]
    return [f"{name}: {variables[name].help}" for name in changed if variables[name].help]


def _unexplained(findings: Findings, printed: Printed) -> tuple[str, ...]:
    text = printable(printed.text)
    if findings.doubtful:
        return (f"unexplained: {text} has too few digits", _doubtful(findings))
    says = f"unexplained: none of {grouped(findings.tried)} readings of up to {findings.most} departures"
    return (f"{says} prints as {text}",)


def _in_print(sources: list[Verdict]) -> list[str]:
    """Who has printed these digits, of what, and what the audit says about it."""
    known: dict[str, list[str]] = {}
    for verdict in sources:
        number, reasons = verdict.number, [verdict.reason] if verdict.reason else []
        words = reasons if verdict.kind == "rounded" and reasons else [verdict.kind, *reasons]
        says = f"{number.subject} {number.quantity.replace('_', ' ')}, {': '.join(words)}"
        known.setdefault(says, []).append(f"{number.printed} ({number.source})")
    return [f"in print: {', '.join(printed)}: {says}" for says, printed in known.items()]


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
