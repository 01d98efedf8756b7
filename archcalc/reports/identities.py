"""Report `archcalc run --identities`: equal networks, by executing both sides."""

from __future__ import annotations

from archcalc.errors import Diagnostic
from archcalc.reports.model import Column, Measurement, Report

COLUMNS = (
    Column("claim", "claim", "name"),
    Column("left", "executed", "words", spare=1),
    Column("right", "against", "words", spare=2),
    Column("difference", "off by", "figure"),
    Column("verdict", "", "words"),
)


def report() -> tuple[Report, list[Diagnostic]]:
    """Execute all identities; return how far apart both sides are, and those that fail."""
    from archcalc.execution.identities import TOLERANCE, identities

    found = list(identities())
    failed = [identity for identity in found if not identity.holds]
    rows = tuple(
        {
            **identity._asdict(),
            "difference": Measurement(identity.difference, f"{identity.difference:.0g}"),
            "verdict": "ok" if identity.holds else "NOT",
        }
        for identity in found
    )
    remark = (
        f"{len(found) - len(failed)} of {len(found)} hold; off by: the largest difference between "
        f"both sides in float64, at most {TOLERANCE:g} of the largest value"
    )
    told = [identity._asdict() | {"holds": identity.holds} for identity in found]
    made = Report(
        "What is the same, by executing both sides",
        COLUMNS,
        rows,
        None,
        (remark,),
        lambda: [{"name": "identities", "identities": told}],
        "identities",
    )
    return made, [Diagnostic(f"{i.claim}: off by {i.difference:.3g} of {i.largest:.3g}") for i in failed]
