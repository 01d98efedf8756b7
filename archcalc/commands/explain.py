"""archcalc explain: the arithmetic behind every number, factor by factor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import click

from archcalc.analysis.costs import Analysis, Costs, Layer, analyze, total
from archcalc.analysis.formula import LATEX, TEXT, Style, formula
from archcalc.api import Network
from archcalc.commands.layout import document, label, title
from archcalc.commands.options import FORMAT, Table, show, spec_command
from archcalc.errors import Diagnostic, UsageError, suggestion
from archcalc.operators.model import Extent, Weight, Work
from archcalc.symbols import Guard, Int, Program, Symbol
from archcalc.units import printable
from archcalc.views.report import Column, Report

COLUMNS = (
    Column("layer", "layer", "name", hide_empty=True),
    Column("count", "count", "words"),
    Column("arithmetic", "arithmetic", "math"),
    Column("value", "value", "data"),
)
TOTALS = ("parameters", "statistics", "fixed", "multiplies", "connections")
ROLES = {"weight": "weights", "bias": "biases", "fixed": "fixed"}


class Writing(NamedTuple):
    """How numbers are written, and whether some are symbols."""

    style: Style
    symbolic: bool

    def equation(self, factors: str, value: Int) -> str:
        """'5·5·16 = 400'."""
        result = formula(value, self.style)
        return factors if factors == result else f"{factors} = {result}"

    def evaluated(self, factors: str, value: Int) -> str:
        """The equation, and behind a formula what it gives at its point."""
        text = self.equation(factors, value)
        return f"{text} = {self.style.number(value.value)}" if isinstance(value, Symbol) else text


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
    connections          links from an input value to an output, plus one per bias used
    --symbol             formulas in that variable, and their value where it stands now
    """
    (network,) = networks
    names = [name.replace("-", "_") for name in symbol]
    graph, program = network.symbolic(names)
    writing = Writing(LATEX if table.format == "latex" else TEXT, bool(names))
    analysis = analyze(graph)
    reports = [_report(network, analysis, word, writing, table) for word in words or [""]]
    if names:
        reports[-1] = reports[-1]._replace(remarks=tuple(_where(program)))
    show("explain", reports, table.format)


def _report(network: Network, analysis: Analysis, word: str, writing: Writing, table: Table) -> Report:
    layers = _chosen(analysis, word)
    rows = list(_layer_rows(layers[0], writing) if len(layers) == 1 else _group_rows(layers, writing))
    heading = title(network, analysis) if not word else _heading(word, layers)

    def documents() -> list[dict[str, Any]]:
        told = [{key: _plain(value) for key, value in row.items()} for row in rows]
        return [{**document(network, network.analyze()), "explained": word or None, "arithmetic": told}]

    shown = _relative(rows, word) if table.format == "table" else rows
    return Report(heading, COLUMNS, tuple(shown), None, (), documents, label(network))


def _relative(rows: list[dict[str, Any]], word: str) -> list[dict[str, Any]]:
    """Rows with the paths inside the block that was asked for."""
    block = f"{word.strip('/')}/"
    if not all(row["layer"].startswith(block) for row in rows if row.get("layer", "total") != "total"):
        return rows
    return [row | {"layer": row["layer"].removeprefix(block)} if "layer" in row else row for row in rows]


def _heading(word: str, layers: Sequence[Layer]) -> str:
    if len(layers) > 1:
        return f"{word} · {len(layers)} layers"
    (layer,) = layers
    shapes = ", ".join(map(str, layer.inputs))
    return f"{layer.path} · {printable(str(layer.node.operator))} · {shapes} → {layer.node.shape}"


def _chosen(analysis: Analysis, word: str) -> Sequence[Layer]:
    """The layers that a word names: all, one by its path, those of a block; a path's end will do."""
    layers = analysis.layers[1:]
    if not word:
        return layers
    word = word.strip("/")
    for fits in (
        lambda path: path == word,
        lambda path: path.startswith(f"{word}/"),
        lambda path: path.endswith(f"/{word}"),
        lambda path: f"/{word}/" in path,
    ):
        found = [layer for layer in layers if fits(layer.path)]
        if found:
            return found
    paths = {"/".join(x.path.split("/")[: i + 1]) for x in layers for i in range(x.path.count("/") + 1)}
    help = suggestion(word, sorted(paths)) or "`archcalc show SPEC --all` lists the layers"
    raise UsageError(Diagnostic(f"no layer or block is called `{printable(word)}`", help=help))


def _layer_rows(layer: Layer, writing: Writing) -> Iterator[dict[str, Any]]:
    """Everything that is counted of one layer, with the names of the factors."""
    for weight in layer.node.operator.weights(*layer.inputs):
        yield _row(ROLES.get(weight.role, weight.role), _sizes(weight, writing), weight.size, writing)
    for work in layer.node.operator.work(*layer.inputs):
        kind = "multiplies" if work.kind == "products" else work.kind
        yield _row(kind, _loops(work, writing), work.total, writing)
        yield {"count": "", "arithmetic": _names(work)}
    if isinstance(layer.costs.connections, Symbol) or layer.costs.connections:
        links = layer.costs.connections
        yield _row("connections", formula(links, writing.style), links, writing)


def _group_rows(layers: Sequence[Layer], writing: Writing) -> Iterator[dict[str, Any]]:
    """The weights and products of several layers; equal ones together; then the sums."""
    lines: dict[tuple[str, str], list[tuple[Layer, Int]]] = {}
    for layer in layers:
        for weight in layer.node.operator.weights(*layer.inputs):
            name = ROLES.get(weight.role, weight.role)
            if name in ("weights", "fixed"):
                lines.setdefault((name, _sizes(weight, writing)), []).append((layer, weight.size))
        for work in layer.node.operator.work(*layer.inputs):
            if work.kind == "products":
                lines.setdefault(("multiplies", _loops(work, writing)), []).append((layer, work.total))
    for count in ("weights", "fixed", "multiplies"):
        for (name, text), equal in lines.items():
            if name == count:
                yield _line(name, text, equal, writing)
    costs = total(layer.costs for layer in layers)
    for name in TOTALS:
        value: Int = getattr(costs, name)
        if isinstance(value, Symbol) or value:
            yield _row(name, _parts(costs, name, writing), value, writing) | {
                "layer": "total",
                "strong": True,
            }


def _line(name: str, text: str, equal: list[tuple[Layer, Int]], writing: Writing) -> dict[str, Any]:
    layer, value = equal[0]
    path = layer.path
    if len(equal) > 1:
        times = " \\times " if writing.style is LATEX else " × "
        text, value = f"{len(equal)}{times}({text})", value * len(equal)
        path = f"{path} (+{len(equal) - 1})"
    row = _row(name, text, value, writing)
    return row | {"layer": path, "arithmetic": writing.equation(text, value)}


def _parts(costs: Costs, name: str, writing: Writing) -> str:
    """Parameters as the sum of their roles; other totals, and formulas, as they are."""
    if name != "parameters" or writing.symbolic or writing.style is LATEX:
        return formula(getattr(costs, name), writing.style)
    roles = [("weights", costs.weights), ("biases", costs.biases), ("norms", costs.norms)]
    present = [(role, value) for role, value in roles if isinstance(value, Symbol) or value]
    return " + ".join(f"{formula(value, writing.style)} {role}" for role, value in present)


def _row(count: str, factors: str, value: Int, writing: Writing) -> dict[str, Any]:
    number = value.value if isinstance(value, Symbol) else int(value)
    return {"count": count, "arithmetic": writing.evaluated(factors, value), "value": number}


def _sizes(weight: Weight, writing: Writing) -> str:
    return writing.style.dot.join(_factor(size, writing) for size in weight.shape)


def _loops(work: Work, writing: Writing) -> str:
    times = " \\times " if writing.style is LATEX else " × "
    loops = times.join(_extent(extent, writing) for extent in work.extents)
    if work.each == 1:
        return loops
    return f"−({loops})" if work.each == -1 else f"{work.each}{times}{loops}"


def _extent(extent: Extent, writing: Writing) -> str:
    return writing.style.dot.join(_factor(factor, writing) for _, factor in extent.factors)


def _factor(factor: Int, writing: Writing) -> str:
    """A factor without thousands separators, in brackets where it is a sum."""
    if not isinstance(factor, Symbol):
        return str(factor)
    text = formula(factor, writing.style)
    return f"({text})" if " + " in text or " − " in text else text


def _names(work: Work) -> str:
    """What the factors are: 'height·width·filters × kernel height·kernel width·channels'."""
    return " × ".join("·".join(name for name, _ in extent.factors) for extent in work.extents)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Symbol) else value


def _where(program: Program) -> Iterator[str]:
    """The point at which the formulas were evaluated, and the decisions that they rest on."""
    point = ", ".join(f"{name} = {value}" for name, value in program.point.items())
    yield f"evaluated at {point}"
    if program.guards:
        told = (_decision(program, guard) for guard in program.guards)
        yield f"they hold where {', '.join(dict.fromkeys(told))}"


def _decision(program: Program, guard: Guard) -> str:
    """'not bottleneck == 0'."""
    condition = formula(program.symbol(guard.condition)).strip("()")
    return condition if guard.outcome else f"not {condition}"
