"""Report the remarks of the lint rules on a network."""

from __future__ import annotations

from typing import Any

from archcalc.api import Network
from archcalc.lint import RULES, Remark, look_over
from archcalc.reports.layout import label, title
from archcalc.reports.model import Column, Report
from archcalc.spec.locate import line_of
from archcalc.units import printable

COLUMNS = (
    Column("rule", "rule", "name"),
    Column("layer", "layer", "words", spare=1, whole=True),
    Column("verdict", "finding", "words", spare=2, whole=True),
    Column("file", "file", "data"),
    Column("line", "line", "data"),
)


def report(network: Network, off: frozenset[str], align: int) -> tuple[Report, int]:
    """Return the report of one network, and the number of remarks."""
    findings = look_over(network, off, align)
    rules = [name for name in RULES if any(f.rule == name for f in findings)]
    remedies = [f"{name}: {RULES[name].remedy}" for name in rules]
    made = Report(
        title(network, network.analyze()),
        COLUMNS,
        tuple(_row(network, finding) for finding in findings),
        None,
        tuple(remedies or ["nothing to say"]),
        lambda: [_document(network, findings)],
        label(network),
    )
    return made, len(findings)


def _row(network: Network, finding: Remark) -> dict[str, Any]:
    line = _line(network, finding)
    return {
        "rule": finding.rule,
        "layer": printable(finding.path),
        "verdict": finding.told,
        "file": None if line is None else network.spec.source.name,
        "line": line,
    }


def _line(network: Network, finding: Remark) -> int | None:
    """Return the line of the spec that the layer comes from; None for a remark on no layer."""
    if finding.node < 0:
        return None
    return line_of(network.spec.source, network.graph.nodes[finding.node].span.keys)


def _document(network: Network, findings: list[Remark]) -> dict[str, Any]:
    return {
        "name": network.name,
        "title": network.title,
        "spec": network.spec.source.name,
        "findings": [
            {
                "rule": f.rule,
                "layer": f.path or None,
                "told": f.told,
                "remedy": RULES[f.rule].remedy,
                "line": _line(network, f),
            }
            for f in findings
        ],
    }
