"""archcalc explain: the arithmetic behind every number, factor by factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from archcalc.analysis.costs import Analysis, Layer, analyze
from archcalc.analysis.explanation import TOTAL, Line, choose, explain, where
from archcalc.analysis.formula import LATEX, TEXT
from archcalc.api import Network
from archcalc.commands.layout import document, label, title
from archcalc.commands.options import FORMAT, Table, show, spec_command
from archcalc.units import printable
from archcalc.views.report import Column, Report

COLUMNS = (
    Column("layer", "layer", "name", hide_empty=True),
    Column("what", "count", "words"),
    Column("arithmetic", "arithmetic", "math"),
    Column("value", "value", "data"),
)


@spec_command("explain", most=1)
@click.option(
    "--symbol", multiple=True, metavar="VARIABLE", help="Keep this integer variable as a symbol."
)
@FORMAT
def command(networks: list[Network], table: Table, symbol: tuple[str, ...], words: list[str]) -> None:
    """Explain the numbers of SPEC, or of each LAYER or block of it: the arithmetic, factor by factor.

    \b
    Example: archcalc explain inception 5x5/conv --bottleneck 16
             archcalc explain inception 5x5 --bottleneck 16 --symbol bottleneck

    \b
    weights, biases, …   the sizes of the layer's tensors
    multiplies           outputs × the products that each of them sums up
    additions, …         the rest of the census, likewise
    connections          links from an input value to an output, and the biases
    --symbol             formulas in that variable, and their value at its own
    """
    (network,) = networks
    names = [name.replace("-", "_") for name in symbol]
    graph, program = network.symbolic(names)
    analysis = analyze(graph)
    reports = [_report(network, analysis, word, table) for word in words or [""]]
    if names:
        reports[-1] = reports[-1]._replace(remarks=tuple(where(program)))
    show("explain", reports, table.format)


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


def _relative(rows: list[dict[str, Any]], lines: Sequence[Line], word: str) -> list[dict[str, Any]]:
    """Rows with the paths inside the block that was asked for."""
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
