"""Write the remarks of `archcalc reconcile`: how a reading makes a number, and who printed it."""

from __future__ import annotations

from archcalc.audit.neighbor import Neighbor
from archcalc.audit.printed import Printed
from archcalc.audit.readings import Reading, plain_way
from archcalc.audit.search import MOST_EXPLAINED, Findings, Match
from archcalc.audit.verdicts import Verdict
from archcalc.units import grouped, printable

LEAST_TOLD = 0.001  # a smaller expected number of readings is only said to be below this


def name_of(reading: Reading) -> str:
    """Return 'resnet50_paper, Netscope' or 'googlenet 3b'."""
    conventions = reading.way.conventions
    between = " " if any(c.slot == "path" for c in conventions) else ", "
    return between.join([printable(reading.network.name), *(c.name for c in conventions)])


def _signed(amount: int) -> str:
    return f"{'−' if amount < 0 else '+'} {grouped(abs(amount))}"


def explained(findings: Findings, flops: bool) -> tuple[str, ...]:
    """Write the first match as a sum from the network's own count, and how many others there are.

    `flops`: whether the number is called FLOPs.
    """
    best = findings.matches[0]
    reading = best.reading
    lines = [reading.decomposition]
    if reading.departures:
        lines = [f"{grouped(reading.own)} {reading.quantity} of {reading.origin.name}"]
        lines += [f"{_signed(d.amount)} {d.says}" for d in reading.departures if d.amount]
        lines.append(f"= {reading.decomposition}")
    if best.steps > MOST_EXPLAINED:
        lines.insert(0, _fits(best, findings))
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
    if reading.network.changes and not reading.network.rewrite:
        pair = f"{reading.origin.name} {reading.network.name}"
        lines.append(f"layer by layer: archcalc compare {pair}")
    return tuple(printable(line) for line in lines if line)


def _multiplies(reading: Reading) -> str:
    """Say that a number called FLOPs counts multiplies."""
    network = reading.network
    flops = grouped(2 * plain_way("multiplies").count(network))
    says = "printed as FLOPs, but a product counts once: these are multiplies (MACs)"
    return f"{says}; the FLOPs of {network.name}, 2 × multiplies, are {flops}"


def _fits(match: Match, findings: Findings) -> str:
    """Say that so many departures at once are no explanation."""
    says = f"arithmetic that fits, no more: {match.steps} departures at once"
    return f"{says}; of {_by_chance(findings)}"


def _by_chance(findings: Findings) -> str:
    """Return '1,617 readings about 10 would print so by chance'."""
    about = findings.chance
    expected = f"about {about:.0f}" if about >= 0.95 else f"about {about:.1g}"
    if about < LEAST_TOLD:
        expected = f"fewer than {LEAST_TOLD:f}".rstrip("0")
    return f"{grouped(findings.tried)} readings {expected} would print so by chance"


def _doubtful(findings: Findings) -> str:
    """Say how many matches chance would make as well, and name the first."""
    count = len(findings.doubtful)
    others = "another one does" if count == 1 else f"{count} others do"
    return f"of {_by_chance(findings)}; {others}, as {name_of(findings.doubtful[0].reading)}"


def _helps(reading: Reading) -> list[str]:
    """Return the help of the variables that differ, from the spec."""
    network, origin = reading.network, reading.origin
    if not isinstance(network, Neighbor) or not isinstance(origin, Neighbor):
        return []  # a model file
    variables, own = network.entry.spec.variables, origin.values
    changed = [name for name, value in network.values.items() if own.get(name, value) != value]
    return [f"{name}: {variables[name].help}" for name in changed if variables[name].help]


def unexplained(findings: Findings, printed: Printed) -> tuple[str, ...]:
    """Say why no reading explains the number: it has too few digits, or none prints like it."""
    text = printable(printed.text)
    if findings.doubtful:
        return (f"unexplained: {text} has too few digits", _doubtful(findings))
    says = f"unexplained: none of {grouped(findings.tried)} readings of up to {findings.most} departures"
    return (f"{says} prints as {text}",)


def in_print(sources: list[Verdict]) -> list[str]:
    """Say who has printed these digits, for which quantity, and the audit's verdict."""
    known: dict[str, list[str]] = {}
    for verdict in sources:
        number, reasons = verdict.number, [verdict.reason] if verdict.reason else []
        words = reasons if verdict.kind == "rounded" and reasons else [verdict.kind, *reasons]
        says = f"{number.subject} {number.quantity.replace('_', ' ')}, {': '.join(words)}"
        known.setdefault(says, []).append(f"{number.printed} ({number.source})")
    return [f"in print: {', '.join(printed)}: {says}" for says, printed in known.items()]
