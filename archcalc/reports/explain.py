"""Report the arithmetic behind each number, factor by factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis.costs import Analysis, Layer, analyze
from archcalc.analysis.explanation import TOTAL, ExplainedNumber, choose, explain, where
from archcalc.analysis.formula import LATEX, TEXT
from archcalc.api import Network
from archcalc.reports.documents import document
from archcalc.reports.layout import label, title
from archcalc.reports.model import Column, Report
from archcalc.reports.table import Table
from archcalc.units import printable

COLUMNS = (
    Column("layer", "layer", "name", hide_empty=True),
    Column("what", "count", "words"),
    Column("arithmetic", "arithmetic", "math"),
    Column("value", "value", "data"),
)


def reports(network: Network, symbol: Sequence[str], words: Sequence[str], table: Table) -> list[Report]:
    """Return the arithmetic of the network, or of each layer or block named.

    The variables in `symbol` stay symbols, so numbers become formulas.

    Raises:
        UsageError: a word names no layer or block.
    """
    names = [name.replace("-", "_") for name in symbol]
    graph, program = network.symbolic(names)
    analysis = analyze(graph)
    found = [_report(network, analysis, word, table) for word in words or [""]]
    if names:
        found[-1] = found[-1]._replace(remarks=tuple(where(program)))
    return found


def _report(network: Network, analysis: Analysis, word: str, table: Table) -> Report:
    layers = choose(analysis, word)
    lines = explain(layers, LATEX if table.format == "latex" else TEXT)
    rows = [line._asdict() | {"strong": line.layer == TOTAL} for line in lines]
    heading = _heading(word, layers) if word else title(network, analysis)

    def documents() -> list[dict[str, Any]]:
        told = {"explained": word or None, "arithmetic": [line._asdict() for line in lines]}
        return [document(network, network.analyze()) | told]

    shown = _relative(rows, lines, word) if table.format == "table" else rows
    return Report(heading, COLUMNS, tuple(shown), None, (), documents, label(network))


def _relative(
    rows: list[dict[str, Any]], lines: Sequence[ExplainedNumber], word: str
) -> list[dict[str, Any]]:
    """Return the rows with paths relative to the block `word`, if all are inside it."""
    block = f"{word.strip('/')}/"
    if not all(line.layer.startswith(block) for line in lines if line.layer not in ("", TOTAL)):
        return rows
    return [row | {"layer": row["layer"].removeprefix(block)} for row in rows]


def _heading(word: str, layers: Sequence[Layer]) -> str:
    if len(layers) > 1:
        return f"{word} · {len(layers)} layers"
    (layer,) = layers
    shapes = ", ".join(map(str, layer.inputs))
    return f"{layer.path} · {printable(str(layer.node.operator))} · {shapes} → {layer.node.shape}"
