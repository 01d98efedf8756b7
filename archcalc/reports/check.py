"""Report a budget: each limit with its value, the heaviest layers, and nearby settings that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from archcalc.api import Network
from archcalc.budget import WHERE, LimitVerdict, dtype_of, grown, judge, limits_of, nearest
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.layout import label, title
from archcalc.reports.model import Column, Ranked, Report
from archcalc.spec.locate import line_of
from archcalc.spec.model import Limit
from archcalc.sweeps.metrics import IN_BYTES
from archcalc.tuples import NamedTuple
from archcalc.units import binary, grouped, percent, printable

COLUMNS = (
    Column("limit", "limit", "name"),
    Column("bound", "bound", "text"),
    Column("value", "there is", "text"),
    Column("of", "of bound", "share", spare=1),
    Column("verdict", "", "words"),
    Column("file", "file", "data"),
    Column("line", "line", "data"),
)


class Growth(NamedTuple):
    """The earlier network to compare with, and the share of its totals by which they may grow."""

    before: Network | None = None
    tolerance: Fraction = Fraction(0)


def report(
    network: Network, limits: Sequence[Limit], dtype: str | None, growth: Growth
) -> tuple[Report, bool]:
    """Return the report of one network, and whether it is within its budget.

    Raises:
        UsageError: it has no limits, and nothing to compare with.
    """
    chosen, every = dtype or dtype_of(network), [*limits_of(network), *limits]
    if not every and growth.before is None:
        help = "[budget] in the spec, or --max-params 5M, --where 'peak <= 512KiB', --against main"
        raise UsageError(Diagnostic(f"{printable(network.name)} has no budget", help=help))
    findings = judge(network, every, chosen)
    settings = nearest(network, every, chosen) if not all(f.fits for f in findings) else []
    if growth.before is not None:
        findings += grown(growth.before, network, chosen, growth.tolerance)
    made = Report(
        f"{title(network, network.analyze())} · {chosen}",
        COLUMNS,
        tuple(_row(network, finding) for finding in findings),
        None,
        tuple(_remarks(findings, settings)),
        lambda: [_document(network, findings, settings, chosen)],
        label(network),
    )
    return made, all(finding.fits for finding in findings)


def _row(network: Network, finding: LimitVerdict) -> dict[str, Any]:
    limit, bound, value = finding.limit, finding.bound, finding.value
    row = {
        "limit": printable(_name(finding)),
        "verdict": _verdict(finding),
        "file": network.spec.source.name if limit.keys else None,
        "line": _line(network, limit),
        "heaviest": _heaviest(finding),
    }
    if bound is None or value is None:
        return row
    return row | {
        "bound": Ranked(f"{finding.sign} {_size(finding.measure, bound)}", bound),
        "value": Ranked(_size(finding.measure, value), value),
        "of": (value, bound) if bound else None,
    }


def _name(finding: LimitVerdict) -> str:
    if finding.metric == WHERE:
        return finding.limit.text
    return f"{finding.limit.part}: {finding.metric}" if finding.limit.part else finding.metric


def _verdict(finding: LimitVerdict) -> str:
    if finding.fits:
        return "fits"
    if finding.bound is None or finding.value is None:
        return "does not hold"
    off = finding.value - finding.bound
    if off == 0:  # it must be more, or less
        return "does not hold"
    return f"{_size(finding.measure, abs(off))} {'over' if off > 0 else 'short'}"


def _size(metric: str, value: int) -> str:
    return binary(value) if metric in IN_BYTES else grouped(value)


def _line(network: Network, limit: Limit) -> int | None:
    """Return the line of the spec that sets the limit; None if the spec does not set it."""
    return line_of(network.spec.source, limit.keys) if limit.keys else None


def _remarks(findings: Sequence[LimitVerdict], settings: Sequence[dict[str, str]]) -> Iterator[str]:
    heaviest = [_heaviest(finding) for finding in findings if finding.heaviest]
    yield from heaviest
    if settings:
        found = " · ".join(f"{k} = {v}" for setting in settings for k, v in setting.items())
        yield f"each alone would fit: {found}"
    elif heaviest or any(f.metric == WHERE and not f.fits for f in findings):
        yield "no setting of one variable that was tried would fit"


def _heaviest(finding: LimitVerdict) -> str:
    """Name the layers that contribute most, if the limit is exceeded."""
    if not finding.heaviest or not finding.value:
        return ""
    metric, whole = finding.metric, finding.value
    most = [f"{printable(p)} {_size(metric, n)} ({percent(n, whole)})" for p, n in finding.heaviest]
    part = f" of {printable(finding.limit.part)}" if finding.limit.part else ""
    return f"most {metric}{part}: {', '.join(most)}"


def _document(
    network: Network, findings: Sequence[LimitVerdict], settings: Sequence[dict[str, str]], dtype: str
) -> dict[str, Any]:
    return {
        "name": network.name,
        "title": network.title,
        "spec": network.spec.source.name,
        "dtype": dtype,
        "fits": all(finding.fits for finding in findings),
        "limits": [
            {
                "limit": f.limit.name,
                "part": f.limit.part or None,
                "text": f.limit.text,
                "metric": f.metric,
                "bound": f.bound,
                "value": f.value,
                "fits": f.fits,
                "line": _line(network, f.limit),
                "heaviest": [{"path": path, "value": value} for path, value in f.heaviest],
            }
            for f in findings
        ],
        "nearest": list(settings),
    }
