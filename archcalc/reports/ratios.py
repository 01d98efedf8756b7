"""Report `archcalc reconcile` for a ratio: the pairs of counts that have it."""

from __future__ import annotations

from typing import Any

from archcalc.audit.ratios import FoundPairs, PairMatch, Ratio
from archcalc.reports.model import Column, Report
from archcalc.units import grouped, printable

MOST_SUMS = 2  # written out
TOLD = 0.05  # the least expected number of chance matches that is said
COLUMNS = (
    Column("reading", "reading", "words"),
    Column("of", "of", "text", spare=2),
    Column("ratio", "ratio", "text"),
    Column("how", "digits", "text", spare=1),
    Column("count", "count", "data"),
    Column("against", "against", "data"),
)


def report(
    name: str, title: str, ratio: Ratio, found: FoundPairs, said: list[str], most: int | None
) -> Report:
    """Return the first `most` pairs of counts with a ratio.

    `title` is the network as asked for; `said` are remarks on who has printed the ratio.
    """
    remarks = [_sum(match) for match in found.matches[:MOST_SUMS]]
    more = len(found.matches) - (most or len(found.matches))
    if more > 0:
        remarks.append(f"{more} more in --format csv")
    tried, text = grouped(found.tried), ratio.text
    remarks += [_turned(match, ratio) for match in found.matches[:1] if match.pair.turned(ratio)]
    if found.reversed and not found.matches:
        remarks.append(f"reversed: {_sum(found.reversed[0])}; {_turned(found.reversed[0], ratio)}")
    elif found.doubtful and not found.matches:
        remarks.append(f"unexplained: {text} has too few digits")
    elif not found.matches:
        remarks.append(f"unexplained: none of {tried} ratios prints as {text}")
    if found.doubtful or (found.matches and found.chance > TOLD):
        about = f"{found.chance:.0f}" if found.chance >= 0.95 else f"{found.chance:.1g}"
        says = f"of {tried} ratios about {about} would print so by chance"
        remarks.append(f"{says}; {_others(found.doubtful)}" if found.doubtful else says)
    return Report(
        f"{title} · {printable(ratio.text)}: the ratio of two counts",
        COLUMNS,
        tuple(_row(match) for match in found.matches[:most]),
        None,
        tuple(printable(remark) for remark in (*remarks, *said)),
        lambda: [_document(name, ratio, found)],
        title,
    )


def _others(doubtful: tuple[PairMatch, ...]) -> str:
    count = "another one does" if len(doubtful) == 1 else f"{len(doubtful)} others do"
    return f"{count}, as {_sum(doubtful[0])}"


def _turned(match: PairMatch, ratio: Ratio) -> str:
    """Say which count the word of the ratio fits: 'all of resnet50 has fewer, not all'."""
    return f"{match.pair.second.name} has {ratio.word}, not {match.pair.first.name}"


def _shown(match: PairMatch) -> str:
    return f"{float(match.value):.5g}"


def _row(match: PairMatch) -> dict[str, Any]:
    pair = match.pair
    return {
        "of": pair.quantity,
        "reading": f"{pair.first.name} against {pair.second.name}",
        "ratio": _shown(match),
        "how": {"rounds": "rounded", "truncates": "truncated"}.get(match.how, "exact"),
        "count": pair.first.value,
        "against": pair.second.value,
    }


def _sum(match: PairMatch) -> str:
    """Write the ratio as a quotient of counts: '9.6774 = 120,422,400 / 12,443,648'."""
    one, two = match.pair.first, match.pair.second
    small, large = sorted((one, two), key=lambda count: count.value)
    top, bottom = grouped(small.value), grouped(large.value)
    of = match.pair.quantity
    texts = {
        "times": f"{bottom} / {top} {of}: {large.name} against {small.name}",
        "share": f"{top} / {bottom} {of}: {small.name} against {large.name}",
        "saved": f"1 − {top} / {bottom} {of}: {small.name} in place of {large.name}",
        "more": f"{bottom} / {top} − 1 {of}: {large.name} in place of {small.name}",
    }
    return f"{_shown(match)} = {texts[match.form]}"


def _document(name: str, ratio: Ratio, found: FoundPairs) -> dict[str, Any]:
    low, high = ratio.figure.number - ratio.figure.place / 2, ratio.figure.number + ratio.figure.place
    return {
        "name": name,
        "printed": ratio.text,
        "intervals": [[float(low), float(high)]],
        "explained": bool(found.matches),
        "most_departures": 1,
        "tried": found.tried,
        "by_chance": round(found.chance, 6),
        "matches": [_match(match) for match in found.matches],
        "doubtful": [_match(match) for match in found.doubtful],
        "reversed": [_match(match) for match in found.reversed],
        "nearest": [],
        "in_print": [],
    }


def _match(match: PairMatch) -> dict[str, Any]:
    return {
        "quantity": match.pair.quantity,
        "ratio": float(match.value),
        "how": match.how,
        "form": match.form,
        "first": match.pair.first._asdict(),
        "second": match.pair.second._asdict(),
    }
